"""A log that is written, read, committed, cut by retention and given new topics for a long time.

Usage: soak.py MINUTES [DIR]. Prints what the process uses; ends with 1 when that grows: memory or
descriptors in the last third of the time beyond what they were in the second, or the journal or
the segments beyond their bounds.
"""

import os
import shutil
import sys
import tempfile
import threading
import time
from dataclasses import astuple, dataclass, fields
from pathlib import Path

import ringlog
from ringlog import KafkaConsumer, KafkaProducer
from ringlog.admin import KafkaAdminClient, NewTopic

TOPIC, PARTITIONS = "soak", 16
SEGMENT_BYTES, RETENTION_BYTES = 1 << 20, 4 << 20
RECORD_BYTES, RECORDS_PER_SECOND = 1024, 40_000
JOURNAL_BYTES_MAX = 256 << 20
SETTINGS = (
    "log.initial.task.delay.ms=500&log.retention.check.interval.ms=500"
    "&offsets.topic.num.partitions=4"
)
CONFIGS = {
    "segment.bytes": str(SEGMENT_BYTES),
    "retention.bytes": str(RETENTION_BYTES),
    "file.delete.delay.ms": "500",
}
# Retention runs behind: what half a second brings, twice, and the files that are being removed.
LOG_BYTES_MAX = PARTITIONS * (RETENTION_BYTES + 2 * SEGMENT_BYTES) + 4 * RECORD_BYTES * (
    RECORDS_PER_SECOND
)
MEMORY_SLACK, DESCRIPTORS_SLACK = 16 << 20, 16


@dataclass
class Sample:
    memory: int
    descriptors: int
    journal: int
    log: int


def bytes_below(folder: Path) -> int:
    total = 0
    for parent, _, names in os.walk(folder):  # which passes over what retention takes meanwhile
        for name in names:
            try:
                total += os.stat(os.path.join(parent, name)).st_size
            except FileNotFoundError:
                pass
    return total


def take_sample(folder: Path) -> Sample:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return Sample(
        memory=pages * 4096,
        descriptors=len(list(Path("/proc/self/fd").iterdir())),
        journal=bytes_below(folder / "journal"),
        log=bytes_below(folder / "log"),
    )


class Soak:
    def __init__(self, folder: Path, seconds: float):
        self.folder, self.end = folder, time.monotonic() + seconds
        self.address = f"file:{folder}?{SETTINGS}"
        self.failures = []
        self.sent = self.consumed = self.topics = 0

    def goes_on(self) -> bool:
        return time.monotonic() < self.end and not self.failures

    def guarded(self, work):
        def run():
            try:
                work()
            except Exception as failure:  # the main thread names it
                self.failures.append(failure)

        return threading.Thread(target=run)

    def produce(self):
        with KafkaProducer(bootstrap_servers=self.address) as producer:
            began = time.monotonic()
            while self.goes_on():
                value = b"%016d" % self.sent + bytes(RECORD_BYTES - 16)
                last = producer.send(TOPIC, value)
                self.sent += 1
                if self.sent % 1000 == 0:
                    last.get(timeout=60)
                    ahead = self.sent / RECORDS_PER_SECOND - (time.monotonic() - began)
                    time.sleep(max(0.0, ahead))

    def consume(self):
        with KafkaConsumer(
            TOPIC, bootstrap_servers=self.address, group_id="soak", auto_offset_reset="earliest"
        ) as consumer:
            while self.goes_on():
                found = consumer.poll(timeout_ms=200)
                self.consumed += sum(len(records) for records in found.values())
                consumer.commit()

    def come_and_go(self):
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        with KafkaProducer(bootstrap_servers=self.address) as producer:
            while self.goes_on():
                name = f"passing-{self.topics}"
                admin.create_topics([NewTopic(name, 3, 1, topic_configs=CONFIGS)])
                for number in range(30):
                    producer.send(name, bytes(1000), partition=number % 3)
                producer.flush(timeout=60)
                admin.delete_topics([name])
                self.topics += 1
                time.sleep(0.3)
        admin.close()

    def work(self) -> list[Sample]:
        admin = KafkaAdminClient(bootstrap_servers=self.address)
        admin.create_topics([NewTopic(TOPIC, PARTITIONS, 1, topic_configs=CONFIGS)])
        admin.close()
        threads = [self.guarded(work) for work in (self.produce, self.consume, self.come_and_go)]
        for thread in threads:
            thread.start()
        samples = []
        while self.goes_on():
            time.sleep(min(1.0, max(0.05, (self.end - time.monotonic()) / 10)))
            samples.append(take_sample(self.folder))
        for thread in threads:
            thread.join(timeout=120)
        return samples

    def run(self) -> list[Sample]:
        ringlog.open(self.address)
        try:
            samples = self.work()
        finally:
            ringlog.close(f"file:{self.folder}")
        if self.failures:
            raise self.failures[0]
        return samples


def highest(samples: list[Sample]) -> Sample:
    return Sample(*(max(values) for values in zip(*map(astuple, samples), strict=True)))


def growth(samples: list[Sample]) -> list[str]:
    """What is not flat."""
    third = len(samples) // 3
    before, last = highest(samples[third : 2 * third]), highest(samples[2 * third :])
    found = []
    if last.memory > before.memory * 1.05 + MEMORY_SLACK:
        found.append(f"memory grows: {before.memory >> 20} MiB, then {last.memory >> 20} MiB")
    if last.descriptors > before.descriptors + DESCRIPTORS_SLACK:
        found.append(f"descriptors grow: {before.descriptors}, then {last.descriptors}")
    if highest(samples).journal > JOURNAL_BYTES_MAX + (1 << 20):
        found.append(f"the journal has {highest(samples).journal >> 20} MiB")
    if highest(samples).log > LOG_BYTES_MAX:
        found.append(
            f"the log has {highest(samples).log >> 20} MiB, at most "
            f"{LOG_BYTES_MAX >> 20} are to be expected"
        )
    return found


def main(minutes: float, folder: Path) -> int:
    soak = Soak(folder, minutes * 60)
    samples = soak.run()
    print(
        f"{soak.sent} records sent, {soak.consumed} consumed, {soak.topics} topics made and deleted"
    )
    for name, third in (("first", 0), ("second", 1), ("last", 2)):
        size = len(samples) // 3
        most = highest(samples[third * size : (third + 1) * size])
        values = ", ".join(
            f"{field.name} {value if field.name == 'descriptors' else f'{value >> 20} MiB'}"
            for field, value in zip(fields(most), astuple(most), strict=True)
        )
        print(f"{name} third, most: {values}")
    problems = growth(samples)
    for problem in problems:
        print(problem)
    if soak.consumed == 0 or soak.topics == 0:
        problems.append("nothing was done")
    return 1 if problems else 0


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    given = Path(sys.argv[2]) if len(sys.argv) == 3 else None
    made = Path(tempfile.mkdtemp(prefix="ringlog-soak-", dir=given))
    try:
        sys.exit(main(float(sys.argv[1]), made))
    finally:
        shutil.rmtree(made, ignore_errors=True)
