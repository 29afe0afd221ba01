"""Shapes in which programs use a Kafka client, on ours."""

import json
import queue
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from conftest import empty_log, produce, rest
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from ringlog.admin import KafkaAdminClient

PROGRAMS = Path(__file__).parent / "programs"
WAIT_SECONDS_MAX = 120


def start(program, *arguments):
    return subprocess.Popen(
        [sys.executable, str(PROGRAMS / program), *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


# ---- a pandas ingestion loop


def test_pandas_ingestion(anywhere):
    pandas = pytest.importorskip("pandas")
    measured = pandas.DataFrame(
        {
            "device": [f"device-{number % 7}" for number in range(1000)],
            "degrees": [number / 10 for number in range(1000)],
            "when": pandas.date_range("2026-01-01", periods=1000, freq="s").astype(str),
        }
    )
    with KafkaProducer(bootstrap_servers=anywhere, key_serializer=str.encode) as producer:
        for begin in range(0, len(measured), 250):
            chunk = measured.iloc[begin : begin + 250]
            lines = chunk.to_json(orient="records", lines=True).splitlines()
            for device, line in zip(chunk["device"], lines):
                producer.send("measured", line.encode(), key=device)
            producer.flush()

    chunks = []
    with KafkaConsumer(
        "measured",
        bootstrap_servers=anywhere,
        group_id="ingest",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
        value_deserializer=json.loads,
    ) as consumer:
        while sum(map(len, chunks)) < len(measured):
            polled = consumer.poll(timeout_ms=1000, max_records=200)
            records = [record for records in polled.values() for record in records]
            if records:
                chunks.append(pandas.DataFrame([record.value for record in records]))
                consumer.commit()  # once the chunk is where it belongs
        committed = consumer.committed(TopicPartition("measured", 0))
    pandas.testing.assert_frame_equal(pandas.concat(chunks, ignore_index=True), measured)
    assert committed == len(measured)


# ---- threaded consumers with a queue


class QueueWorkers:
    """One thread polls; others take records from a bounded queue. What is finished without a gap
    is committed by the thread that polls, the only one that touches the consumer.
    """

    def __init__(self, consumer, handle, threads=4, room=50):
        self.consumer, self.handle = consumer, handle
        self.queue = queue.Queue(room)
        self.finished = {}  # partition -> offsets that are done and not committed
        self.next = {}  # partition -> the first offset that is not committed
        self.lock = threading.Lock()
        self.threads = [threading.Thread(target=self._work) for _ in range(threads)]

    def run(self, until):
        for thread in self.threads:
            thread.start()
        while not until():
            for partition, records in self.consumer.poll(timeout_ms=100).items():
                self.next.setdefault(partition, records[0].offset)
                for record in records:
                    self.queue.put(record)  # waits for room: that is the back-pressure
            self._commit()
        for _ in self.threads:
            self.queue.put(None)
        for thread in self.threads:
            thread.join()
        self._commit()

    def _work(self):
        while (record := self.queue.get()) is not None:
            self.handle(record)
            with self.lock:
                done = self.finished.setdefault(TopicPartition(*record[:2]), set())
                done.add(record.offset)

    def _commit(self):
        ready = {}
        with self.lock:
            for partition, done in self.finished.items():
                while self.next[partition] in done:
                    done.remove(self.next[partition])
                    self.next[partition] += 1
                    ready[partition] = OffsetAndMetadata(self.next[partition], "", -1)
        if ready:
            self.consumer.commit(ready)


def test_threaded_consumers_with_a_queue(anywhere):
    with KafkaAdminClient(bootstrap_servers=anywhere) as admin:
        admin.create_topics({"tasks": {"num_partitions": 3}})
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        produce(producer, "tasks", *[b"%d" % number for number in range(600)])
    handled = []
    with KafkaConsumer(
        "tasks",
        bootstrap_servers=anywhere,
        group_id="workers",
        auto_offset_reset="earliest",
        enable_auto_commit=False,
    ) as consumer:
        workers = QueueWorkers(consumer, handled.append)
        workers.run(until=lambda: len(handled) == 600)
        committed = [consumer.committed(TopicPartition("tasks", number)) for number in range(3)]
        ends = consumer.end_offsets([TopicPartition("tasks", number) for number in range(3)])
    assert sorted(int(record.value) for record in handled) == list(range(600))
    assert committed == list(ends.values())


# ---- graceful shutdown by signal


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_a_worker_between_two_records(number, tmp_path):
    served = empty_log("served", tmp_path)
    with served as address, KafkaProducer(bootstrap_servers=address) as producer:
        produce(producer, "orders", *[b"order %d" % number for number in range(5)])
        worker = start("graceful_worker.py", address)
        first = [worker.stdout.readline() for _ in range(5)]
        worker.send_signal(number)  # it waits for the next record
        out, err = worker.communicate(timeout=WAIT_SECONDS_MAX)
        assert (worker.returncode, out) == (0, "closed\n"), err
        assert first == [f"order {number}\n" for number in range(5)]

        produce(producer, "orders", b"order 5")
        with KafkaConsumer(
            "orders", bootstrap_servers=address, group_id="billing", consumer_timeout_ms=1000
        ) as consumer:
            # It left the group, so this one need not wait for its session to end, and goes on.
            assert [record.value for record in rest(consumer)] == [b"order 5"]
