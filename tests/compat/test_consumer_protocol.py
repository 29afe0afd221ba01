"""Consumer groups of the new protocol (KIP-848) with the clients and programs that others wrote.

On `ringlog serve`, and on a directory that Apache Kafka 4.3.1 takes over with such groups in it and
gives back.
"""

import time
from contextlib import closing, contextmanager

import kafka_clients
import kafka_oracle
import pytest
from confluent_kafka import Consumer
from confluent_kafka.admin import NewTopic
from ringlog import KafkaConsumer
from served import Served

SECONDS_MAX = 90
PARTITIONS = 4
QUICK = ("--set", "group.consumer.heartbeat.interval.ms=1000")


@pytest.fixture
def bootstrap():
    """A server over a log in memory, with a topic."""
    with Served("memory:", *QUICK) as server:
        kafka_clients.create_topics(server.bootstrap, NewTopic("t", PARTITIONS, 1))
        yield server.bootstrap


def records(start: int, count: int) -> list:
    return [("t", n % PARTITIONS, b"k", b"%d" % n, []) for n in range(start, start + count)]


@contextmanager
def member(bootstrap: str, protocol: str, topics=("t",), group="g", **settings):
    """A consumer of librdkafka in the group."""
    timeouts = {} if protocol == "consumer" else {"session.timeout.ms": 10_000}
    settings = {
        "bootstrap.servers": bootstrap,
        "group.id": group,
        "group.protocol": protocol,
        "auto.offset.reset": "earliest",
        "enable.auto.commit": False,
        **timeouts,
        **settings,
    }
    with closing(Consumer(settings, logger=kafka_clients._silent)) as consumer:
        consumer.subscribe(list(topics))
        yield consumer


def wait_until_shared(*consumers: Consumer, partitions: int = PARTITIONS):
    """Poll until the partitions are spread evenly."""
    deadline = time.monotonic() + SECONDS_MAX
    while time.monotonic() < deadline:
        for consumer in consumers:
            consumer.poll(0.1)
        shares = [{(p.topic, p.partition) for p in one.assignment()} for one in consumers]
        if all(len(share) == partitions // len(consumers) for share in shares):
            assert len(set().union(*shares)) == partitions
            return
    raise TimeoutError(f"partitions are not shared evenly: {shares}")


def read(consumer: Consumer, count: int) -> set:
    """Values, committed."""
    values, deadline = set(), time.monotonic() + SECONDS_MAX
    while len(values) < count and time.monotonic() < deadline:
        message = consumer.poll(1.0)
        if message is not None and message.error() is None:
            values.add(int(message.value()))
    consumer.commit(asynchronous=False)
    return values


def groups(bootstrap: str, *arguments: str) -> str:
    return kafka_oracle.consumer_groups(bootstrap, *arguments)


def test_librdkafka_shares_reads_and_commits(bootstrap):
    kafka_clients.produce(bootstrap, records(0, 100))
    with member(bootstrap, "consumer") as first:
        assert read(first, 100) == set(range(100))
        with member(bootstrap, "consumer") as second:
            wait_until_shared(first, second)
        wait_until_shared(first)
    committed = kafka_clients.committed(bootstrap, "g")
    assert sum(committed.values()) == 100


def test_librdkafka_subscribes_by_expression(bootstrap):
    kafka_clients.produce(bootstrap, records(0, 20))
    with member(bootstrap, "consumer", topics=["^(t|later.*)$"]) as consumer:
        assert read(consumer, 20) == set(range(20))
        kafka_clients.create_topics(bootstrap, NewTopic("later.made", 1, 1))
        wait_until_shared(consumer, partitions=PARTITIONS + 1)


def test_old_and_new_consumers_in_one_group(bootstrap):
    """A rolling upgrade, and back: nothing is read twice or left out."""
    kafka_clients.produce(bootstrap, records(0, 40))
    old = {"partition.assignment.strategy": "cooperative-sticky"}
    with member(bootstrap, "classic", **old) as first:
        assert read(first, 40) == set(range(40))
        with member(bootstrap, "consumer") as second:
            wait_until_shared(first, second)
            kafka_clients.produce(bootstrap, records(40, 40))
            both = read_both(first, second, 40)
            assert both == set(range(40, 80))
        wait_until_shared(first)
        kafka_clients.produce(bootstrap, records(80, 20))
        assert read(first, 20) == set(range(80, 100))


def read_both(first: Consumer, second: Consumer, count: int) -> set:
    values, deadline = [], time.monotonic() + SECONDS_MAX
    while len(values) < count and time.monotonic() < deadline:
        for consumer in (first, second):
            message = consumer.poll(0.2)
            if message is not None and message.error() is None:
                values.append(int(message.value()))
    for consumer in (first, second):
        consumer.commit(asynchronous=False)
    assert len(values) == len(set(values))
    return set(values)


class Ours:
    """A consumer of ours in the group, with the methods of librdkafka's that these tests use."""

    def __init__(self, bootstrap: str):
        self._consumer = KafkaConsumer(
            "t",
            bootstrap_servers=bootstrap,
            group_id="g",
            group_protocol="consumer",
            auto_offset_reset="earliest",
            enable_auto_commit=False,
        )
        self.assignment, self.close = self._consumer.assignment, self._consumer.close

    def poll(self, seconds: float) -> list:
        polled = self._consumer.poll(timeout_ms=int(1000 * seconds))
        return [int(record.value) for records in polled.values() for record in records]

    def commit(self):
        self._consumer.commit()


def share_with_ours(bootstrap: str):
    """Ours comes first, librdkafka's comes and goes: nothing is read twice or left out."""
    with closing(Ours(bootstrap)) as ours:
        kafka_clients.produce(bootstrap, records(0, 40))
        assert sorted(read_ours(ours, 40)) == list(range(40))
        with member(bootstrap, "consumer") as other:
            wait_until_shared(ours, other)
            kafka_clients.produce(bootstrap, records(40, 40))
            half = read_ours(ours, 20)
            assert sorted(half + list(read(other, 20))) == list(range(40, 80))
        wait_until_shared(ours)
        kafka_clients.produce(bootstrap, records(80, 40))
        assert sorted(read_ours(ours, 40)) == list(range(80, 120))
    committed = kafka_clients.committed(bootstrap, "g")
    assert sum(committed.values()) == 120


def read_ours(ours: Ours, count: int) -> list:
    """Values, committed."""
    values, deadline = [], time.monotonic() + SECONDS_MAX
    while len(values) < count and time.monotonic() < deadline:
        values += ours.poll(1.0)
    ours.commit()
    return values


def test_ours_and_librdkafka_share_a_group(bootstrap):
    share_with_ours(bootstrap)


def test_ours_and_librdkafka_share_a_group_of_kafka(kafka_server, tmp_path):
    server = kafka_server(tmp_path / "log")
    server.format()
    server.start()
    kafka_clients.create_topics(server.bootstrap, NewTopic("t", PARTITIONS, 1))
    share_with_ours(server.bootstrap)


def test_java_consumer_and_tools(kafka_class_path, bootstrap):
    kafka_clients.produce(bootstrap, records(0, 10))
    said = kafka_oracle.tool(
        "org.apache.kafka.tools.consumer.ConsoleConsumer",
        *("--bootstrap-server", bootstrap, "--topic", "t", "--group", "java"),
        *("--from-beginning", "--max-messages", "10", "--timeout-ms", "60000"),
        *("--command-property", "group.protocol=consumer"),
    )
    assert {int(line) for line in said.split() if line.isdigit()} >= set(range(10))
    with member(bootstrap, "consumer") as consumer:
        assert read(consumer, 10) == set(range(10))
        listed = groups(bootstrap, "--list", "--type", "consumer", "--state")
        states = dict(line.split()[::2] for line in listed.splitlines() if "onsumer" in line)
        assert states["java"] == "Empty"
        assert states["g"] == "Stable"
        members = groups(bootstrap, "--describe", "--group", "g", "--members", "--verbose")
        assert f"t:{','.join(map(str, range(PARTITIONS)))}" in members.replace("(", ":")
        lags = [
            line.split()[5]
            for line in groups(bootstrap, "--describe", "--group", "g").splitlines()
            if line.startswith("g ")
        ]
        assert lags == ["0"] * PARTITIONS
    groups(bootstrap, "--delete", "--group", "g")
    assert "java" in groups(bootstrap, "--list")


def test_kafka_takes_groups_over_and_gives_them_back(kafka_server, tmp_path):
    directory = tmp_path / "data"
    with Served(directory, *QUICK) as server:
        kafka_clients.create_topics(server.bootstrap, NewTopic("t", PARTITIONS, 1))
        kafka_clients.produce(server.bootstrap, records(0, 40))
        with member(server.bootstrap, "consumer") as consumer:
            assert read(consumer, 40) == set(range(40))
            with member(server.bootstrap, "consumer", **{"group.instance.id": "one"}) as other:
                wait_until_shared(consumer, other)

    kafka = kafka_server(directory / "log").start(["t", "__consumer_offsets"])
    kafka_clients.produce(kafka.bootstrap, records(40, 40))
    with member(kafka.bootstrap, "consumer") as consumer:
        assert read(consumer, 40) == set(range(40, 80))
    kafka.stop()
    assert kafka.complaints() == []

    with Served(directory, *QUICK) as server:
        kafka_clients.produce(server.bootstrap, records(80, 40))
        with member(server.bootstrap, "consumer") as consumer:
            assert read(consumer, 40) == set(range(80, 120))
