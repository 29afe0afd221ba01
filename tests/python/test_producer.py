import threading
import time

import pytest
from conftest import START_MS, produce, rest
from ringlog import JsonSerializer, KafkaConsumer, KafkaProducer, Serializer, TopicPartition, errors
from ringlog.admin import KafkaAdminClient, NewTopic
from ringlog.partitioner import Partitioner
from ringlog.producer.future import FutureRecordMetadata, RecordMetadata


@pytest.fixture
def producer(address):
    with KafkaProducer(bootstrap_servers=address) as made:
        yield made


def read_all(address, topic, **options):
    with KafkaConsumer(
        topic,
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        consumer_timeout_ms=300,
        **options,
    ) as consumer:
        return rest(consumer)


def create(address, topic, partitions=1, **configs):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics([NewTopic(topic, partitions, 1, topic_configs=configs)])


def test_metadata_of_a_sent_record(producer):
    future = producer.send("t", b"value", key=b"key", headers=[("h", b"1")], timestamp_ms=START_MS)
    assert isinstance(future, FutureRecordMetadata)
    metadata = future.get(timeout=10)
    assert isinstance(metadata, RecordMetadata)
    assert metadata == RecordMetadata(
        "t", 0, TopicPartition("t", 0), 0, START_MS, None, 3, 5, metadata.serialized_header_size
    )
    assert future.is_done and future.succeeded() and not future.failed()
    assert future.value == metadata and future.exception is None
    assert producer.send("t", None, key=b"key").get(10).serialized_value_size == -1
    assert producer.send("t", b"").get(10).offset == 2


def test_records_come_back_as_sent(producer, address):
    before_ms = time.time_ns() // 1_000_000
    sent = [
        (b"k", b"v", [("a", b"1"), ("a", b""), ("é", b"\xff")]),
        (None, b"v", []),
        (b"", b"", []),
        (b"k", None, []),
        (bytearray(b"k"), memoryview(b"v"), []),
    ]
    for key, value, headers in sent:
        producer.send("t", value, key, headers)
    producer.flush()
    found = read_all(address, "t")
    assert [(record.key, record.value, record.headers) for record in found] == [
        (None if key is None else bytes(key), None if value is None else bytes(value), headers)
        for key, value, headers in sent
    ]
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]
    after_ms = time.time_ns() // 1_000_000
    assert all(before_ms <= record.timestamp <= after_ms for record in found)
    assert {record.timestamp_type for record in found} == {0}


@pytest.mark.parametrize("compression", [None, "gzip", "snappy", "lz4", "zstd"])
def test_codecs(address, compression):
    values = [bytes([number % 7]) * 300 for number in range(500)]
    with KafkaProducer(
        bootstrap_servers=address, compression_type=compression, linger_ms=5
    ) as producer:
        for value in values:
            producer.send("t", value)
    assert [record.value for record in read_all(address, "t")] == values


def test_order_of_many_records(producer, address):
    futures = [producer.send("t", str(number).encode()) for number in range(20_000)]
    producer.flush()
    assert [future.get().offset for future in futures] == list(range(20_000))
    found = read_all(address, "t")
    assert [int(record.value) for record in found] == list(range(20_000))


def test_keys_choose_kafkas_partition(producer, address):
    create(address, "t", partitions=12)
    vectors = {b"": 9, b"a": 4, b"k1": None}
    for key, partition in vectors.items():
        first = producer.send("t", b"", key).get(10).partition
        assert partition in (None, first)
        assert producer.send("t", b"", key).get(10).partition == first


def test_no_key_spreads_over_partitions(producer, address):
    create(address, "t", partitions=3)
    futures = [producer.send("t", b"v") for _ in range(200)]
    assert {future.get(10).partition for future in futures} == {0, 1, 2}


def test_a_given_partition_is_taken(producer, address):
    create(address, "t", partitions=3)
    assert producer.send("t", b"v", b"k", partition=2).get(10).topic_partition == ("t", 2)
    assert producer.partitions_for("t") == {0, 1, 2}


def test_partitioners_of_both_contracts(address):
    class ByValue(Partitioner):
        def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
            assert (topic, key, serialized_key) == ("t", "k", b"k")
            return value % len(cluster.partitions_for_topic(topic))

    create(address, "t", partitions=3)
    for partitioner in (ByValue(), lambda key, everything, available: everything[-1]):
        with KafkaProducer(
            bootstrap_servers=address,
            partitioner=partitioner,
            key_serializer=str.encode,
            value_serializer=lambda value: str(value).encode(),
        ) as producer:
            assert producer.send("t", 5, "k").get(10).partition == 2


def test_a_partitioner_that_raises_is_heard(address):
    with KafkaProducer(bootstrap_servers=address, partitioner=lambda *_: 1 / 0) as producer:
        with pytest.raises(ZeroDivisionError):
            producer.send("t", b"v")
        assert producer.send("t", b"v", partition=0).get(10).offset == 0


def test_serializers_of_all_contracts(address):
    class WithTopic:
        def serialize(self, topic, value):
            return f"{topic}:{value}".encode()

    class WithHeaders(Serializer):
        def serialize(self, topic, headers, data):
            return f"{topic}:{headers}:{data}".encode()

    for serializer in (WithTopic(), WithHeaders(), JsonSerializer(), lambda value: b"f"):
        with KafkaProducer(bootstrap_servers=address, value_serializer=serializer) as producer:
            producer.send("t", 1, headers=[("h", b"x")])
    values = [record.value for record in read_all(address, "t")]
    assert values == [b"t:1", b"t:[('h', b'x')]:1", b"1", b"f"]


def test_a_serializer_that_raises_is_heard_and_harms_nothing(address):
    with KafkaProducer(bootstrap_servers=address, value_serializer=str.encode) as producer:
        with pytest.raises(TypeError):
            producer.send("t", 5)
        producer.send("t", "fine")
    assert [record.value for record in read_all(address, "t")] == [b"fine"]


def test_callbacks(producer):
    seen, done = [], threading.Event()
    future = producer.send("t", b"v")
    assert future.add_callback(lambda *got, **named: seen.append((got, named)), 1, k=2) is future
    future.add_errback(seen.append)
    future.add_callback(lambda metadata: done.set())
    assert done.wait(10)
    metadata = future.get(10)
    assert seen == [((1, metadata), {"k": 2})]
    future.add_both(seen.append)
    assert seen[1:] == [metadata]


def test_callbacks_come_in_the_order_of_offsets(address):
    """Of those registered before the outcome; a later one runs at once, as in kafka-python."""
    seen = []
    with KafkaProducer(bootstrap_servers=address, linger_ms=60_000) as producer:
        for _ in range(500):
            producer.send("t", b"v").add_callback(lambda metadata: seen.append(metadata.offset))
        producer.flush()
        deadline = time.monotonic() + 10
        while len(seen) < 500 and time.monotonic() < deadline:
            time.sleep(0.01)
    assert seen == list(range(500))


def test_a_callback_may_send(producer, address):
    done = threading.Event()

    def forward(metadata):
        producer.send("copy", b"v").add_callback(lambda _: done.set())

    producer.send("t", b"v").add_callback(forward)
    assert done.wait(10)
    assert [record.value for record in read_all(address, "copy")] == [b"v"]


def test_a_callback_that_raises_is_logged(producer, caplog):
    done = threading.Event()
    future = producer.send("t", b"v")
    future.add_callback(lambda metadata: 1 / 0).add_callback(lambda metadata: done.set())
    assert done.wait(10)
    assert "ZeroDivisionError" in caplog.text


def test_flush_leaves_nothing_undone(address):
    with KafkaProducer(bootstrap_servers=address, linger_ms=60_000) as producer:
        futures = [producer.send("t", b"v") for _ in range(100)]
        producer.flush(timeout=10)
        assert all(future.is_done for future in futures)


def test_get_does_not_wait_for_linger(address):
    with KafkaProducer(bootstrap_servers=address, linger_ms=60_000) as producer:
        assert producer.send("t", b"v").get(timeout=10).offset == 0


def test_acks_none_has_no_offset(address):
    with KafkaProducer(bootstrap_servers=address, acks=0) as producer:
        assert producer.send("t", b"v").get(10).offset == -1
    assert [record.value for record in read_all(address, "t")] == [b"v"]


def test_close_sends_what_is_waiting(address):
    producer = KafkaProducer(bootstrap_servers=address, linger_ms=60_000)
    future = producer.send("t", b"v")
    producer.close()
    assert future.get(0).offset == 0
    producer.close()
    with pytest.raises(errors.IllegalStateError):
        producer.send("t", b"v")
    with pytest.raises(AssertionError):
        producer.partitions_for("t")


def test_a_forgotten_producer_loses_nothing(address):
    for number in range(10):
        KafkaProducer(bootstrap_servers=address).send("t", str(number).encode())
    deadline = time.monotonic() + 10
    found = []
    while len(found) < 10 and time.monotonic() < deadline:
        found = read_all(address, "t")
    assert sorted(int(record.value) for record in found) == list(range(10))


def test_many_threads_share_one_producer(producer, address):
    def send(thread):
        for number in range(500):
            producer.send("t", f"{thread} {number}".encode())

    threads = [threading.Thread(target=send, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    producer.flush()
    found = [record.value.decode().split() for record in read_all(address, "t")]
    assert len(found) == 2000
    for thread in range(4):
        mine = [int(number) for name, number in found if name == str(thread)]
        assert mine == list(range(500))


def test_auto_creation_may_be_refused(address):
    with KafkaProducer(bootstrap_servers=address, allow_auto_create_topics=False) as producer:
        with pytest.raises(errors.UnknownTopicOrPartitionError, match="nowhere"):
            producer.send("nowhere", b"v").get(10)


def test_broker_settings_in_the_address(memory):
    with KafkaProducer(bootstrap_servers=f"{memory}?num.partitions=4") as producer:
        assert producer.partitions_for("t") == {0, 1, 2, 3}


def test_config_shows_the_options_in_force(producer):
    assert producer.config["acks"] == -1
    assert producer.bootstrap_connected()
    produce(producer, "t", b"v")


def test_what_needs_transactions_is_refused():
    with KafkaProducer(bootstrap_servers="memory:") as producer:
        for call in (
            producer.init_transactions,
            producer.begin_transaction,
            producer.commit_transaction,
            producer.abort_transaction,
            lambda: producer.send_offsets_to_transaction({}, "g"),
        ):
            with pytest.raises(errors.IllegalStateError, match="transactional_id"):
                call()
        assert producer.partitions_for(topic="t") == {0}
        assert producer.max_usable_produce_magic((4, 0)) == 2
