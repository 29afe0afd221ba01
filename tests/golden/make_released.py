#!/usr/bin/env python3
"""Makes the directories of a released format: tests/golden/released/NAME-{clean,unclean}.tar.xz.

Usage: make_released.py NAME (with build/python in PYTHONPATH). Once, before a release that changes
what lies on the disk; what was released stays as it is. Beside each archive lies NAME-*.json: what
a reader must find in it, taken from what was written, not from what ringlog reads. The unclean one
was left by SIGKILL: all of it is in the journal, with a log start that was moved, a topic that was
removed and one that was made again.
"""

import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
T0 = 1_700_000_000_000  # milliseconds; retention is switched off
PARTITIONS = 2


def text(data):
    return None if data is None else data.decode("latin-1")


class Writer:
    """Writes through the Python module and keeps what a reader must find."""

    def __init__(self, address: str):
        import ringlog

        self.ringlog, self.address = ringlog, address
        ringlog.open(address, config={"log.retention.ms": "-1"})
        self.admin = ringlog.KafkaAdminClient(bootstrap_servers=address)
        self.expected = {"topics": {}, "groups": {}, "configs": {}}

    def make(self, topic: str, configs=None):
        from ringlog.admin import NewTopic

        self.admin.create_topics([NewTopic(topic, PARTITIONS, 1, topic_configs=configs or {})])
        self.expected["configs"][topic] = configs or {}
        self.expected["topics"][topic] = [{"start": 0, "records": []} for _ in range(PARTITIONS)]

    def remove(self, topic: str):
        self.admin.delete_topics([topic])
        for known in ("topics", "configs"):
            del self.expected[known][topic]

    def fill(self, topic: str, codec=None, count: int = 20):
        producer = self.ringlog.KafkaProducer(
            bootstrap_servers=self.address, compression_type=codec, linger_ms=50
        )
        futures = []
        for number in range(count):
            to = number % PARTITIONS
            records = self.expected["topics"][topic][to]["records"]
            key = (None, b"", b"key %d" % number)[number % 3]
            value = b"value %d " % number * (number % 7)
            if key and number % 2:
                value = None
            headers = [("h", b"\xff\0")] * (number % 2)
            at = T0 + len(records) * 1000
            futures.append(
                producer.send(topic, value, key, headers, partition=to, timestamp_ms=at)
            )
            kept = [[name, text(content)] for name, content in headers]
            records.append([len(records), at, text(key), text(value), kept])
        producer.flush()
        for future in futures:
            future.get(timeout=10)
        producer.close()

    def move_start(self, topic: str, partition: int, start: int):
        self.admin.delete_records({self.ringlog.TopicPartition(topic, partition): start})
        known = self.expected["topics"][topic][partition]
        known["start"] = start
        known["records"] = [record for record in known["records"] if record[0] >= start]

    def commit(self, group: str, topic: str, offset: int):
        one = self.ringlog.TopicPartition(topic, 0)
        consumer = self.ringlog.KafkaConsumer(bootstrap_servers=self.address, group_id=group)
        consumer.assign([one])
        consumer.commit({one: self.ringlog.OffsetAndMetadata(offset, "note")})
        consumer.close()
        self.expected["groups"][group] = [topic, 0, offset]


def write(directory: Path, how: str, expected_file: Path):
    writer = Writer(f"file:{directory}")
    for codec in (None, "gzip", "snappy", "lz4", "zstd"):
        writer.make(f"t.{codec}", {"segment.bytes": "1048576"} if codec is None else None)
        writer.fill(f"t.{codec}", codec)
    writer.make("t.moved")
    writer.fill("t.moved", count=40)
    writer.move_start("t.moved", 0, 7)
    writer.make("t.removed")
    writer.fill("t.removed")
    writer.remove("t.removed")
    writer.make("t.again")
    writer.fill("t.again", count=30)
    writer.remove("t.again")
    writer.make("t.again")
    writer.fill("t.again", count=10)
    writer.commit("group", "t.None", 3)
    writer.fill("t.None", "lz4")
    expected_file.write_text(json.dumps(writer.expected, indent=1) + "\n")
    if how == "unclean":
        os.kill(os.getpid(), signal.SIGKILL)
    writer.admin.close()
    writer.ringlog.close(f"file:{directory}")


def pack(directory: Path, archive: Path):
    """Without owners and times; journals are mostly zeros, which cost nothing."""
    with tarfile.open(archive, "w:xz", preset=9) as target:
        for file in sorted(directory.rglob("*")):
            entry = tarfile.TarInfo(str(Path("data") / file.relative_to(directory)))
            if file.is_dir():
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                target.addfile(entry)
            else:
                content = file.read_bytes()
                entry.size, entry.mode = len(content), 0o644
                target.addfile(entry, io.BytesIO(content))


def main(name: str):
    (HERE / "released").mkdir(exist_ok=True)
    for how in ("clean", "unclean"):
        with tempfile.TemporaryDirectory() as scratch:
            directory = Path(scratch) / "data"
            expected = HERE / "released" / f"{name}-{how}.json"
            command = [sys.executable, __file__, "--write", directory, how, expected]
            subprocess.run(command, timeout=120)
            pack(directory, HERE / "released" / f"{name}-{how}.tar.xz")


if __name__ == "__main__":
    if sys.argv[1] == "--write":
        write(Path(sys.argv[2]), sys.argv[3], Path(sys.argv[4]))
    else:
        main(sys.argv[1])
