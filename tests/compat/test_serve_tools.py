"""`ringlog serve` and the programs that come with Apache Kafka 4.3.1."""

import json
import re

import kafka_clients
import kafka_oracle
import pytest
from served import Served


@pytest.fixture
def bootstrap(kafka_class_path):
    """A server over a log in memory."""
    with Served("memory:") as server:
        yield server.bootstrap


def said(output: str, name: str) -> list[dict]:
    """What a verifiable program printed of that name."""
    lines = (json.loads(line) for line in output.splitlines() if line.startswith("{"))
    return [line for line in lines if line["name"] == name]


def test_topics_configs_and_offsets(bootstrap):
    topics, configs = kafka_oracle.topics, kafka_oracle.configs
    topics(bootstrap, "--create", "--topic", "made", "--partitions", "3")
    topics(bootstrap, "--alter", "--topic", "made", "--partitions", "5")
    topic = ("--entity-type", "topics", "--entity-name", "made")
    configs(bootstrap, "--alter", *topic, "--add-config", "max.message.bytes=2000000")
    described = topics(bootstrap, "--describe", "--topic", "made")
    assert "PartitionCount: 5" in described
    assert "max.message.bytes=2000000" in described
    assert described.count("Leader: 1") == 5
    assert "DYNAMIC_TOPIC_CONFIG:max.message.bytes=2000000" in configs(
        bootstrap, "--describe", *topic
    )
    get_offsets = "org.apache.kafka.tools.GetOffsetShell"
    offsets = kafka_oracle.tool(get_offsets, "--bootstrap-server", bootstrap, "--topic", "made")
    assert offsets.split() == [f"made:{partition}:0" for partition in range(5)]
    topics(bootstrap, "--delete", "--topic", "made")
    assert topics(bootstrap, "--list").strip() == ""


def test_verifiable_producer_consumer_and_groups(bootstrap):
    kafka_oracle.topics(bootstrap, "--create", "--topic", "counted", "--partitions", "2")
    on_topic = ("--bootstrap-server", bootstrap, "--topic", "counted", "--max-messages", "1000")
    produced = kafka_oracle.tool("org.apache.kafka.tools.VerifiableProducer", *on_topic)
    (total,) = said(produced, "tool_data")
    assert (total["sent"], total["acked"]) == (1000, 1000)
    reader = ("--group-id", "readers", "--reset-policy", "earliest")
    consumed = kafka_oracle.tool("org.apache.kafka.tools.VerifiableConsumer", *on_topic, *reader)
    assert sum(one["count"] for one in said(consumed, "records_consumed")) == 1000
    assert all(one["success"] for one in said(consumed, "offsets_committed"))

    groups = kafka_oracle.consumer_groups
    described = groups(bootstrap, "--describe", "--group", "readers").splitlines()
    lags = [line.split()[5] for line in described if line.startswith("readers ")]
    assert lags and set(lags) == {"0"}
    group = ("--group", "readers", "--topic", "counted")
    groups(bootstrap, "--reset-offsets", *group, "--to-earliest", "--execute")
    described = groups(bootstrap, "--describe", "--group", "readers").splitlines()
    lags = [int(line.split()[5]) for line in described if line.startswith("readers ")]
    assert sum(lags) == 1000
    groups(bootstrap, "--delete", "--group", "readers")
    assert "readers" not in groups(bootstrap, "--list")


def test_console_producer_and_consumer(bootstrap):
    on_topic = ("--bootstrap-server", bootstrap, "--topic", "said")
    kafka_oracle.tool(
        "org.apache.kafka.tools.ConsoleProducer",
        *on_topic,
        *("--reader-property", "parse.key=true", "--reader-property", "parse.headers=true"),
        *("--reader-property", "null.marker=NULL", "--compression-codec", "zstd"),
        stdin="from:ida\tk-1\tone\nfrom:jon,to:kim\tk-2\ttwo ä\nNULL\tk-1\tNULL\n",
    )
    shown = ("print.partition", "print.offset", "print.headers", "print.key")
    properties = [part for name in shown for part in ("--formatter-property", f"{name}=true")]
    consumer = "org.apache.kafka.tools.consumer.ConsoleConsumer"
    bounds = ("--from-beginning", "--max-messages", "3", "--group", "readers")
    told = kafka_oracle.tool(consumer, *on_topic, *properties, *bounds)
    assert told.splitlines()[:3] == [
        "Partition:0\tOffset:0\tfrom:ida\tk-1\tone",
        "Partition:0\tOffset:1\tfrom:jon,to:kim\tk-2\ttwo ä",
        "Partition:0\tOffset:2\tNO_HEADERS\tk-1\tnull",
    ]
    told = kafka_oracle.tool(
        consumer, *on_topic, "--partition", "0", "--offset", "1", "--max-messages", "1"
    )
    assert told.splitlines()[0] == "two ä"


def test_delete_records_and_get_offsets(bootstrap, tmp_path):
    kafka_oracle.topics(bootstrap, "--create", "--topic", "cut", "--partitions", "2")
    records = [("cut", number % 2, None, b"v", None) for number in range(20)]
    kafka_clients.produce(bootstrap, records)
    wanted = [{"topic": "cut", "partition": 0, "offset": 7}]
    wanted += [{"topic": "cut", "partition": 1, "offset": -1}]
    file = tmp_path / "offsets.json"
    file.write_text(json.dumps({"version": 1, "partitions": wanted}))
    told = kafka_oracle.tool(
        "org.apache.kafka.tools.DeleteRecordsCommand",
        *("--bootstrap-server", bootstrap, "--offset-json-file", file),
    )
    marks = re.findall(r"partition: (\S+)\tlow_watermark: (\d+)", told)
    assert sorted(marks) == [("cut-0", "7"), ("cut-1", "10")]

    def offsets(time: str) -> list[str]:
        on_topic = ("--bootstrap-server", bootstrap, "--topic", "cut", "--time", time)
        return kafka_oracle.tool("org.apache.kafka.tools.GetOffsetShell", *on_topic).split()

    assert offsets("earliest") == ["cut:0:7", "cut:1:10"]
    assert offsets("latest") == ["cut:0:10", "cut:1:10"]
    assert offsets("max-timestamp")[0].startswith("cut:0:")


def test_broker_api_versions(bootstrap):
    """Every API and version that is advertised is one that Kafka's own client uses."""
    told = kafka_oracle.tool(
        "org.apache.kafka.tools.BrokerApiVersionsCommand", "--bootstrap-server", bootstrap
    )
    assert told.startswith(f"{bootstrap} (id: 1 rack: null isFenced: false) -> (")
    served = dict(re.findall(r"^\t(\w+)\(\d+\): (?!UNSUPPORTED)(.*\S?),?$", told, re.MULTILINE))
    assert {"Produce", "Fetch", "Metadata", "JoinGroup", "DescribeConfigs"} <= set(served)
    assert all("[usable: " in versions for versions in served.values()), served
    assert "UNKNOWN" not in told


def test_client_compatibility(bootstrap):
    supported = ("offsets-for-times", "cluster-id", "create-topics", "describe-configs")
    options = [part for name in supported for part in (f"--{name}-supported", "true")]
    kafka_oracle.tool(
        "org.apache.kafka.tools.ClientCompatibilityTest",
        *("--bootstrap-server", bootstrap, "--topic", "compatible", "--num-cluster-nodes", "1"),
        *("--describe-acls-supported", "true", "--expect-record-too-large-exception", "false"),
        *("--idempotent-producer-supported", "true", *options),
    )
