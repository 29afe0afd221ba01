"""What type checkers know of a user's program; read by mypy and pyright, never run."""

from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition, errors
from ringlog._native import ConsumerRecord, Future
from ringlog.admin import KafkaAdminClient
from ringlog.structs import OffsetAndTimestamp, RecordMetadata
from typing_extensions import assert_type


def send(producer: KafkaProducer) -> None:
    future = producer.send("orders", b"value", key=b"key", headers=[("h", b"v")])
    assert_type(future, Future)
    assert_type(future.get(timeout=10), RecordMetadata)
    assert_type(future.get().offset, int)
    assert_type(future.get().topic_partition, TopicPartition)
    with producer as same:
        assert_type(same, KafkaProducer)


def read(consumer: KafkaConsumer) -> None:
    for record in consumer:
        assert_type(record, ConsumerRecord)
        assert_type(record.topic, str)
        assert_type(record.offset, int)
        assert_type(record.headers, list[tuple[str, bytes | None]])
    assert_type(consumer.poll(timeout_ms=10), dict[TopicPartition, list[ConsumerRecord]])
    partition = TopicPartition("orders", 0)
    assert_type(consumer.assignment(), set[TopicPartition])
    assert_type(consumer.position(partition), int)
    assert_type(consumer.end_offsets([partition]), dict[TopicPartition, int])
    assert_type(
        consumer.offsets_for_times({partition: 0}),
        dict[TopicPartition, OffsetAndTimestamp | None],
    )
    assert_type(OffsetAndMetadata(1).metadata, str)
    consumer.commit({partition: OffsetAndMetadata(1)})


def look(admin: KafkaAdminClient) -> None:
    lag = admin.consumer_lag("billing")
    assert_type(lag.total, int)
    assert_type(lag[TopicPartition("orders", 0)].lag, int | None)


def fail(consumer: KafkaConsumer) -> None:
    try:
        next(consumer)
    except errors.RecordDeserializationError as error:
        assert_type(error.offset, int | None)
    except errors.OffsetOutOfRangeError as error:
        assert_type(error.errno, int | None)
