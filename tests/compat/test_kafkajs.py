"""`ringlog serve` and kafkajs: every JavaScript block of the documents, each in its own process."""

import json
import os
import struct
import subprocess
import sys
from pathlib import Path

import golden
import kafka_clients
import kafkajs_module
import pytest
from confluent_kafka.admin import NewTopic
from kafkajs_cases import CASES, TRANSACTIONAL
from served import Served

RUNNER = Path(__file__).resolve().parent / "kafkajs" / "run_block.js"
BLOCK_SECONDS_MAX = 180
ATTRIBUTES_AT, PRODUCER_ID_AT = 21, 43  # in a batch of format 2
GZIP, CODEC_MASK = 1, 7


@pytest.fixture(scope="session")
def node_path() -> Path:
    """Where kafkajs is installed; skipped where there is no Node.js."""
    try:
        return kafkajs_module.node_path()
    except kafkajs_module.NodeUnavailable as unavailable:
        pytest.skip(f"kafkajs cannot run: {unavailable}")


@pytest.fixture(scope="session")
def blocks(tmp_path_factory) -> Path:
    """The folder of the blocks, extracted by the documents' own program."""
    try:
        program = golden.folder().parent / "documents" / "blocks"
    except golden.GoldenMissing as missing:
        pytest.skip(str(missing))
    folder = tmp_path_factory.mktemp("blocks")
    subprocess.run([sys.executable, program, "javascript", folder], check=True, capture_output=True)
    return folder


def run_block(node_path: Path, block: Path, bootstrap: str) -> tuple[list[str], list[str]]:
    """The lines that the block printed, and what kafkajs complained of."""
    ran = subprocess.run(
        [kafkajs_module.program("node"), "--no-warnings", RUNNER, block, bootstrap],
        env={**os.environ, "NODE_PATH": str(node_path), "KAFKAJS_NO_PARTITIONER_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=BLOCK_SECONDS_MAX,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout.splitlines(), [complaint_of(line) for line in ran.stderr.splitlines()]


def complaint_of(line: str) -> str:
    """The error of an entry of kafkajs' log; other lines as they are."""
    if not line.startswith("{"):
        return line
    entry = json.loads(line)["log"]
    return entry.get("error", entry["message"])


def prepare(case, bootstrap: str):
    """What the block finds: topics, records, groups that begin at the start."""
    if case.topics:
        topics = [NewTopic(name, count, 1) for name, count in case.topics.items()]
        kafka_clients.create_topics(bootstrap, *topics)
    kafka_clients.produce(bootstrap, case.given)
    for group, topics in case.at_start.items():
        offsets = {(name, number): 0 for name in topics for number in range(case.topics[name])}
        kafka_clients.commit(bootstrap, group, offsets)


def records_of(bootstrap: str, topic: str) -> list:
    """[(partition, key, value, headers)] by partition and offset; offsets have no gap."""
    found = []
    listed = kafka_clients.admin(bootstrap).list_topics(topic, timeout=BLOCK_SECONDS_MAX)
    for partition in sorted(listed.topics[topic].partitions):
        read = kafka_clients.read_partition(bootstrap, topic, partition)
        assert [record[0] for record in read] == list(range(len(read)))
        found += [(partition, key, value, headers) for _, _, key, value, headers in read]
    return found


def decoded(record, wanted):
    """The record with its value from JSON, unless bytes are wanted."""
    partition, key, value, headers = record
    return partition, key, value if type(wanted[2]) is bytes else json.loads(value), headers


def compare_records(case, bootstrap: str):
    for topic, added in case.added.items():
        found = records_of(bootstrap, topic)
        before = [(record[1], *record[2:]) for record in case.given if record[0] == topic]
        assert found[: len(before)] == before
        found = found[len(before) :]
        assert len(found) == len(added)
        pairs = zip(found, added, strict=True)
        assert [decoded(record, wanted) for record, wanted in pairs] == added
    for topic in set(case.topics) - set(case.added):
        count = sum(name == topic for name, *_ in case.given)
        assert len(records_of(bootstrap, topic)) == count


def test_every_block_has_a_case(blocks):
    assert {path.stem for path in blocks.glob("*.js")} == {*CASES, TRANSACTIONAL}


@pytest.mark.parametrize("name", sorted(CASES))
def test_block(name, node_path, blocks, tmp_path):
    case = CASES[name]
    with Served(tmp_path / "data") as server:
        prepare(case, server.bootstrap)
        block = blocks / f"{name}.js"
        printed, complaints = run_block(node_path, block, server.bootstrap)
        assert set(complaints) <= case.complaints
        in_order = sorted if case.in_any_order else list
        assert in_order(printed) == in_order(case.printed)
        compare_records(case, server.bootstrap)
        for group, offsets in case.committed.items():
            assert kafka_clients.committed(server.bootstrap, group) == offsets
    if name in BATCH_CHECKS:
        BATCH_CHECKS[name](tmp_path / "data" / "log" / "orders-0" / f"{0:020}.log")


def test_a_transaction_is_refused_at_once(node_path, blocks):
    topics = ["orders", "inventory", "payments"]
    with Served("memory:") as server:
        kafka_clients.create_topics(server.bootstrap, *(NewTopic(name, 1, 1) for name in topics))
        block = blocks / f"{TRANSACTIONAL}.js"
        printed, complaints = run_block(node_path, block, server.bootstrap)
        assert complaints == ["Transactional Id authorization failed"]
        assert printed == ["Failed to find group coordinator"]
        assert [records_of(server.bootstrap, topic) for topic in topics] == [[], [], []]


def is_compressed(segment: Path):
    (attributes,) = struct.unpack_from(">h", segment.read_bytes(), ATTRIBUTES_AT)
    assert attributes & CODEC_MASK == GZIP


def is_idempotent(segment: Path):
    producer_id, _, sequence = struct.unpack_from(">qhi", segment.read_bytes(), PRODUCER_ID_AT)
    assert (producer_id >= 0, sequence) == (True, 0)


BATCH_CHECKS = {"002_10": is_compressed, "002_11": is_idempotent}  # of the only batch
