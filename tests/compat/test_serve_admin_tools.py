"""`ringlog serve` and the programs that administer an Apache Kafka 4.3.1 cluster."""

import json

import kafka_clients
import kafka_oracle
import pytest
from confluent_kafka.admin import NewTopic
from served import Served


@pytest.fixture(scope="module")
def server(kafka_class_path):
    """A server over a log in memory."""
    with Served("memory:") as served:
        yield served


def tool(server, main_class: str, *arguments) -> str:
    return kafka_oracle.tool(main_class, "--bootstrap-server", server.bootstrap, *arguments)


def test_log_directories(server):
    kafka_clients.create_topics(server.bootstrap, NewTopic("sized", 2, 1))
    kafka_clients.produce(server.bootstrap, [("sized", 0, b"k", b"v" * 1000, [])])
    said = tool(server, "org.apache.kafka.tools.LogDirsCommand", "--describe")
    (described,) = (json.loads(line) for line in said.splitlines() if line.startswith("{"))
    (broker,) = described["brokers"]
    (directory,) = broker["logDirs"]
    assert directory["error"] is None
    sizes = {one["partition"]: one["size"] for one in directory["partitions"]}
    assert sizes["sized-0"] > 1000
    assert sizes["sized-1"] == 0


def test_metadata_quorum(server):
    quorum = "org.apache.kafka.tools.MetadataQuorumCommand"
    said = tool(server, quorum, "describe", "--status")
    assert "LeaderId:               1" in said
    assert "MaxFollowerLag:         0" in said
    assert "Leader" in tool(server, quorum, "describe", "--replication")


def test_features(server):
    features = "org.apache.kafka.tools.FeatureCommand"
    assert "metadata.version" in tool(server, features, "describe")
    with pytest.raises(kafka_oracle.ToolFailed, match="metadata.version"):
        tool(server, features, "downgrade", "--metadata", "4.0")


def test_client_quotas(server):
    client = ("--entity-type", "clients", "--entity-name", "busy")
    kafka_oracle.configs(
        server.bootstrap, "--alter", *client, "--add-config", "producer_byte_rate=1000000"
    )
    assert "producer_byte_rate=1000000.0" in kafka_oracle.configs(
        server.bootstrap, "--describe", *client
    )
    kafka_oracle.configs(
        server.bootstrap, "--alter", *client, "--delete-config", "producer_byte_rate"
    )
    assert "producer_byte_rate" not in kafka_oracle.configs(server.bootstrap, "--describe", *client)


def test_access_control_is_off(server):
    with pytest.raises(kafka_oracle.ToolFailed, match="SecurityDisabledException"):
        tool(server, "org.apache.kafka.tools.AclCommand", "--list")


def test_group_configs(server):
    group = ("--entity-type", "groups", "--entity-name", "readers")
    kafka_oracle.configs(
        server.bootstrap, "--alter", *group, "--add-config", "consumer.session.timeout.ms=50000"
    )
    assert "consumer.session.timeout.ms=50000" in kafka_oracle.configs(
        server.bootstrap, "--describe", *group
    )


def test_broker_loggers(server):
    loggers = ("--entity-type", "broker-loggers", "--entity-name", "1")

    def configs(*arguments):
        return kafka_oracle.configs(server.bootstrap, *loggers, *arguments)

    configs("--alter", "--add-config", "ringlog.storage=DEBUG")
    said = configs("--describe")
    assert "  ringlog.storage=DEBUG sensitive=false synonyms={}" in said
    assert "  root=WARN sensitive=false synonyms={}" in said
    configs("--alter", "--delete-config", "ringlog.storage")
    assert "ringlog.storage=WARN " in configs("--describe")


def test_subscriptions_to_the_metrics_of_clients(server):
    metrics = "org.apache.kafka.tools.ClientMetricsCommand"
    named = ("--name", "all", "--metrics", "org.apache.kafka.producer.", "--interval", "60000")
    tool(server, metrics, "--alter", *named)
    assert "all" in tool(server, metrics, "--list")
    said = tool(server, metrics, "--describe", "--name", "all")
    assert "interval.ms=60000" in said
    tool(server, metrics, "--delete", "--name", "all")
    assert "interval.ms=60000" not in tool(server, metrics, "--describe", "--name", "all")
