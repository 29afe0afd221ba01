"""Several processes on one `file:` directory: through the owner's socket, and over its end."""

import os
import random
import signal
import socket
import subprocess
import sys
import time

import pytest
import ringlog
import served
from conftest import produce
from ringlog import KafkaConsumer, KafkaProducer, TopicPartition, errors
from ringlog.admin import KafkaAdminClient
from ringlog_program import PROGRAM, needs_program, values
from sharing import PEER, Peers, owner_of, spawn, stop, wait_until

KILLS = int(os.environ.get("RINGLOG_TAKEOVERS", "10"))
SEED = int(os.environ.get("RINGLOG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)

#: Has the log open and says so, sends a record, answers each line with another one.
OWNER = """
import sys
from ringlog import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
producer.send("t", b"owner").get(60)
print("ready", flush=True)
for line in sys.stdin:
    producer.send("t", line.strip().encode()).get(60)
    print("sent", flush=True)
producer.close()
"""


class Owner:
    """OWNER on a directory, until the end of the `with`."""

    def __init__(self, address):
        self._process = spawn(OWNER, address)
        self.pid = self._process.pid
        assert self._process.stdout.readline() == "ready\n"

    def send(self, value):
        self._process.stdin.write(value + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "sent\n"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()

    def kill(self):
        self._process.kill()
        self._process.wait(60)


@pytest.mark.timeout(240)
@pytest.mark.parametrize("first", ["produce", "consume", "own"])
def test_the_owner_is_killed_in_the_middle(tmp_path, first):
    with Peers(tmp_path) as peers:
        peers.start(first)
        for role in {"produce", "consume"} - {first}:
            peers.start(role)
        assert peers.role_of_owner() == first
        peers.wait_for_progress()
        peers.kill(first)
        peers.start(first)
        peers.wait_for_progress()
        assert peers.role_of_owner() != first
        peers.check()


@pytest.mark.timeout(100 + KILLS * 30)
@pytest.mark.parametrize("engine", ["uring", "epoll"])
def test_three_processes_and_ten_kills_in_a_row(tmp_path, monkeypatch, engine):
    print(f"RINGLOG_SEED={SEED}")
    monkeypatch.setenv("RINGLOG_IO", engine)
    dice = random.Random(SEED)
    with Peers(tmp_path) as peers:
        for role in ("own", "produce", "consume"):
            peers.start(role)
        killed = []
        for _ in range(KILLS):
            peers.wait_for_progress()
            time.sleep(dice.uniform(0, 0.1))
            wait_until("an owner", peers.role_of_owner)
            killed.append(peers.role_of_owner())
            peers.kill(killed[-1])
            peers.start(killed[-1])
        print("killed owners:", killed)
        peers.wait_for_progress()
        peers.check()
        assert sum(peers.acknowledged) > 50 * KILLS


def test_both_sides_of_the_socket_are_one_log(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(address) as owner:
        with KafkaProducer(bootstrap_servers=address) as producer:
            assert [record.offset for record in produce(producer, "t", b"1", b"2")] == [1, 2]
            owner.send("3")
        assert owner_of(tmp_path) == owner.pid
        assert values(address, "t") == [b"owner", b"1", b"2", b"3"]
        with KafkaAdminClient(bootstrap_servers=address) as admin:
            assert admin.list_topics() == ["t"]
    assert not (tmp_path / "ringlog.sock").exists()


def test_when_the_owner_ends_another_goes_on(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(address):
        producer = KafkaProducer(bootstrap_servers=address)
        produce(producer, "t", b"1")
    assert [record.offset for record in produce(producer, "t", b"2", b"3")] == [2, 3]
    assert owner_of(tmp_path) == os.getpid()
    with Owner(address) as guest:
        guest.send("4")
        assert values(address, "t") == [b"owner", b"1", b"2", b"3", b"owner", b"4"]
    producer.close()
    ringlog.close(tmp_path)
    assert owner_of(tmp_path) is None


def test_closing_the_log_that_was_taken_over_ends_its_clients(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(address):
        producer = KafkaProducer(bootstrap_servers=address)
    produce(producer, "t", b"1")
    ringlog.close(tmp_path)
    with pytest.raises(errors.IllegalStateError):
        producer.send("t", b"2").get(10)
    producer.close()


def test_a_group_goes_on_with_the_next_owner(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(address) as owner:
        consumer = KafkaConsumer(
            "t", bootstrap_servers=address, group_id="g", auto_offset_reset="earliest"
        )
        assert next(consumer).value == b"owner"
        consumer.commit()
        owner.send("1")
        assert next(consumer).value == b"1"
        owner.kill()
        consumer.commit()
    assert owner_of(tmp_path) == os.getpid()
    with KafkaProducer(bootstrap_servers=address) as producer:
        produce(producer, "t", b"2")
    assert next(consumer).value == b"2"
    assert consumer.committed(TopicPartition("t", 0)) == 2
    consumer.close()
    ringlog.close(tmp_path)


def test_paths_longer_than_a_socket_takes(tmp_path):
    directory = tmp_path / ("a" * 120) / ("b" * 120)
    with Owner(f"file:{directory}") as owner:
        owner.send("1")
        assert values(f"file:{directory}", "t") == [b"owner", b"1"]


def test_a_bare_kafka_directory_has_its_socket_beside_it(tmp_path):
    ringlog.open(tmp_path / "first")
    ringlog.close(tmp_path / "first")
    (tmp_path / "first" / "log").rename(tmp_path / "kafka")
    with Owner(f"file:{tmp_path}/kafka"):
        assert (tmp_path / "kafka.ringlog" / "ringlog.sock").is_socket()
        assert values(f"file:{tmp_path}/kafka", "t") == [b"owner"]


def test_what_killed_owners_left_is_replaced(tmp_path):
    for name in ("ringlog.sock", "ringlog.sock.0123"):
        with socket.socket(socket.AF_UNIX) as left:
            left.bind(str(tmp_path / name))
    with Owner(f"file:{tmp_path}"):
        assert not (tmp_path / "ringlog.sock.0123").exists()
        assert values(f"file:{tmp_path}", "t") == [b"owner"]


def test_who_listens_there_without_the_lock_is_not_asked(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(address) as owner, socket.socket(socket.AF_UNIX) as wrong:
        os.rename(tmp_path / "ringlog.sock", tmp_path / "aside")
        wrong.bind(str(tmp_path / "ringlog.sock"))
        wrong.listen()
        with pytest.raises(errors.NoBrokersAvailable, match=f"process {owner.pid}.*does not list"):
            KafkaProducer(bootstrap_servers=address, default_api_timeout_ms=1000)
        os.rename(tmp_path / "aside", tmp_path / "ringlog.sock")
        assert values(address, "t") == [b"owner"]


def test_a_stopped_owner_is_waited_for_and_named(tmp_path):
    address = f"file:{tmp_path}"
    patience = {"default_api_timeout_ms": 1000}
    with Owner(address) as owner:
        with KafkaConsumer(bootstrap_servers=address, **patience) as consumer:
            partition = TopicPartition("t", 0)
            assert consumer.end_offsets([partition]) == {partition: 1}
            stop(owner.pid)
            begun = time.monotonic()
            with pytest.raises(errors.KafkaTimeoutError, match=f"process {owner.pid}.*stopped"):
                consumer.end_offsets([partition])
            with pytest.raises(errors.NoBrokersAvailable, match=f"process {owner.pid}.*stopped"):
                KafkaProducer(bootstrap_servers=address, **patience)
            assert 2 <= time.monotonic() - begun < 30
            os.kill(owner.pid, signal.SIGCONT)
            assert consumer.end_offsets([partition]) == {partition: 1}


def test_many_who_start_at_once_have_one_owner(tmp_path):
    peers = [spawn(OWNER, f"file:{tmp_path}/log") for _ in range(4)]
    try:
        for each in peers:
            assert each.stdout.readline() == "ready\n"
        assert owner_of(tmp_path / "log") in [each.pid for each in peers]
        assert values(f"file:{tmp_path}/log", "t") == [b"owner"] * 4
    finally:
        for each in peers:
            each.stdin.close()
            each.wait(60)
            each.stdout.close()


FORKING = """
import os, sys
from ringlog import KafkaProducer, errors
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
producer.send("t", b"parent").get(60)
print("ready", flush=True)
sys.stdin.readline()
if os.fork() == 0:
    another = lambda: KafkaProducer(bootstrap_servers=sys.argv[1])
    for use in another, lambda: producer.send("t", b"no").get(60):
        try:
            use()
        except errors.ForkedProcessError:
            print("refused", flush=True)
sys.stdin.read()
os._exit(0)
"""


def test_a_forked_child_keeps_nothing_of_its_parent(tmp_path):
    address = f"file:{tmp_path}"
    process = spawn(FORKING, address)
    assert process.stdout.readline() == "ready\n"
    with KafkaConsumer("t", bootstrap_servers=address, auto_offset_reset="earliest") as consumer:
        assert next(consumer).value == b"parent"
        process.stdin.write("fork\n")
        process.stdin.flush()
        assert process.stdout.readline() == "refused\n"
        assert process.stdout.readline() == "refused\n"
        process.kill()
        begun = time.monotonic()
        with KafkaProducer(bootstrap_servers=address) as producer:
            produce(producer, "t", b"after")
        assert next(consumer).value == b"after"
        assert time.monotonic() - begun < 25  # less than until a request counts as lost
        assert owner_of(tmp_path) == os.getpid()
    process.stdin.close()
    process.wait(60)
    process.stdout.close()
    ringlog.close(tmp_path)


def test_other_settings_than_the_owners_are_refused(tmp_path):
    address = f"file:{tmp_path}"
    with Owner(f"{address}?num.partitions=3") as owner:
        with KafkaConsumer(bootstrap_servers=f"{address}?num.partitions=3") as consumer:
            assert consumer.partitions_for_topic("t") == {0, 1, 2}
        with pytest.raises(errors.KafkaConfigurationError, match=f"{owner.pid}.*num.partitions=3"):
            KafkaConsumer(bootstrap_servers=f"{address}?num.partitions=4")
        with pytest.raises(errors.KafkaConfigurationError, match="num.partitions"):
            ringlog.open(tmp_path, config={"num.partition": 3})
        ringlog.open(tmp_path)
        ringlog.close(tmp_path)


def test_who_locks_and_does_not_share_is_named(tmp_path):
    ringlog.open(tmp_path)
    ringlog.close(tmp_path)
    locking = spawn(
        "import fcntl, sys; lock = open(sys.argv[1], 'r+'); fcntl.lockf(lock, fcntl.LOCK_EX);"
        "print('locked', flush=True); sys.stdin.read()",
        tmp_path / "log" / ".lock",
    )
    assert locking.stdout.readline() == "locked\n"
    with pytest.raises(errors.LogDirLockedError, match=f"process {locking.pid}"):
        KafkaProducer(bootstrap_servers=f"file:{tmp_path}")
    locking.stdin.close()
    locking.wait(60)
    locking.stdout.close()


@needs_program
def test_tools_ask_the_owner(tmp_path):
    address = f"file:{tmp_path}"
    with KafkaProducer(bootstrap_servers=address) as producer:
        produce(producer, "t", b"1")

        def tool(*arguments):
            command = [PROGRAM, *arguments]
            return subprocess.run(command, capture_output=True, text=True, timeout=60)

        listed = tool("topics", "--bootstrap-server", address, "--list")
        assert (listed.returncode, listed.stdout, listed.stderr) == (0, "t\n", "")
        assert str(os.getpid()) in tool("check", tmp_path).stderr
        produce(producer, "t", b"2")
    ringlog.close(tmp_path)


@needs_program
def test_a_server_is_an_owner_too(tmp_path):
    address = f"file:{tmp_path}"
    with served.Served(tmp_path) as server:
        with KafkaProducer(bootstrap_servers=address) as producer:
            produce(producer, "t", b"1")
        assert values(server.bootstrap, "t") == [b"1"]
        assert values(address, "t") == [b"1"]


def test_a_script_over_the_socket_that_closes_nothing_delivers_and_ends(tmp_path):
    address = f"file:{tmp_path}"
    script = (
        "import sys; from ringlog import KafkaProducer;"
        "producer = KafkaProducer(bootstrap_servers=sys.argv[1], linger_ms=60000);"
        "[producer.send('t', str(number).encode()) for number in range(1000)]"
    )
    with Owner(address):
        ran = subprocess.run(
            [sys.executable, "-c", script, address], capture_output=True, text=True, timeout=60
        )
        assert (ran.returncode, ran.stderr) == (0, "")
        assert values(address, "t")[1:] == [str(number).encode() for number in range(1000)]


def test_peers_end_with_their_input(tmp_path):
    process = subprocess.Popen(
        [sys.executable, str(PEER), f"file:{tmp_path}", "own"], stdin=subprocess.PIPE
    )
    process.stdin.close()
    assert process.wait(60) == 0
