"""What is measured: each contender sends records of one size for some seconds, then reads them.

Sending goes in chunks so that looking at the clock costs nothing; the timed part ends when
everything sent is as safe as the contender's `durability` says.
"""

import os
import sqlite3
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

CHUNK = 10_000  # records between two looks at the clock
TRANSACTION = 1_000  # records per transaction of the stores
FLOOR_BLOCK = 1 << 20
TOPIC = "bench"


class Contender:
    """One system under measurement; `folder` is empty at first and on the disk to be measured."""

    durability = "none"
    setting = ""

    def __init__(self, folder: Path, values: list[bytes]):
        self.folder, self.values = folder, values

    def send(self, until: float) -> int:
        """Sends `values` round and round until that time.monotonic(); returns how many."""
        raise NotImplementedError

    def read(self, count: int) -> bytes:
        """Reads `count` records from the first on; returns the value of the last."""
        raise NotImplementedError

    def close(self) -> None:
        pass


def in_chunks(values: list[bytes], until: float, send_all: Callable[[list[bytes]], None]) -> int:
    sent = 0
    while time.monotonic() < until:
        send_all(values)
        sent += len(values)
    return sent


class Ringlog(Contender):
    durability = "fsync before each acknowledgement"
    setting = "defaults: acks=all, idempotent, linger 0, batch 16 KiB, no compression"

    def send(self, until: float) -> int:
        from ringlog import KafkaProducer

        producer = KafkaProducer(bootstrap_servers=f"file:{self.folder}")
        last = []

        def send_all(values: list[bytes]) -> None:
            send = producer.send
            for value in values:
                future = send(TOPIC, value)
            last.append(future)

        sent = in_chunks(self.values, until, send_all)
        producer.flush()
        assert last[-1].get(timeout=10).offset == sent - 1
        assert all(future.succeeded() for future in last)
        producer.close()
        return sent

    def consumer(self):
        from ringlog import KafkaConsumer

        return KafkaConsumer(
            TOPIC, bootstrap_servers=f"file:{self.folder}", auto_offset_reset="earliest"
        )

    def read(self, count: int) -> bytes:
        consumer = self.consumer()
        for message in islice(consumer, count):
            value = message.value
        consumer.close()
        return value

    def close(self) -> None:
        import ringlog

        ringlog.close(str(self.folder))


@contextmanager
def sink() -> Iterator[str]:
    """The broker that keeps nothing, in a process of its own; yields its address."""
    program = [sys.executable, str(Path(__file__).with_name("sink.py"))]
    process = subprocess.Popen(program, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield f"127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.stdin.close()
        process.wait(timeout=10)


class KafkaPython(Contender):
    setting = "defaults, against a sink on loopback that keeps nothing: the client's cost alone"

    def __init__(self, folder: Path, values: list[bytes]):
        super().__init__(folder, values)
        self.sink = sink()
        self.address = self.sink.__enter__()

    def send(self, until: float) -> int:
        from kafka import KafkaProducer

        producer = KafkaProducer(bootstrap_servers=self.address)

        def send_all(values: list[bytes]) -> None:
            for value in values:
                producer.send(TOPIC, value)

        sent = in_chunks(self.values[:1000], until, send_all)
        producer.flush()
        producer.close()
        return sent

    def read(self, count: int) -> bytes:
        from kafka import KafkaConsumer

        consumer = KafkaConsumer(
            TOPIC, bootstrap_servers=self.address, auto_offset_reset="earliest"
        )
        for message in islice(consumer, count):
            value = message.value
        consumer.close()
        return value

    def close(self) -> None:
        self.sink.__exit__(None, None, None)


class ConfluentKafka(KafkaPython):
    setting = (
        "produce() and consume(10000), defaults but fetch.queue.backoff.ms=2 (by default its "
        "reading pauses a second when its queue is full), against the same sink: the client's "
        "cost alone"
    )

    def send(self, until: float) -> int:
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.address})
        failed = []

        def delivered(error, _message) -> None:
            if error is not None:
                failed.append(error)

        def send_all(values: list[bytes]) -> None:
            for value in values:
                try:
                    producer.produce(TOPIC, value, on_delivery=delivered)
                except BufferError:  # its queue is full: wait, then once more
                    producer.poll(0.05)
                    producer.produce(TOPIC, value, on_delivery=delivered)
            producer.poll(0)

        sent = in_chunks(self.values, until, send_all)
        assert producer.flush(60) == 0 and not failed, failed[:1]
        return sent

    def read(self, count: int) -> bytes:
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {
                "bootstrap.servers": self.address,
                "group.id": "bench",
                "enable.auto.commit": False,
                "fetch.queue.backoff.ms": 2,
            }
        )
        consumer.assign([TopicPartition(TOPIC, 0, 0)])
        got = 0
        while got < count:
            messages = consumer.consume(CHUNK, timeout=10)
            assert messages, "the sink went silent"
            for message in messages:
                value = message.value()
            got += len(messages)
        consumer.close()
        return value


class Sqlite(Contender):
    durability = "fsync per transaction"
    setting = f"WAL, synchronous=FULL, {TRANSACTION} records per transaction"

    def __init__(self, folder: Path, values: list[bytes]):
        super().__init__(folder, values)
        self.db = sqlite3.connect(folder / "log.db", isolation_level=None)
        self.db.execute("PRAGMA journal_mode=WAL")
        self.db.execute("PRAGMA synchronous=FULL")
        self.db.execute("CREATE TABLE log (position INTEGER PRIMARY KEY, value BLOB)")

    def send(self, until: float) -> int:
        rows = [(value,) for value in self.values]

        def send_all(_values: list[bytes]) -> None:
            for first in range(0, len(rows), TRANSACTION):
                self.db.execute("BEGIN")
                self.db.executemany(
                    "INSERT INTO log (value) VALUES (?)", rows[first : first + TRANSACTION]
                )
                self.db.execute("COMMIT")

        return in_chunks(self.values, until, send_all)

    def read(self, count: int) -> bytes:
        rows = self.db.execute("SELECT value FROM log ORDER BY position")
        for (value,) in islice(rows, count):
            last = value
        return last

    def close(self) -> None:
        self.db.close()


class Lmdb(Contender):
    durability = "fsync per transaction"
    setting = f"sync, append, 8-byte keys, {TRANSACTION} records per transaction"

    def __init__(self, folder: Path, values: list[bytes]):
        import lmdb

        super().__init__(folder, values)
        self.env = lmdb.open(str(folder), map_size=64 << 30, max_readers=2)

    def send(self, until: float) -> int:
        position = 0
        pack = struct.Struct(">Q").pack

        def send_all(values: list[bytes]) -> None:
            nonlocal position
            for first in range(0, len(values), TRANSACTION):
                with self.env.begin(write=True) as transaction:
                    for value in values[first : first + TRANSACTION]:
                        transaction.put(pack(position), value, append=True)
                        position += 1

        return in_chunks(self.values, until, send_all)

    def read(self, count: int) -> bytes:
        with self.env.begin() as transaction, transaction.cursor() as cursor:
            for value in islice(cursor.iternext(keys=False, values=True), count):
                last = value
        return last

    def close(self) -> None:
        self.env.close()


class Floor(Contender):
    """No log at all: the same bytes, joined, written and synced; read back and sliced."""

    durability = "fdatasync per 1 MiB"
    setting = "values joined into blocks of 1 MiB; no keys, no checksums, no index"

    def send(self, until: float) -> int:
        size = len(self.values[0])
        per_block = FLOOR_BLOCK // size
        descriptor = os.open(self.folder / "floor", os.O_CREAT | os.O_WRONLY)
        self.last = self.values[(per_block - 1) % len(self.values)]
        block = [self.values[i % len(self.values)] for i in range(per_block)]

        def send_all(values: list[bytes]) -> None:
            os.write(descriptor, b"".join(values))
            os.fdatasync(descriptor)

        sent = in_chunks(block, until, send_all)
        os.close(descriptor)
        return sent

    def read(self, count: int) -> bytes:
        size = len(self.values[0])
        per_block = FLOOR_BLOCK // size
        with open(self.folder / "floor", "rb", buffering=0) as file:
            for _ in range(count // per_block):
                block = file.read(per_block * size)
                for first in range(0, len(block), size):
                    value = block[first : first + size]
        return value


CONTENDERS = {
    "ringlog": Ringlog,
    "kafka-python": KafkaPython,
    "confluent-kafka": ConfluentKafka,
    "sqlite": Sqlite,
    "lmdb": Lmdb,
    "floor": Floor,
}
