"""`ringlog serve --nodes 3`: clients' code for clusters, on one process."""

import re
import time

import kafka_clients
import kafka_oracle
import pytest
import ringlog
from confluent_kafka import Consumer as ConfluentConsumer
from confluent_kafka.admin import NewTopic as ConfluentTopic
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer
from kafka.admin import NewTopic
from served import Served

NODES = 3
PARTITIONS = 6
RECORDS = 300
READ_SECONDS_MAX = 60


@pytest.fixture
def cluster():
    """A server over a log in memory."""
    with Served("memory:", "--nodes", str(NODES)) as server:
        yield server


def read_all(consumers, poll) -> list[bytes]:
    """What a group of consumers receives together."""
    values = []
    end = time.monotonic() + READ_SECONDS_MAX
    while len(values) < RECORDS and time.monotonic() < end:
        for one in consumers:
            values += poll(one)
    return sorted(values)


WANTED = sorted(b"record %d" % number for number in range(RECORDS))


def poll_python(consumer) -> list[bytes]:
    return [record.value for many in consumer.poll(200).values() for record in many]


@pytest.mark.parametrize("clients", ["kafka", "ringlog"])
def test_python_clients(cluster, clients):
    module = ringlog if clients == "ringlog" else None
    producer_type = module.KafkaProducer if module else KafkaProducer
    consumer_type = module.KafkaConsumer if module else KafkaConsumer
    admin_type = module.KafkaAdminClient if module else KafkaAdminClient
    topic_type = ringlog.admin.NewTopic if module else NewTopic
    admin = admin_type(bootstrap_servers=cluster.bootstrap)
    admin.create_topics([topic_type("orders", PARTITIONS, NODES)])
    (described,) = admin.describe_topics(["orders"])
    leaders = [partition["leader_id"] for partition in described["partitions"]]
    assert sorted(leaders) == [1, 1, 2, 2, 3, 3]
    assert all(len(partition["isr_nodes"]) == NODES for partition in described["partitions"])
    admin.close()
    with producer_type(bootstrap_servers=cluster.bootstrap) as producer:
        for number in range(RECORDS):
            producer.send("orders", b"record %d" % number, partition=number % PARTITIONS)
    consumers = [
        consumer_type(
            "orders",
            bootstrap_servers=cluster.bootstrap,
            group_id="readers",
            auto_offset_reset="earliest",
        )
        for _ in range(2)
    ]
    assert read_all(consumers, poll_python) == WANTED
    for one in consumers:
        one.close()


def test_librdkafka(cluster):
    kafka_clients.create_topics(cluster.bootstrap, ConfluentTopic("orders", PARTITIONS, NODES))
    records = [("orders", n % PARTITIONS, None, b"record %d" % n, None) for n in range(RECORDS)]
    kafka_clients.produce(cluster.bootstrap, records)
    settings = {
        "bootstrap.servers": cluster.bootstrap,
        "group.id": "readers",
        "auto.offset.reset": "earliest",
    }
    consumers = [ConfluentConsumer(settings) for _ in range(2)]
    for one in consumers:
        one.subscribe(["orders"])

    def poll(consumer) -> list[bytes]:
        message = consumer.poll(0.2)
        return [message.value()] if message and not message.error() else []

    assert read_all(consumers, poll) == WANTED
    for one in consumers:
        one.close()


def test_kafkas_own_tools(cluster, kafka_class_path):
    supported = ("offsets-for-times", "cluster-id", "create-topics", "describe-configs")
    options = [part for name in supported for part in (f"--{name}-supported", "true")]
    kafka_oracle.tool(
        "org.apache.kafka.tools.ClientCompatibilityTest",
        *("--bootstrap-server", cluster.bootstrap, "--topic", "compatible"),
        *("--num-cluster-nodes", NODES, "--idempotent-producer-supported", "true"),
        *("--describe-acls-supported", "true", "--expect-record-too-large-exception", "false"),
        *options,
    )
    topics = kafka_oracle.topics
    topics(
        cluster.bootstrap,
        *("--create", "--topic", "placed", "--replica-assignment", "3:1,2:3,1:2"),
    )
    described = topics(cluster.bootstrap, "--describe", "--topic", "placed")
    placed = re.findall(r"Leader: (\d)\s+Replicas: (\S+)\s+Isr: (\S+)", described)
    assert placed == [("3", "3,1", "3,1"), ("2", "2,3", "2,3"), ("1", "1,2", "1,2")]
    with pytest.raises(kafka_oracle.ToolFailed, match="only 3 broker"):
        topics(cluster.bootstrap, "--create", "--topic", "four", "--replication-factor", "4")


def serve_two() -> tuple[int, Served]:
    """On a port that is free, with a free one behind it."""
    while True:
        (first,) = kafka_oracle.free_ports(1)
        try:
            listen = ("--listen", f"127.0.0.1:{first}")
            return first, Served(None, "--data", "memory:", *listen, "--nodes", "2")
        except RuntimeError as refused:
            if "Address already in use" not in str(refused):
                raise


def test_ports_follow_one_another():
    """From that of --listen on; the start says that there is one copy."""
    first, served = serve_two()
    with served:
        admin = KafkaAdminClient(bootstrap_servers=f"127.0.0.1:{first + 1}")
        brokers = admin.describe_cluster()["brokers"]
        admin.close()
        assert [one["port"] for one in brokers] == [first, first + 1]
        assert "one copy of the data" in served.stop()


def test_a_log_directory_of_kafka_is_refused(tmp_path, kafka_server):
    server = kafka_server(tmp_path / "log")
    server.format()
    with pytest.raises(RuntimeError, match="log directory of Kafka's"):
        Served(tmp_path / "log", "--nodes", "3")
    with pytest.raises(RuntimeError, match="1 to 64"):
        Served("memory:", "--nodes", "65")
