"""Log directories of Apache Kafka 4.3.1, ended cleanly, killed and damaged, opened by ringlog.

All that their expected files list must come out through the Python client: records in both
isolation levels, offsets, epochs, time look-ups, group offsets, configs. It must still do so after
ringlog has closed the directory and opened it again.
"""

import base64
import hashlib
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "golden"))

import golden  # noqa: E402

POLL_MS_MAX = 10_000
#: What the settings of the golden server say about records that this version keeps or drops.
SETTINGS = (
    "log.retention.ms",
    "log.retention.bytes",
    "log.index.size.max.bytes",
    "offsets.retention.minutes",
    "producer.id.expiration.ms",
    "auto.create.topics.enable",
)


@pytest.fixture(scope="module", params=["clean", "killed", "torn"])
def opened(request, tmp_path_factory):
    """(which, address) of an unpacked golden directory, open with the golden settings."""
    import ringlog

    try:
        golden.folder()
    except golden.GoldenMissing as missing:
        pytest.skip(str(missing))
    directory = golden.unpack(request.param, tmp_path_factory.mktemp("golden"))
    settings = {name: golden.settings()[name] for name in SETTINGS}
    ringlog.open(str(directory), config=settings)
    yield request.param, f"file:{directory}", settings
    ringlog.close(str(directory))


@pytest.fixture
def consumer(opened):
    import ringlog

    made = ringlog.KafkaConsumer(bootstrap_servers=opened[1], enable_auto_commit=False)
    yield made
    made.close()


def b64(data):
    return None if data is None else base64.b64encode(data).decode()


def as_expected(record) -> dict:
    """A consumed record in the shape of records.jsonl, without the CRC of large values."""
    value = record.value
    content = {"value": b64(value)}
    if value is not None and len(value) > 512:
        content = {"value_len": len(value), "value_sha256": hashlib.sha256(value).hexdigest()}
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "leader_epoch": record.leader_epoch,
        "timestamp": record.timestamp,
        "timestamp_type": ("CreateTime", "LogAppendTime")[record.timestamp_type],
        "key": b64(record.key),
        **content,
        "headers": [[name, b64(content)] for name, content in record.headers],
    }


def read_all(consumer, topic: str, partition: int) -> list[dict]:
    """Every record from the start to the end that the consumer's isolation level shows."""
    from ringlog import TopicPartition

    one = TopicPartition(topic, partition)
    consumer.assign([one])
    consumer.seek_to_beginning(one)
    end, found = consumer.end_offsets([one])[one], []
    while consumer.position(one) < end:
        polled = consumer.poll(timeout_ms=POLL_MS_MAX)
        assert polled or consumer.position(one) >= end, (
            f"{one}: nothing at {consumer.position(one)}"
        )
        found += [as_expected(record) for record in polled.get(one, [])]
    return found


def expected_records(which: str, isolation: str) -> dict:
    """Expected records by partition, without the CRCs. In *torn* only the topics it touched."""
    kept = golden.records(which, isolation) if which != "torn" else golden.records("torn")
    for records in kept.values():
        for record in records:
            record.pop("value_crc32c", None)
    return kept


def partitions(which: str):
    """(topic, partition, its expected offsets) of every g.* partition."""
    for topic, described in sorted(golden.document(which, "topics.json").items()):
        if topic.startswith("g."):
            for one in described["partitions"]:
                yield topic, one["partition"], one


@pytest.mark.parametrize("isolation", ["read_uncommitted", "read_committed"])
def test_records(opened, isolation):
    import ringlog

    which, address, _ = opened
    if which == "torn" and isolation == "read_committed":
        pytest.skip("the expected files of torn list read_uncommitted only")
    expected = expected_records(which, isolation)
    consumer = ringlog.KafkaConsumer(
        bootstrap_servers=address, enable_auto_commit=False, isolation_level=isolation
    )
    for topic, partition, _ in partitions(which):
        assert read_all(consumer, topic, partition) == expected.pop((topic, partition), [])
    assert expected == {}
    consumer.close()


def test_topics_and_offsets(opened, consumer):
    import ringlog

    which, address, _ = opened
    committed = ringlog.KafkaConsumer(
        bootstrap_servers=address, enable_auto_commit=False, isolation_level="read_committed"
    )
    for topic, partition, offsets in partitions(which):
        one = ringlog.TopicPartition(topic, partition)
        assert consumer.beginning_offsets([one])[one] == offsets["start_offset"], one
        assert consumer.end_offsets([one])[one] == offsets["end_offset"], one
        assert committed.end_offsets([one])[one] == offsets["last_stable_offset"], one
    committed.close()
    if which != "torn":
        listed = golden.document(which, "topics.json")
        names = {name for name in listed if name.startswith("g.")}
        assert {name for name in consumer.topics() if name.startswith("g.")} == names
        for name in names:
            assert len(consumer.partitions_for_topic(name)) == listed[name]["partition_count"]


def test_configs(opened):
    import ringlog
    from ringlog.admin import ConfigResource, ConfigResourceType

    which, address, _ = opened
    admin = ringlog.KafkaAdminClient(bootstrap_servers=address)
    for topic, described in golden.document(which, "topics.json").items():
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        found = admin.describe_configs([resource], config_filter="all")["topic"][topic]
        own = {
            name: one["value"]
            for name, one in found.items()
            if one["config_source"] == "DYNAMIC_TOPIC_CONFIG"
        }
        assert own == described["configs"], topic
    admin.close()


def test_offsets_for_times(opened, consumer):
    from ringlog import TopicPartition

    which = opened[0]
    touched = {topic for topic, _, _ in partitions(which)}
    source = "killed" if which == "torn" else which
    cut = {"g.late", "g.leader-epochs"} if which == "torn" else set()
    asked = 0
    for line in golden.lines(source, "offsets_for_times.jsonl"):
        if line["topic"] not in touched - cut:
            continue
        one = TopicPartition(line["topic"], line["partition"])
        found = consumer.offsets_for_times({one: line["query_timestamp"]})[one]
        answer = (-1, -1) if found is None else (found.offset, found.timestamp)
        assert answer == (line["offset"], line["timestamp"]), line
        if found is not None:
            assert found.leader_epoch == line["leader_epoch"], line
        asked += 1
    assert asked > 100


def test_group_offsets(opened):
    import ringlog

    which, address, _ = opened
    admin = ringlog.KafkaAdminClient(bootstrap_servers=address)
    groups = golden.document("killed" if which == "torn" else which, "offsets.json")
    for name, group in groups.items():
        if group["type"] == "Share":  # kept, not served
            continue
        found = {
            f"{one.topic}-{one.partition}": {
                "offset": at.offset,
                "leader_epoch": None if at.leader_epoch in (None, -1) else at.leader_epoch,
                "metadata": at.metadata,
            }
            for one, at in admin.list_group_offsets([name])[name].items()
        }
        assert found == group["offsets"], name
    assert admin.list_group_offsets(["g-deleted"])["g-deleted"] == {}
    admin.close()


def test_closing_and_opening_again_changes_nothing(opened):
    import ringlog

    which, address, settings = opened
    expected = expected_records(which, "read_uncommitted")
    for _ in range(2):
        ringlog.close(address)
        ringlog.open(address, config=settings)
    consumer = ringlog.KafkaConsumer(bootstrap_servers=address, enable_auto_commit=False)
    for topic, partition, offsets in partitions(which):
        one = ringlog.TopicPartition(topic, partition)
        assert consumer.end_offsets([one])[one] == offsets["end_offset"], one
        assert read_all(consumer, topic, partition) == expected.get((topic, partition), []), one
    consumer.close()
