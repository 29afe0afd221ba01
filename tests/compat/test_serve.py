"""`ringlog serve` and the clients that others wrote: kafka-python, confluent-kafka, aiokafka."""

import asyncio
import time

import aiokafka
import client_processes
import kafka_clients
import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from confluent_kafka.admin import (
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    NewPartitions,
    NewTopic,
    ResourceType,
)
from served import Served

ANSWER_SECONDS_MAX = 60
CODECS = ["none", "gzip", "snappy", "lz4", "zstd"]


@pytest.fixture
def served():
    """A server over a log in memory."""
    with Served("memory:") as server:
        yield server


def answers(futures: dict):
    return {name: future.result(ANSWER_SECONDS_MAX) for name, future in futures.items()}


def test_kafka_python_writes_what_an_embedded_log_reads(tmp_path):
    """Topics of every kind, all codecs, groups and administration, over the network and back."""
    with Served(tmp_path / "data") as server:
        client_processes.run("kafka", server.bootstrap, "fill")
        client_processes.run("kafka", server.bootstrap, "more", "t.more")
        over_network = client_processes.run("kafka", server.bootstrap, "read")
    embedded = client_processes.run("ringlog", f"file:{tmp_path / 'data'}", "read")
    assert over_network == embedded
    assert len(embedded["partitions"]) > 20
    with Served(tmp_path / "data") as server:
        assert client_processes.run("kafka", server.bootstrap, "read") == embedded


def test_acknowledged_records_survive_a_kill(tmp_path):
    records = [("killed", 0, b"k", b"v%d" % number, []) for number in range(500)]
    server = Served(tmp_path / "data")
    try:
        kafka_clients.create_topics(server.bootstrap, NewTopic("killed", 1, 1))
        kafka_clients.produce(server.bootstrap, records)
    finally:
        server.kill()
    with Served(tmp_path / "data") as server:
        read = kafka_clients.read_partition(server.bootstrap, "killed", 0)
        assert [value for _, _, _, value, _ in read] == [value for _, _, _, value, _ in records]


def test_settings_of_a_container_and_of_a_file(tmp_path):
    """Variables as compose files have them stand before the file, which has Kafka's form."""
    file = tmp_path / "server.properties"
    file.write_text("num.partitions=5\nlog.retention.hours=7\nzookeeper.connect=localhost:2181\n")
    environment = {
        "KAFKA_BROKER_ID": "1",
        "KAFKA_LISTENERS": "PLAINTEXT://127.0.0.1:0,CONTROLLER://:9093",
        "KAFKA_ADVERTISED_LISTENERS": "PLAINTEXT://localhost:0",
        "KAFKA_CONTROLLER_LISTENER_NAMES": "CONTROLLER",
        "KAFKA_OFFSETS_TOPIC_REPLICATION_FACTOR": "1",
        "KAFKA_NUM_PARTITIONS": "3",
        "KAFKA_LOG_DIRS": str(tmp_path / "data"),
        "KAFKA_HEAP_OPTS": "-Xmx1g",
    }
    server = Served(None, "--config", str(file), environment=environment)
    try:
        assert server.data == f"file:{tmp_path / 'data'}"
        admin = kafka_clients.admin(server.bootstrap)
        answers(admin.create_topics([NewTopic("made")]))
        made = admin.list_topics("made", timeout=ANSWER_SECONDS_MAX)
        assert len(made.topics["made"].partitions) == 3
        assert [broker.host for broker in made.brokers.values()] == ["localhost"]
        broker = ConfigResource(ResourceType.BROKER, "1")
        configs = answers(admin.describe_configs([broker]))[broker]
        assert configs["log.retention.hours"].value == "7"
        said = server.stop()
    finally:
        server.kill()
    assert "zookeeper.connect" in said
    assert "-Xmx1g" not in said and "heap" not in said


@pytest.mark.parametrize("codec", CODECS)
def test_confluent_kafka_produces_and_consumes(served, codec):
    kafka_clients.create_topics(served.bootstrap, NewTopic("orders", 3, 1))
    failures = []
    producer = kafka_clients.producer(served.bootstrap, **{"compression.type": codec})
    for number in range(1000):
        producer.produce(
            "orders",
            b"value-%d" % number * 20,
            b"key-%d" % number,
            on_delivery=lambda error, _: failures.append(error) if error else None,
        )
    assert producer.flush(ANSWER_SECONDS_MAX) == 0
    assert failures == []
    values = {
        value
        for partition in range(3)
        for _, _, _, value, _ in kafka_clients.read_partition(served.bootstrap, "orders", partition)
    }
    assert values == {b"value-%d" % number * 20 for number in range(1000)}


def read_all(consumers, count: int) -> list:
    """Polls the members of a group in turn until they have read so much."""
    values, end = [], time.monotonic() + ANSWER_SECONDS_MAX
    while len(values) < count:
        assert time.monotonic() < end, f"{len(values)} of {count} records came"
        for consumer in consumers:
            message = consumer.poll(0.1)
            if message is not None and not message.error():
                values.append(message.value())
    return values


def test_confluent_kafka_members_share_the_partitions(served):
    kafka_clients.create_topics(served.bootstrap, NewTopic("shared", 4, 1))
    members = [
        Consumer(
            {
                "bootstrap.servers": served.bootstrap,
                "group.id": "team",
                "auto.offset.reset": "earliest",
                "session.timeout.ms": 30_000,
            }
        )
        for _ in range(2)
    ]
    for member in members:
        member.subscribe(["shared"])
    end = time.monotonic() + ANSWER_SECONDS_MAX
    while [len(member.assignment()) for member in members] != [2, 2]:
        assert time.monotonic() < end, "the members do not share the partitions"
        for member in members:
            member.poll(0.1)
    kafka_clients.produce(
        served.bootstrap,
        [("shared", number % 4, None, b"v%d" % number, []) for number in range(200)],
    )
    assert sorted(read_all(members, 200)) == sorted(b"v%d" % number for number in range(200))
    for member in members:
        member.commit(asynchronous=False)
    admin = kafka_clients.admin(served.bootstrap)
    described = answers(admin.describe_consumer_groups(["team"]))["team"]
    assert described.state.name == "STABLE"
    assert sorted(len(one.assignment.topic_partitions) for one in described.members) == [2, 2]
    for member in members:
        member.close()
    committed = kafka_clients.committed(served.bootstrap, "team")
    assert set(committed.values()) == {50}
    assert [one.group_id for one in admin.list_consumer_groups().result(60).valid] == ["team"]
    answers(admin.delete_consumer_groups(["team"]))
    assert admin.list_consumer_groups().result(ANSWER_SECONDS_MAX).valid == []


def test_confluent_kafka_administers(served):
    admin = kafka_clients.admin(served.bootstrap)
    answers(admin.create_topics([NewTopic("made", 2, 1, config={"retention.ms": "7000"})]))
    with pytest.raises(KafkaException, match="already exists"):
        answers(admin.create_topics([NewTopic("made", 2, 1)]))
    with pytest.raises(KafkaException):
        answers(admin.create_topics([NewTopic("too many", 2, 1)]))
    answers(admin.create_partitions([NewPartitions("made", 5)]))
    made = admin.list_topics("made", ANSWER_SECONDS_MAX).topics["made"]
    assert sorted(made.partitions) == [0, 1, 2, 3, 4]

    resource = ConfigResource(ResourceType.TOPIC, "made")
    (configs,) = answers(admin.describe_configs([resource])).values()
    assert configs["retention.ms"].value == "7000"
    change = ConfigEntry(
        "max.message.bytes", "2000000", incremental_operation=AlterConfigOpType.SET
    )
    answers(
        admin.incremental_alter_configs(
            [ConfigResource(ResourceType.TOPIC, "made", incremental_configs=[change])]
        )
    )
    (configs,) = answers(admin.describe_configs([resource])).values()
    assert configs["max.message.bytes"].value == "2000000"
    assert configs["retention.ms"].value == "7000"

    records = [("made", 0, None, b"%d" % number, []) for number in range(10)]
    kafka_clients.produce(served.bootstrap, records)
    (deleted,) = answers(admin.delete_records([TopicPartition("made", 0, 4)])).values()
    assert deleted.low_watermark == 4
    cluster = admin.describe_cluster().result(ANSWER_SECONDS_MAX)
    assert len(cluster.nodes) == 1
    answers(admin.delete_topics(["made"]))
    assert "made" not in admin.list_topics(timeout=ANSWER_SECONDS_MAX).topics


def test_transactions_are_refused_for_good(served):
    producer = kafka_clients.producer(served.bootstrap, **{"transactional.id": "t"})
    with pytest.raises(KafkaException) as refused:
        producer.init_transactions(ANSWER_SECONDS_MAX)
    assert refused.value.args[0].name() == "TRANSACTIONAL_ID_AUTHORIZATION_FAILED"


def test_aiokafka_produces_and_consumes_in_a_group(served):
    async def main():
        producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=served.bootstrap, enable_idempotence=True
        )
        await producer.start()
        sent = [await producer.send("events", b"%d" % number) for number in range(500)]
        await asyncio.gather(*sent)
        await producer.stop()

        values = []
        for _ in range(2):  # the second goes on where the first has committed
            consumer = aiokafka.AIOKafkaConsumer(
                "events",
                bootstrap_servers=served.bootstrap,
                group_id="halves",
                auto_offset_reset="earliest",
                enable_auto_commit=False,
            )
            await consumer.start()
            for _ in range(250):
                message = await asyncio.wait_for(consumer.getone(), ANSWER_SECONDS_MAX)
                values.append(message.value)
            partition = aiokafka.TopicPartition(message.topic, message.partition)
            await consumer.commit({partition: message.offset + 1})
            await consumer.stop()
        return values

    assert asyncio.run(main()) == [b"%d" % number for number in range(500)]
