"""An ordinary program of kafka-python's API, run in a process of its own.

    client_program.py MODULE BOOTSTRAP ACTION [NAME]

MODULE is `ringlog` (BOOTSTRAP an address such as file:DIR) or `kafka` (host:port): the actions are
the same, so that a directory written through one can be compared with what the other sees.
fill     creates topics of every kind and writes them; prints what was acknowledged
more     adds to some of them, commits, creates the topic NAME; prints what was acknowledged
read     prints all that there is: records, offsets, topics, configs, groups
hold     opens, prints "ready", waits for the end of standard input
"""

import base64
import importlib
import json
import random
import sys
import time

T0 = 1760000000000
FILL_SEED = 4301
READ_MS_MAX = 60_000

TOPICS = {
    "t.plain": (3, {}),
    "t.codecs": (4, {}),
    "t.empty": (2, {}),
    "t.segments-size": (1, {"segment.bytes": "1048576", "retention.ms": "-1"}),
    "t.segments-index": (
        1,
        {"segment.index.bytes": "512", "index.interval.bytes": "1", "retention.ms": "-1"},
    ),
    "t.segments-time": (1, {"segment.ms": "60000", "retention.ms": "-1"}),
    "t.logappend": (1, {"message.timestamp.type": "LogAppendTime"}),
    "t.compact": (2, {"cleanup.policy": "compact", "min.cleanable.dirty.ratio": "0.9"}),
    "t.deleted-records": (2, {}),
    "t.grown": (2, {}),
    "t.recreated": (2, {}),
    "t.removed": (1, {}),
    "t.broker-gzip": (1, {"compression.type": "gzip"}),
    "t.broker-lz4": (1, {"compression.type": "lz4"}),
    "t.broker-plain": (1, {"compression.type": "uncompressed"}),
}


class Program:
    """The actions over one client library and one address."""

    def __init__(self, module: str, bootstrap: str):
        self.kafka = importlib.import_module(module)
        self.admin_module = importlib.import_module(f"{module}.admin")
        self.errors = importlib.import_module(f"{module}.errors")
        self.bootstrap = bootstrap
        self.random = random.Random(FILL_SEED)
        self.acknowledged = []

    def admin(self):
        return self.kafka.KafkaAdminClient(bootstrap_servers=self.bootstrap)

    def producer(self, **options):
        options = {"linger_ms": 0, **options}
        return self.kafka.KafkaProducer(bootstrap_servers=self.bootstrap, **options)

    def consumer(self, **options):
        options = {"enable_auto_commit": False, "auto_offset_reset": "earliest", **options}
        return self.kafka.KafkaConsumer(bootstrap_servers=self.bootstrap, **options)

    def partition(self, topic: str, number: int):
        return self.kafka.TopicPartition(topic, number)

    def create(self, topics: dict):
        new = self.admin_module.NewTopic
        with_admin = self.admin()
        with_admin.create_topics(
            [
                new(name, count, 1, topic_configs=configs)
                for name, (count, configs) in topics.items()
            ]
        )
        with_admin.close()

    def send_all(self, records, batch: int = 0, **options):
        """Sends (topic, partition, timestamp, key, value, headers); flushes after each `batch`."""
        producer, futures = self.producer(**options), []
        for number, (topic, partition, timestamp, key, value, headers) in enumerate(records, 1):
            futures.append(
                producer.send(topic, value, key, headers, partition, timestamp_ms=timestamp)
            )
            if batch and number % batch == 0:
                producer.flush(60)
        producer.flush(60)
        for future, (_, _, timestamp, key, value, headers) in zip(futures, records):
            answer = future.get(60)
            self.acknowledged.append(
                [
                    answer.topic,
                    answer.partition,
                    answer.offset,
                    *plain(timestamp, key, value, headers),
                ]
            )
        producer.close()

    # --- actions ------------------------------------------------------------------------------

    def fill(self):
        self.create(TOPICS)
        self.send_all(self.mixture("t.plain", [0, 1, None]))
        for number, codec in enumerate(("gzip", "snappy", "lz4", "zstd")):
            self.send_all(self.mixture("t.codecs", [number]), compression_type=codec)
        self.send_all(self.mixture("t.logappend", [0]), batch=5)
        self.send_all(self.mixture("t.broker-gzip", [0]), batch=7)
        self.send_all(self.mixture("t.broker-lz4", [0]), batch=7, compression_type="zstd")
        self.send_all(self.mixture("t.broker-plain", [0]), batch=7, compression_type="snappy")
        self.send_all(self.sized("t.segments-size", 500, 8192, 1000), batch=10)
        self.send_all(self.sized("t.segments-index", 300, 40, 1000), batch=1)
        self.send_all(self.sized("t.segments-time", 60, 100, 10_000), batch=3)
        keyed = [
            ("t.compact", None, T0 + n, b"key-%d" % (n % 7), b"v%d" % n if n % 5 else None, [])
            for n in range(100)
        ]
        self.send_all(keyed, batch=4)
        for topic in ("t.deleted-records", "t.grown", "t.recreated", "t.removed"):
            self.send_all(self.mixture(topic, [0]))
        self.change_topics()
        self.send_all(self.mixture("t.recreated", [0, 1])[:9])
        self.send_all([("t.grown", 3, T0, b"new", b"partition", [])])
        self.commit_as_group("g.member", ["t.plain"], 25)
        self.commit_alone("g.simple", {("t.plain", 0): (4, "noted"), ("t.codecs", 2): (9, "")})
        print(json.dumps(self.acknowledged))

    def change_topics(self):
        admin = self.admin()
        admin.delete_topics(["t.removed", "t.recreated"])
        admin.create_partitions({"t.grown": self.admin_module.NewPartitions(4)})
        admin.delete_records({self.partition("t.deleted-records", 0): 7})
        admin.close()
        self.create({"t.recreated": (2, {"retention.ms": "999999999999"})})

    def more(self, name: str):
        self.create({name: (2, {"retention.bytes": "123456789"})})
        self.send_all(self.mixture(name, [0, 1]))
        self.send_all(self.mixture("t.plain", [0, 1, 2])[:12])
        self.send_all(self.sized("t.segments-size", 200, 8192, 1000), batch=10)
        self.send_all(self.sized("t.empty", 3, 10, 1), batch=1)
        self.commit_as_group("g.member", ["t.plain"], 5)
        self.commit_alone("g.later", {(name, 1): (2, "")})
        print(json.dumps(self.acknowledged))

    def read(self):
        consumer = self.consumer()
        names = sorted(name for name in consumer.topics() if not name.startswith("__"))
        partitions = [
            self.partition(name, number)
            for name in names
            for number in sorted(consumer.partitions_for_topic(name))
        ]
        starts, ends = consumer.beginning_offsets(partitions), consumer.end_offsets(partitions)
        found = {"partitions": {}, "groups": self.groups(), "configs": self.configs(names)}
        for one in partitions:
            found["partitions"][f"{one.topic}-{one.partition}"] = {
                "start": starts[one],
                "end": ends[one],
                "records": self.records(consumer, one, starts[one], ends[one]),
                "at": self.times(consumer, one),
            }
        consumer.close()
        print(json.dumps(found))

    def hold(self):
        consumer = self.consumer()
        consumer.topics()
        print("ready", flush=True)
        sys.stdin.read()
        consumer.close()

    # --- parts of them ------------------------------------------------------------------------

    def mixture(self, topic: str, partitions) -> list:
        """Null and empty keys and values, headers of all kinds, times out of order, a large one."""
        records = []
        for number in range(40):
            headers = [("h", b"1"), ("h", b""), ("\u00e9", b"\xff\0")][: number % 4]
            key = (None, b"", b"k%d" % number)[number % 3]
            value = (b"", None, b"v%d" % number, b"abc" * number)[number % 4]
            if key is None and value is None:  # the client refuses a record of two nulls
                value = b"only"
            if number == 20:
                value = self.random.randbytes(9600)
            timestamp = T0 + self.random.randrange(100_000)
            records.append(
                (topic, partitions[number % len(partitions)], timestamp, key, value, headers)
            )
        return records

    def sized(self, topic: str, count: int, size: int, step_ms: int) -> list:
        return [
            (topic, 0, T0 + number * step_ms, None, self.random.randbytes(size), [])
            for number in range(count)
        ]

    def commit_as_group(self, group: str, topics: list, count: int):
        consumer = self.consumer(group_id=group, max_poll_records=count)
        consumer.subscribe(topics)
        taken = 0
        while taken < count:
            polled = consumer.poll(timeout_ms=READ_MS_MAX, max_records=count - taken)
            if not polled:
                raise SystemExit(f"{group} was given no record in {READ_MS_MAX} ms")
            taken += sum(map(len, polled.values()))
        consumer.commit()
        consumer.close()

    def commit_alone(self, group: str, offsets: dict):
        consumer = self.consumer(group_id=group)
        metadata = self.kafka.OffsetAndMetadata
        wanted = {
            self.partition(*partition): metadata(offset, note, -1)
            for partition, (offset, note) in offsets.items()
        }
        consumer.assign(list(wanted))
        consumer.commit(wanted)
        consumer.close()

    def records(self, consumer, partition, start: int, end: int) -> list:
        """[offset, leader epoch, timestamp, timestamp type, key, value, headers] of each record."""
        consumer.assign([partition])
        consumer.seek(partition, start)
        found = []
        while consumer.position(partition) < end:
            polled = consumer.poll(timeout_ms=READ_MS_MAX)
            if not polled:
                raise SystemExit(f"{partition}: nothing after {consumer.position(partition)}")
            for one in polled[partition]:
                content = plain(one.timestamp, one.key, one.value, one.headers)
                found.append([one.offset, one.leader_epoch, one.timestamp_type, *content])
        return found

    def times(self, consumer, partition) -> list:
        """Offset and timestamp of the first record at or after some times."""
        answers = []
        for asked in (0, T0, T0 + 50_000, T0 + 99_999, T0 + 10_000_000):
            (answer,) = consumer.offsets_for_times({partition: asked}).values()
            answers.append(
                [asked, *((answer.offset, answer.timestamp) if answer else (None, None))]
            )
        return answers

    def configs(self, names: list) -> dict:
        """The configs that were set, per topic."""
        resource, kind = self.admin_module.ConfigResource, self.admin_module.ConfigResourceType
        admin = self.admin()
        described = admin.describe_configs([resource(kind.TOPIC, name) for name in names])["topic"]
        admin.close()
        return {
            name: {config: detail["value"] for config, detail in sorted(described[name].items())}
            for name in names
        }

    def patiently(self, call, *arguments):
        """The call's answer; asked again while the coordinator of a fresh start is being loaded."""
        loading = (self.errors.CoordinatorLoadInProgressError, self.errors.NotCoordinatorError)
        deadline = time.monotonic() + READ_MS_MAX / 1000
        while True:
            try:
                return call(*arguments)
            except loading:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def groups(self) -> dict:
        admin = self.admin()
        names = sorted(group["group_id"] for group in self.patiently(admin.list_groups))
        found = {}
        for name in names:
            offsets = self.patiently(admin.list_group_offsets, [name])[name]
            found[name] = {
                f"{one.topic}-{one.partition}": [at.offset, at.metadata]
                for one, at in sorted(offsets.items())
            }
        admin.close()
        return found


def plain(timestamp, key, value, headers) -> list:
    """Content of a record as JSON: bytes as base64."""
    as_text = [[name, b64(content)] for name, content in headers or []]
    return [timestamp, b64(key), b64(value), as_text]


def b64(data):
    return None if data is None else base64.b64encode(data).decode()


if __name__ == "__main__":
    library, address, action, *names = sys.argv[1:]
    if action not in ("fill", "more", "read", "hold"):
        raise SystemExit(__doc__)
    getattr(Program(library, address), action)(*names)
