"""The program `ringlog` as the Python tests use it, and what they look at around it."""

import json
import subprocess

import pytest
from conftest import TOP
from ringlog import KafkaConsumer, TopicPartition

PROGRAM = TOP / "build" / "ringlog"

needs_program = pytest.mark.skipif(not PROGRAM.exists(), reason="no build/ringlog: ./x build")


def run(command, *arguments):
    """`ringlog COMMAND --json`: (exit status, what it says, or its error)."""
    done = subprocess.run(
        [PROGRAM, command, "--json", *arguments], capture_output=True, text=True, timeout=60
    )
    return done.returncode, json.loads(done.stdout) if done.stdout else done.stderr


def check(directory, *options):
    return run("check", *options, directory)


def contents(directory):
    """Every file's bytes. Not of a directory that this process has open: see its `.lock`."""
    files = (file for file in sorted(directory.rglob("*")) if file.is_file())
    return {file.relative_to(directory): file.read_bytes() for file in files}


def values(address, topic, partition=0):
    """The values of all records of a partition that has each offset from 0 on."""
    one = TopicPartition(topic, partition)
    with KafkaConsumer(bootstrap_servers=address) as consumer:
        consumer.assign([one])
        consumer.seek_to_beginning(one)
        records = []
        while len(records) < consumer.end_offsets([one])[one]:
            records += consumer.poll(timeout_ms=5000).get(one, [])
    assert [record.offset for record in records] == list(range(len(records)))
    return [record.value for record in records]
