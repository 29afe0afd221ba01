"""Every Python block of the documents runs as it stands, each in a process of its own."""

import json
import pathlib
import subprocess
import sys

import pytest
import ringlog
from conftest import shared_folder
from document_cases import CASES
from ringlog.admin import KafkaAdminClient
from ringlog.consumer import KafkaConsumer
from ringlog.structs import TopicPartition

RUNNER = pathlib.Path(__file__).with_name("run_block.py")


@pytest.fixture(scope="module")
def blocks(tmp_path_factory):
    """The folder of the blocks, extracted by the documents' own program."""
    folder = tmp_path_factory.mktemp("blocks")
    extract = shared_folder("documents") / "blocks"
    subprocess.run([sys.executable, extract, "python", folder], check=True, capture_output=True)
    return folder


def test_every_block_has_a_case(blocks):
    assert {path.stem for path in blocks.glob("*.py")} == set(CASES)


@pytest.mark.parametrize("name", sorted(CASES))
def test_block(name, blocks, tmp_path):
    case = CASES[name]
    address = f"file:{tmp_path}/log"
    done = subprocess.run(
        [sys.executable, "-X", "utf8", RUNNER, blocks / f"{name}.py", address],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    in_order = sorted if case.in_any_order else list
    assert in_order(done.stdout.splitlines()) == in_order(case.printed)
    try:
        compare_log(case, address)
    finally:
        ringlog.close(address)


def compare_log(case, address):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        topics = {topic for topic in admin.list_topics() if not topic.startswith("__")}
        assert topics == set(case.records)
        groups = {group["group_id"] for group in admin.list_groups()}
        assert groups == set(case.committed)
        for group, offsets in case.committed.items():
            found = admin.list_consumer_group_offsets(group)
            assert {tuple(tp): committed.offset for tp, committed in found.items()} == offsets
    for topic, wanted in case.records.items():
        found = read(topic, address, raw=any(type(value) is bytes for _, _, value, _ in wanted))
        if case.in_any_order:
            found, wanted = sorted(found, key=repr), sorted(wanted, key=repr)
        assert found == wanted


def read(topic, address, raw):
    """[(partition, key, value, headers)] by partition and offset; values from JSON unless raw."""
    with KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=200) as consumer:
        partitions = [
            TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))
        ]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        ends = consumer.end_offsets(partitions)
        records = []
        while any(consumer.position(tp) < ends[tp] for tp in partitions):
            records.append(next(consumer))
    return [
        (
            record.partition,
            record.key,
            record.value if raw else json.loads(record.value),
            record.headers,
        )
        for record in sorted(records, key=lambda record: (record.partition, record.offset))
    ]
