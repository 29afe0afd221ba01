"""Real clients, bounded: what a running broker holds, as librdkafka sees it."""

import logging
import time

from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient, NewTopic
from kafka import KafkaAdminClient
from kafka.errors import CoordinatorLoadInProgressError, NotCoordinatorError

READ_SECONDS_MAX = 30
COORDINATOR_MOVES = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
    KafkaError._WAIT_COORD,
}

_silent = logging.getLogger("librdkafka")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False


def producer(bootstrap: str, **settings) -> Producer:
    """An idempotent producer without linger; settings are librdkafka's."""
    return Producer(
        {"bootstrap.servers": bootstrap, "enable.idempotence": True, "linger.ms": 0, **settings},
        logger=_silent,
    )


def admin(bootstrap: str) -> AdminClient:
    """An admin client."""
    return AdminClient({"bootstrap.servers": bootstrap}, logger=_silent)


def create_topics(bootstrap: str, *topics: NewTopic):
    """Create and wait."""
    handle = admin(bootstrap)
    for future in handle.create_topics(list(topics)).values():
        future.result(READ_SECONDS_MAX)


def produce(bootstrap: str, records):
    """Send (topic, partition, key, value, headers) tuples in order and wait for the answers."""
    failures = []
    sender = producer(bootstrap)
    for topic, partition, key, value, headers in records:
        sender.produce(
            topic,
            value,
            key,
            partition,
            headers=headers,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    left = sender.flush(READ_SECONDS_MAX)
    if left or failures:
        raise RuntimeError(f"{left} records without an answer, failures {failures}")


def read_partition(
    bootstrap: str, topic: str, partition: int, *, isolation: str = "read_uncommitted"
) -> list:
    """All records of a partition, from start to end: (offset, timestamp, key, value, headers)."""
    reader = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "oracle-reader",
            "enable.auto.commit": False,
            "enable.partition.eof": True,
            "isolation.level": isolation,
            "auto.offset.reset": "error",
        },
        logger=_silent,
    )
    try:
        low, _ = reader.get_watermark_offsets(
            TopicPartition(topic, partition), timeout=READ_SECONDS_MAX
        )
        reader.assign([TopicPartition(topic, partition, low)])
        return list(_until_end(reader, f"{topic}-{partition}"))
    finally:
        reader.close()


def watermarks(bootstrap: str, topic: str, partition: int) -> tuple[int, int]:
    """Where the partition starts and where it ends."""
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "oracle"}, logger=_silent)
    try:
        asked = TopicPartition(topic, partition)
        return reader.get_watermark_offsets(asked, timeout=READ_SECONDS_MAX)
    finally:
        reader.close()


def _until_end(reader: Consumer, name: str):
    deadline = time.monotonic() + READ_SECONDS_MAX
    while time.monotonic() < deadline:
        message = reader.poll(1.0)
        if message is None:
            continue
        if message.error() is None:
            yield (
                message.offset(),
                message.timestamp()[1],
                message.key(),
                message.value(),
                message.headers() or [],
            )
        elif message.error().code() == KafkaError._PARTITION_EOF:
            return
        else:
            raise RuntimeError(f"reading {name}: {message.error()}")
    raise TimeoutError(f"{name} was not read to its end in {READ_SECONDS_MAX} s")


def committed(bootstrap: str, group: str) -> dict:
    """Committed offsets of a group: {(topic, partition): offset}.

    Asked by kafka-python: confluent-kafka reads an offset's metadata beyond its end, so that it
    cannot list offsets with metadata (Kafka Streams commits some) except by luck. A coordinator
    that is still being loaded is asked again.
    """
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    deadline = time.monotonic() + READ_SECONDS_MAX
    try:
        while True:
            try:
                listed = client.list_group_offsets([group])[group]
                return {(one.topic, one.partition): at.offset for one, at in listed.items()}
            except (CoordinatorLoadInProgressError, NotCoordinatorError):
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
    finally:
        client.close()


def commit(bootstrap: str, group: str, offsets: dict):
    """Commit {(topic, partition): offset} for a group without members.

    A coordinator that is still being loaded is asked again.
    """
    reader = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": group, "enable.auto.commit": False},
        logger=_silent,
    )
    wanted = [TopicPartition(*partition, offset) for partition, offset in offsets.items()]
    deadline = time.monotonic() + READ_SECONDS_MAX
    try:
        while True:
            try:
                reader.commit(offsets=wanted, asynchronous=False)
                return
            except KafkaException as failed:
                if failed.args[0].code() not in COORDINATOR_MOVES or time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
    finally:
        reader.close()
