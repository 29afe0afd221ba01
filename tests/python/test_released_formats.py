"""A directory of each released format opens with every record: tests/golden/make_released.py."""

import json
import tarfile
from pathlib import Path

import pytest
import ringlog
from ringlog import KafkaAdminClient, KafkaConsumer, TopicPartition
from ringlog.admin import ConfigResource, ConfigResourceType
from ringlog_program import check, needs_program

RELEASED = Path(__file__).resolve().parents[1] / "golden" / "released"
ARCHIVES = sorted(RELEASED.glob("*.tar.xz"))
SETTINGS = {"log.retention.ms": "-1"}


def test_there_are_some():
    assert {file.name.split("-")[-1] for file in ARCHIVES} == {"clean.tar.xz", "unclean.tar.xz"}
    assert all(file.stat().st_size < 200 * 1024 for file in ARCHIVES)


@pytest.fixture(params=ARCHIVES, ids=lambda file: file.name.removesuffix(".tar.xz"))
def unpacked(request, tmp_path):
    """(the directory, what must be in it)."""
    with tarfile.open(request.param) as archive:
        archive.extractall(tmp_path, filter="data")
    expected = request.param.with_name(request.param.name.replace(".tar.xz", ".json"))
    return tmp_path / "data", json.loads(expected.read_text())


def text(data):
    return None if data is None else data.decode("latin-1")


def read(address: str, expected: dict) -> dict:
    """What is there, in the shape of the expected file."""
    found = {"topics": {}, "groups": {}, "configs": {}}
    consumer = KafkaConsumer(bootstrap_servers=address)
    for topic in sorted(name for name in consumer.topics() if not name.startswith("__")):
        found["topics"][topic] = [
            partition_of(consumer, TopicPartition(topic, number))
            for number in sorted(consumer.partitions_for_topic(topic))
        ]
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=address)
    for group in expected["groups"]:
        for one, at in admin.list_group_offsets([group])[group].items():
            found["groups"][group] = [one.topic, one.partition, at.offset]
    for topic in found["topics"]:
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        described = admin.describe_configs([resource])["topic"][topic]
        found["configs"][topic] = {name: one["value"] for name, one in described.items()}
    admin.close()
    return found


def partition_of(consumer, one) -> dict:
    consumer.assign([one])
    consumer.seek_to_beginning(one)
    start, end = consumer.beginning_offsets([one])[one], consumer.end_offsets([one])[one]
    records = []
    while consumer.position(one) < end:
        for record in consumer.poll(timeout_ms=5000).get(one, []):
            headers = [[name, text(content)] for name, content in record.headers]
            content = [text(record.key), text(record.value), headers]
            records.append([record.offset, record.timestamp, *content])
    return {"start": start, "records": records}


def test_everything_is_there(unpacked):
    directory, expected = unpacked
    address = f"file:{directory}"
    for _ in range(2):  # and after a clean close
        ringlog.open(address, config=SETTINGS)
        assert read(address, expected) == expected
        ringlog.close(address)
        assert (directory / "log" / "meta.properties").exists()


@needs_program
def test_check_finds_nothing_wrong_and_all_records(unpacked):
    directory, expected = unpacked
    status, said = check(directory)
    assert (status, said["damage"], said["faults"]) == (0, 0, 0), said["findings"]
    records = {(one["topic"], one["partition"]): one for one in said["partitions"]}
    for topic, partitions in expected["topics"].items():
        for number, known in enumerate(partitions):
            end = known["records"][-1][0] + 1
            assert records[topic, number]["logEnd"] == end, (topic, number)
