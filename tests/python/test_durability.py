"""ringlog.durability: what can be set, what is shown, where it is kept, and what it promises."""

import signal
import subprocess
import sys

import pytest
import ringlog
from conftest import produce
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition, errors
from ringlog.admin import ConfigResource, KafkaAdminClient, NewTopic

NAME = "ringlog.durability"


@pytest.fixture
def admin(tmp_path):
    with KafkaAdminClient(bootstrap_servers=f"file:{tmp_path}/data") as made:
        yield made
    ringlog.close(f"{tmp_path}/data")


def shown(admin, topic="t", kind="topic"):
    described = admin.describe_configs([ConfigResource(kind, topic)], config_filter="all")
    found = described[kind][topic][NAME]
    return found["value"], found["config_source"]


def alter(admin, configs, topic="t", kind="topic"):
    return admin.alter_configs([ConfigResource(kind, topic, configs)])[kind][topic]


def sidecar(tmp_path):
    lines = (tmp_path / "data" / "ringlog.properties").read_text().splitlines()
    return [line for line in lines if not line.startswith("#")]


def test_the_default_is_fsync(admin):
    admin.create_topics(["t"])
    assert shown(admin) == ("fsync", "DEFAULT_CONFIG")


def test_a_topic_is_made_with_it(admin, tmp_path):
    admin.create_topics([NewTopic("t", topic_configs={NAME: "page_cache", "retention.ms": "5000"})])
    assert shown(admin) == ("page_cache", "DYNAMIC_TOPIC_CONFIG")
    assert len(sidecar(tmp_path)) == 1
    ringlog.close(f"{tmp_path}/data")
    with KafkaAdminClient(bootstrap_servers=f"file:{tmp_path}/data") as again:
        assert shown(again) == ("page_cache", "DYNAMIC_TOPIC_CONFIG")
        modified = again.describe_configs([ConfigResource("topic", "t")])["topic"]["t"]
        assert {name: config["value"] for name, config in modified.items()} == {
            NAME: "page_cache",
            "retention.ms": "5000",
        }


def test_it_is_altered_together_with_others(admin, tmp_path):
    admin.create_topics(["t"])
    assert alter(admin, {NAME: "page_cache", "retention.ms": "7000"}) == "OK"
    assert shown(admin) == ("page_cache", "DYNAMIC_TOPIC_CONFIG")
    refused = alter(admin, {NAME: "fsync", "retention.ms": "soon"})
    assert "retention.ms" in refused
    assert shown(admin) == ("page_cache", "DYNAMIC_TOPIC_CONFIG")
    assert alter(admin, {NAME: None}) == "OK"
    assert shown(admin) == ("fsync", "DEFAULT_CONFIG")
    assert sidecar(tmp_path) == []


def test_a_topic_made_again_has_nothing_of_the_old_one(admin, tmp_path):
    admin.create_topics([NewTopic("t", topic_configs={NAME: "page_cache"})])
    admin.delete_topics(["t"])
    assert sidecar(tmp_path) == []
    admin.create_topics(["t"])
    assert shown(admin) == ("fsync", "DEFAULT_CONFIG")


@pytest.mark.parametrize("value", ["memory", "often", ""])
def test_values_that_a_log_on_files_cannot_have(admin, tmp_path, value):
    with pytest.raises(errors.InvalidConfigurationError, match=NAME):
        admin.create_topics([NewTopic("t", topic_configs={NAME: value})])
    admin.create_topics(["t"])
    assert NAME in alter(admin, {NAME: value})
    assert shown(admin) == ("fsync", "DEFAULT_CONFIG")


def test_a_log_on_files_is_not_opened_for_memory(tmp_path):
    with pytest.raises(errors.KafkaConfigurationError, match="memory"):
        ringlog.open(f"{tmp_path}/data", {NAME: "memory"})


def test_internal_topics_are_always_fsync(tmp_path):
    ringlog.open(f"{tmp_path}/data", {NAME: "page_cache"})
    address = f"file:{tmp_path}/data"
    with KafkaProducer(bootstrap_servers=address) as producer:
        produce(producer, "t", b"1")
    with KafkaConsumer(bootstrap_servers=address, group_id="g") as consumer:
        consumer.assign([TopicPartition("t", 0)])
        consumer.commit({TopicPartition("t", 0): OffsetAndMetadata(1, "")})
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        assert shown(admin) == ("page_cache", "STATIC_BROKER_CONFIG")
        assert shown(admin, "__consumer_offsets") == ("fsync", "DEFAULT_CONFIG")
        assert "internal" in alter(admin, {NAME: "page_cache"}, "__consumer_offsets")
        assert alter(admin, {NAME: "fsync"}, "__consumer_offsets") == "OK"
    ringlog.close(f"{tmp_path}/data")


def test_the_default_of_a_broker(admin, tmp_path):
    admin.create_topics(["t"])
    assert alter(admin, {NAME: "page_cache"}, "1", "broker") == "OK"
    assert shown(admin) == ("page_cache", "DYNAMIC_BROKER_CONFIG")
    assert sidecar(tmp_path) == [f"broker.1.{NAME}=page_cache"]
    assert alter(admin, {NAME: "fsync"}) == "OK"
    assert shown(admin) == ("fsync", "DYNAMIC_TOPIC_CONFIG")


def test_server_properties(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "server.properties").write_text(f"{NAME}=page_cache\n")
    with KafkaAdminClient(bootstrap_servers=f"file:{tmp_path}/data") as admin:
        admin.create_topics(["t"])
        assert shown(admin) == ("page_cache", "STATIC_BROKER_CONFIG")
    ringlog.close(f"{tmp_path}/data")


@pytest.mark.parametrize("line", [f"{NAME}=often", "topic.x.ringlog.durability=fsync", "a=b"])
def test_a_sidecar_that_cannot_be_understood(tmp_path, line):
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "ringlog.properties").write_text(line + "\n")
    with pytest.raises(errors.KafkaConfigurationError, match="ringlog.properties"):
        ringlog.open(f"{tmp_path}/data")


def test_in_memory_it_is_memory(memory):
    with KafkaAdminClient(bootstrap_servers=memory) as admin:
        admin.create_topics([NewTopic("t", topic_configs={NAME: "fsync"})])
        assert shown(admin)[0] == "memory"
        assert alter(admin, {NAME: "page_cache"}) == "OK"
        assert shown(admin)[0] == "memory"


VICTIM = """
import sys
from ringlog import KafkaProducer
from ringlog.admin import ConfigResource, KafkaAdminClient, NewTopic
address = sys.argv[1]
name = "ringlog.durability"
admin = KafkaAdminClient(bootstrap_servers=address)
admin.create_topics([NewTopic("t", topic_configs={name: "page_cache"})])
producer = KafkaProducer(bootstrap_servers=address)
for number in range(3000):
    producer.send("t", str(number).encode(), partition=0).get(10)
    if number % 500 == 250:
        kept = "fsync" if number % 1000 < 500 else "page_cache"
        admin.alter_configs([ConfigResource("topic", "t", {name: kept})])
admin.create_topics([NewTopic("last", topic_configs={name: "page_cache"})])
print("acknowledged", flush=True)
sys.stdin.read()
"""


def test_a_kill_takes_nothing_acknowledged_and_no_answered_setting(tmp_path):
    address = f"file:{tmp_path}/data"
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as victim:
        assert victim.stdout.readline() == b"acknowledged\n"
        victim.send_signal(signal.SIGKILL)
    with KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=1000) as consumer:
        consumer.assign([TopicPartition("t", 0)])
        consumer.seek_to_beginning()
        assert [int(message.value) for message in consumer] == list(range(3000))
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        assert shown(admin, "last") == ("page_cache", "DYNAMIC_TOPIC_CONFIG")
    ringlog.close(f"{tmp_path}/data")
