"""A C call that keeps the GIL stops no heartbeat and no commit."""

import ctypes
import time

from ringlog import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

HELD_SECONDS = 10


def hold_gil(seconds: int) -> None:
    ctypes.PyDLL(None).sleep(seconds)  # PyDLL, unlike CDLL, does not release the GIL


def test_heartbeats_and_commits_need_no_gil(tmp_path):
    address = f"file:{tmp_path / 'log'}"
    partition = TopicPartition("t", 0)
    with KafkaProducer(bootstrap_servers=address) as producer:
        for number in range(10):
            producer.send("t", str(number).encode())
        producer.flush()
    consumer = KafkaConsumer(
        "t", bootstrap_servers=address, group_id="g", auto_offset_reset="earliest",
        session_timeout_ms=6_000, heartbeat_interval_ms=500, auto_commit_interval_ms=2_000,
        consumer_timeout_ms=100,
    )
    assert len(list(consumer)) == 10  # its end is a call after the last record: all are processed
    before = consumer.group_metadata()
    assert consumer.committed(partition) is None

    began = time.monotonic()
    hold_gil(HELD_SECONDS)
    assert time.monotonic() - began > HELD_SECONDS - 1

    # More than the session's time went by: without heartbeats the member would be out by now.
    assert consumer.committed(partition) == 10
    consumer.commit()
    assert consumer.group_metadata() == before
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        described = admin.describe_groups(["g"])["g"]
    assert described["group_state"] == "Stable" and len(described["members"]) == 1
    consumer.close()
