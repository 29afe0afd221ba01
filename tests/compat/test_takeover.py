"""A directory that ringlog wrote and closed is a Kafka log directory, and back again.

Apache Kafka 4.3.1 takes it over with static voters and with bootstrap servers, sees the same, works
on it, and ringlog goes on from there. While one has it open, the other is refused.
"""

import shutil
import subprocess
from pathlib import Path

import client_processes
import kafka_oracle
import pytest
import ringlog
import served
from ringlog import KafkaProducer
from ringlog.admin import ConfigResource, KafkaAdminClient, NewTopic

LEADERS_SECONDS_MAX = 6.0  # idle machines need less than 2; a registration left open costs 9 more
REFUSAL_SECONDS_MAX = 30


class Written:
    """A log that the client program filled through ringlog, and what ringlog reads in it."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.acknowledged = client_processes.run("ringlog", f"file:{directory}", "fill")
        self.read = client_processes.run("ringlog", f"file:{directory}", "read")

    def copy(self, target: Path) -> Path:
        shutil.copytree(self.directory, target)
        return target


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Written:
    return Written(tmp_path_factory.mktemp("written") / "data")


def files_below(log: Path, wanted) -> list[Path]:
    """Non-empty files of the partitions whose directory name is `wanted`, without deleted ones."""
    known = (".log", ".index", ".timeindex", ".txnindex", ".snapshot", ".checkpoint")
    return sorted(
        file
        for file in log.glob("*-*/*")
        if file.suffix in known
        and wanted(file.parent.name)
        and not file.parent.name.endswith("-delete")
        and file.stat().st_size
    )


def topics_of(read: dict) -> list[str]:
    return sorted({name.rpartition("-")[0] for name in read["partitions"]} | {"__consumer_offsets"})


def test_all_acknowledged_is_read_back(written):
    expected: dict[str, dict] = {}
    starts = {name: found["start"] for name, found in written.read["partitions"].items()}
    for topic, partition, offset, *content in written.acknowledged:
        name = f"{topic}-{partition}"
        if topic != "t.removed" and offset >= starts.get(name, 0):
            expected.setdefault(name, {})[offset] = content  # the later one of t.recreated
    for name, contents in expected.items():
        own_time = name.startswith("t.logappend")
        read = {
            offset: [None if own_time else timestamp, *rest]
            for offset, _, _, timestamp, *rest in written.read["partitions"][name]["records"]
        }
        if name.startswith("t.recreated"):
            contents = {offset: contents[offset] for offset in read}
        asked = {
            offset: [None if own_time else timestamp, *rest]
            for offset, (timestamp, *rest) in contents.items()
        }
        assert read == asked, name


def test_dump_log_segments_finds_no_fault(kafka_class_path, written):
    log = written.directory / "log"
    plain = files_below(log, lambda name: not name.startswith("__"))
    assert len([file for file in plain if "t.segments-size" in file.parent.name]) > 8
    dump = kafka_oracle.dump_log_segments(plain, "--deep-iteration")
    assert kafka_oracle.dump_faults(dump) == []
    records = sum(len(found["records"]) for found in written.read["partitions"].values())
    assert dump.count("\n| offset: ") >= records
    indexes = [file for file in plain if file.suffix in (".index", ".timeindex")]
    sane = kafka_oracle.dump_log_segments(indexes, "--index-sanity-check")
    assert sane.count("passed sanity check.") == len(indexes), sane

    offsets = files_below(log, lambda name: name.startswith("__consumer_offsets"))
    dump = kafka_oracle.dump_log_segments(offsets, "--offsets-decoder")
    assert kafka_oracle.dump_faults(dump) == []
    for group in written.read["groups"]:
        assert f'"group":"{group}"' in dump

    metadata = files_below(log, lambda name: name.startswith("__cluster_metadata"))
    dump = kafka_oracle.dump_log_segments(metadata, "--cluster-metadata-decoder")
    assert kafka_oracle.dump_faults(dump) == []
    assert dump.count('"type":"TOPIC_RECORD"') >= len(topics_of(written.read))


@pytest.mark.parametrize("quorum", ["static", "bootstrap"])
def test_kafka_takes_over_and_gives_back(kafka_server, written, tmp_path, quorum):
    directory = written.copy(tmp_path / "data")
    address = f"file:{directory}"
    topics = topics_of(written.read)

    server = kafka_server(directory / "log", quorum=quorum).start(topics)
    print(f"{quorum}: leaders after {server.seconds_to_leaders:.1f} s")
    assert server.seconds_to_leaders < LEADERS_SECONDS_MAX
    assert client_processes.run("kafka", server.bootstrap, "read") == written.read
    assert "g.member" in kafka_oracle.consumer_groups(
        server.bootstrap, "--describe", "--group", "g.member"
    )
    for topic in ("t.plain", "t.segments-size"):
        kafka_oracle.configs(
            server.bootstrap,
            *("--alter", "--entity-type", "topics", "--entity-name", topic),
            *("--add-config", "max.message.bytes=2000000"),
        )
    client_processes.run("kafka", server.bootstrap, "more", "t.by-kafka")
    seen_by_kafka = client_processes.run("kafka", server.bootstrap, "read")
    assert seen_by_kafka["configs"]["t.plain"]["max.message.bytes"] == "2000000"
    server.stop()
    assert server.complaints() == []

    assert client_processes.run("ringlog", address, "read") == seen_by_kafka
    client_processes.run("ringlog", address, "more", "t.by-ringlog")
    seen_by_us = client_processes.run("ringlog", address, "read")
    assert len(seen_by_us["partitions"]) == len(seen_by_kafka["partitions"]) + 2

    again = kafka_server(directory / "log", quorum=quorum).start([*topics, "t.by-ringlog"])
    assert again.seconds_to_leaders < LEADERS_SECONDS_MAX
    assert client_processes.run("kafka", again.bootstrap, "read") == seen_by_us
    again.stop()
    assert again.complaints() == []


def test_one_at_a_time(kafka_server, written, tmp_path):
    directory = written.copy(tmp_path / "data")
    log, address = directory / "log", f"file:{directory}"
    with client_processes.holding("ringlog", address):
        before = metadata_log(log)
        refused = kafka_server(log).spawn()
        assert refused.wait_ended(REFUSAL_SECONDS_MAX) != 0
        assert metadata_log(log) == before, "the refused Kafka wrote to our metadata log"
    assert client_processes.run("ringlog", address, "read") == written.read

    server = kafka_server(log).start(topics_of(written.read))
    with pytest.raises(RuntimeError, match=f"(?si)lock.*{server.pid}"):
        client_processes.run("ringlog", address, "read")
    assert client_processes.run("kafka", server.bootstrap, "read") == written.read
    server.stop()
    assert server.complaints() == []


def metadata_log(log: Path) -> dict[str, bytes]:
    """The metadata log as its files are now, without those that are preallocated."""
    files = (log / "__cluster_metadata-0").iterdir()
    return {file.name: file.read_bytes() for file in files if "index" not in file.suffix}


def test_kafka_killed_is_recovered_by_us(kafka_server, written, tmp_path):
    """The directory of a Kafka that was ended by SIGKILL opens, with all that it acknowledged."""
    directory = written.copy(tmp_path / "data")
    server = kafka_server(directory / "log").start(topics_of(written.read))
    client_processes.run("kafka", server.bootstrap, "more", "t.by-kafka")
    seen_by_kafka = client_processes.run("kafka", server.bootstrap, "read")
    server.kill()
    assert client_processes.run("ringlog", f"file:{directory}", "read") == seen_by_kafka


def test_what_we_refuse_we_leave_alone(written, tmp_path):
    """A process that is refused while another holds the log changes no file."""
    directory = written.copy(tmp_path / "data")
    with client_processes.holding("ringlog", f"file:{directory}") as holder:
        listing = subprocess.check_output(["find", directory, "-printf", "%P %s\n"], timeout=30)
        refused = subprocess.run(
            [served.PROGRAM, "recover", directory], capture_output=True, text=True, timeout=60
        )
        assert refused.returncode != 0 and str(holder.pid) in refused.stderr
        after = subprocess.check_output(["find", directory, "-printf", "%P %s\n"], timeout=30)
        assert sorted(after.splitlines()) == sorted(listing.splitlines())


def test_kafka_alters_a_topic_that_has_configs_of_ours(kafka_server, tmp_path):
    directory = tmp_path / "data"
    topic = ConfigResource("topic", "t.ours")
    with KafkaAdminClient(bootstrap_servers=f"file:{directory}") as admin:
        own = {"ringlog.durability": "page_cache", "retention.ms": "-1"}
        admin.create_topics([NewTopic(topic.name, topic_configs=own)])
    with KafkaProducer(bootstrap_servers=f"file:{directory}") as producer:
        producer.send(topic.name, b"first").get(10)
    ringlog.close(f"{directory}")

    server = kafka_server(directory / "log").start([topic.name])
    kafka_oracle.configs(
        server.bootstrap,
        *("--alter", "--entity-type", "topics", "--entity-name", topic.name),
        *("--add-config", "max.message.bytes=2000000"),
    )
    server.stop()
    assert server.complaints() == []
    with KafkaAdminClient(bootstrap_servers=f"file:{directory}") as admin:
        found = admin.describe_configs([topic])["topic"][topic.name]
    assert {name: config["value"] for name, config in found.items()} == {
        "max.message.bytes": "2000000",
        "retention.ms": "-1",
        "ringlog.durability": "page_cache",
    }
    ringlog.close(f"{directory}")
