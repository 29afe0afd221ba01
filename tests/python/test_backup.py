"""`ringlog.backup` and `ringlog backup`: a copy as of one moment, while producers write."""

import json
import os
import subprocess
import sys
import threading

import pytest
import ringlog
from ringlog import KafkaConsumer, KafkaProducer, TopicPartition
from ringlog_program import PROGRAM, needs_program, values

PARTITIONS = 3
WRITERS = 2

pytestmark = needs_program


def run(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def all_values(address, topic="t", partitions=PARTITIONS):
    """The values of each partition."""
    found = {number: values(address, topic, number) for number in range(partitions)}
    ringlog.close(address)
    return found


class Writer(threading.Thread):
    """Sends numbered records until it is ended; keeps by partition which were acknowledged."""

    def __init__(self, address, name):
        super().__init__()
        self.address, self.prefix = address, name
        self.acknowledged = [[] for _ in range(PARTITIONS)]
        self.sent = [0] * PARTITIONS
        self.ended = threading.Event()

    def run(self):
        producer = KafkaProducer(bootstrap_servers=self.address)
        while not self.ended.is_set():
            futures = []
            for number in range(300):
                to = number % PARTITIONS
                value = b"%s %d %s" % (self.prefix, self.sent[to], b"x" * 300)
                self.sent[to] += 1
                futures.append((to, value, producer.send("t", value, partition=to)))
            for to, value, future in futures:
                future.get(timeout=30)
                self.acknowledged[to].append(value)
        producer.close()


@pytest.fixture
def written(tmp_path):
    """A log with small segments that were rolled, in this process; closed after the test."""
    from ringlog import KafkaAdminClient
    from ringlog.admin import NewTopic

    address = f"file:{tmp_path}/data"
    admin = KafkaAdminClient(bootstrap_servers=address)
    configs = {"segment.bytes": "1048576"}
    admin.create_topics([NewTopic("t", PARTITIONS, 1, topic_configs=configs)])
    admin.close()
    yield address
    ringlog.close(address)


def test_under_load(written, tmp_path):
    writers = [Writer(written, b"w%d" % number) for number in range(WRITERS)]
    for writer in writers:
        writer.start()
    copies = []
    try:
        for number in range(3):
            threading.Event().wait(0.7)
            known = [[list(part) for part in writer.acknowledged] for writer in writers]
            target = tmp_path / f"copy {number}"
            ringlog.backup(written, target)
            copies.append((target, known))
    finally:
        for writer in writers:
            writer.ended.set()
        for writer in writers:
            writer.join()
    assert sorted(file.name for file in tmp_path.iterdir()) == [
        *(target.name for target, _ in copies),
        "data",
    ]
    for target, known in copies:
        status, said, _ = run("check", "--json", str(target))
        assert status == 0 and json.loads(said)["findings"] == [], said
        assert (target / ".kafka_cleanshutdown").exists()
        found = all_values(f"file:{target}")
        for writer, acknowledged in zip(writers, known):
            for to, expected in enumerate(acknowledged):
                own = [value for value in found[to] if value.startswith(writer.prefix + b" ")]
                assert own[: len(expected)] == expected
                assert len(own) <= writer.sent[to]
    assert all(any(part for part in known[0]) for _, known in copies[1:])


def test_the_program_copies_a_closed_and_a_killed_directory(tmp_path):
    program = "import os, sys; from ringlog import KafkaProducer;"
    program += "p = KafkaProducer(bootstrap_servers=sys.argv[1]);"
    program += "[p.send('t', b'%d' % n, partition=0).get() for n in range(50)];"
    program += "sys.argv[2] == 'killed' and os.kill(os.getpid(), 9)"
    for how in ("closed", "killed"):
        data, target = tmp_path / how, tmp_path / f"{how}-copy"
        target.mkdir()
        subprocess.run([sys.executable, "-c", program, f"file:{data}", how], timeout=60)
        assert run("backup", data, target) == (0, "", "")
        assert (target / "meta.properties").exists()
        assert run("check", target)[0] == 0
        expected = {0: [b"%d" % number for number in range(50)]}
        assert all_values(f"file:{target}", partitions=1) == expected
        assert all_values(f"file:{data}", partitions=1) == expected


def test_a_copy_keeps_groups_configs_and_log_starts(written, tmp_path):
    from ringlog import KafkaAdminClient, OffsetAndMetadata
    from ringlog.admin import ConfigResource, ConfigResourceType

    one = TopicPartition("t", 0)
    producer = KafkaProducer(bootstrap_servers=written)
    for number in range(10):
        producer.send("t", b"%d" % number, partition=0).get(timeout=10)
    producer.close()
    consumer = KafkaConsumer(bootstrap_servers=written, group_id="g")
    consumer.assign([one])
    consumer.commit({one: OffsetAndMetadata(7, "seven")})
    consumer.close()
    admin = KafkaAdminClient(bootstrap_servers=written)
    admin.delete_records({one: 4})
    admin.close()
    ringlog.backup(written, tmp_path / "copy")
    address = f"file:{tmp_path}/copy"
    admin = KafkaAdminClient(bootstrap_servers=address)
    assert admin.list_group_offsets(["g"])["g"][one].offset == 7
    resource = ConfigResource(ConfigResourceType.TOPIC, "t")
    described = admin.describe_configs([resource])["topic"]["t"]
    assert described["segment.bytes"]["value"] == "1048576"
    admin.close()
    consumer = KafkaConsumer(bootstrap_servers=address)
    assert consumer.beginning_offsets([one])[one] == 4
    assert consumer.end_offsets([one])[one] == 10
    consumer.close()
    ringlog.close(address)


def durability_of(address, *topics):
    from ringlog import KafkaAdminClient
    from ringlog.admin import ConfigResource

    admin = KafkaAdminClient(bootstrap_servers=address)
    asked = [ConfigResource("topic", topic) for topic in topics]
    described = admin.describe_configs(asked, config_filter="all")
    admin.close()
    return [described["topic"][topic]["ringlog.durability"]["value"] for topic in topics]


def test_a_copy_keeps_what_kafka_does_not_know(written, tmp_path):
    from ringlog import KafkaAdminClient
    from ringlog.admin import ConfigResource, NewTopic

    admin = KafkaAdminClient(bootstrap_servers=written)
    cached = {"ringlog.durability": "page_cache"}
    admin.create_topics([NewTopic("cached", 1, 1, topic_configs=cached)])
    admin.create_topics([NewTopic("gone", 1, 1, topic_configs=cached)])
    admin.delete_topics(["gone"])
    ringlog.backup(written, tmp_path / "first")
    admin.alter_configs([ConfigResource("broker", "1", cached)])
    admin.close()
    ringlog.backup(written, tmp_path / "second")
    ringlog.backup(f"file:{tmp_path}/first", tmp_path / "first again")
    expected = {
        "first": ["fsync", "page_cache"],
        "first again": ["fsync", "page_cache"],
        "second": ["page_cache", "page_cache"],
    }
    for name, wanted in expected.items():
        address = f"file:{tmp_path / name}"
        assert durability_of(address, "t", "cached") == wanted
        assert all_values(address, "cached", 1) == {0: []}
    kept = sorted(file.name for file in tmp_path.iterdir() if file.name.endswith(".ringlog"))
    assert kept == ["first again.ringlog", "first.ringlog", "second.ringlog"]


def test_what_is_left_beside_the_target_is_refused(written, tmp_path):
    from ringlog.errors import KafkaError

    (tmp_path / "copy.ringlog").mkdir()
    ringlog.backup(written, tmp_path / "copy")
    all_values(f"file:{tmp_path}/copy", partitions=1)
    assert (tmp_path / "copy.ringlog" / "journal").exists()
    (tmp_path / "copy").rename(tmp_path / "elsewhere")
    with pytest.raises(KafkaError, match=r"copy\.ringlog holds 'journal'"):
        ringlog.backup(written, tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_refusals_leave_nothing_behind(written, tmp_path):
    from ringlog.errors import KafkaError

    taken = tmp_path / "taken"
    taken.mkdir()
    (taken / "file").write_text("mine")
    with pytest.raises(KafkaError, match="file"):
        ringlog.backup(written, taken)
    assert [file.name for file in taken.iterdir()] == ["file"]
    status, _, said = run("backup", tmp_path / "data", tmp_path / "new")
    assert status == 2 and str(os.getpid()) in said
    assert run("backup", tmp_path / "none", tmp_path / "new")[0] == 2
    assert sorted(file.name for file in tmp_path.iterdir()) == ["data", "taken"]


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system is mounted by root only")
def test_a_full_disk_leaves_nothing_behind(written, tmp_path):
    from ringlog.errors import KafkaError

    producer = KafkaProducer(bootstrap_servers=written)
    for number in range(40):
        producer.send("t", os.urandom(100_000), partition=number % PARTITIONS)
    producer.flush()
    producer.close()
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", small])
    if mounted.returncode:
        pytest.skip("no file system can be mounted here")
    try:
        with pytest.raises(KafkaError, match="(?i)space"):
            ringlog.backup(written, small / "copy")
        assert list(small.iterdir()) == []
    finally:
        subprocess.run(["umount", small], check=True)
    ringlog.backup(written, tmp_path / "copy")
