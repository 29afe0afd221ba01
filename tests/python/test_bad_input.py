"""What is wrong is named by a Kafka error that helps, and nothing on disk changes."""

import os
import subprocess
import sys

import pytest
import ringlog
from conftest import produce
from ringlog import KafkaConsumer, KafkaProducer, errors
from ringlog.admin import KafkaAdminClient, NewTopic

# --- calls ----------------------------------------------------------------------------------------


@pytest.fixture
def producer(memory):
    with KafkaProducer(bootstrap_servers=memory, max_request_size=10_000) as made:
        yield made


def bad_send(error, match, *arguments, **named):
    return pytest.param(error, match, arguments, named, id=f"{arguments} {named}"[:60])


@pytest.mark.parametrize(
    "error, match, arguments, named",
    [
        bad_send(errors.MessageSizeTooLargeError, "10000", "t", bytes(10_001)),
        bad_send(ValueError, "key|value", "t"),
        bad_send(ValueError, "key|value", "t", None, None),
        bad_send(TypeError, "str.*value_serializer", "t", "text"),
        bad_send(TypeError, "int.*value_serializer", "t", 7),
        bad_send(TypeError, "str.*key_serializer", "t", b"v", "text"),
        bad_send(TypeError, "topic", None, b"v"),
        bad_send(TypeError, "topic", b"t", b"v"),
        bad_send(errors.InvalidTopicError, "empty", "", b"v"),
        bad_send(errors.InvalidTopicError, "249", "x" * 250, b"v"),
        bad_send(errors.InvalidTopicError, "a/b", "a/b", b"v"),
        bad_send(ValueError, "é", "é", b"v"),
        bad_send(errors.InvalidTopicError, r"\.\.", "..", b"v"),
        bad_send(TypeError, "headers", "t", b"v", None, (("h", b"1"),)),
        bad_send(TypeError, "headers", "t", b"v", None, {"h": b"1"}),
        bad_send(TypeError, "headers", "t", b"v", None, [("h", "1")]),
        bad_send(TypeError, "headers", "t", b"v", None, [(b"h", b"1")]),
        bad_send(TypeError, "headers", "t", b"v", None, [("h",)]),
        bad_send(ValueError, "partition.*1", "t", b"v", partition=1),
        bad_send(ValueError, "partition", "t", b"v", partition=-1),
        bad_send(ValueError, "partition", "t", b"v", partition=2**40),
        bad_send(TypeError, "partition", "t", b"v", partition="0"),
        bad_send(ValueError, "timestamp", "t", b"v", timestamp_ms=-1),
        bad_send(TypeError, "timestamp", "t", b"v", timestamp_ms="now"),
        bad_send(TypeError, "no_such", "t", b"v", no_such=1),
        bad_send(TypeError, "value", "t", b"v", value=b"w"),
        bad_send(TypeError, None, "t", b"v", None, None, None, None, None),
        bad_send(TypeError, None, value=b"v"),
    ],
)
def test_bad_sends(producer, memory, error, match, arguments, named):
    with pytest.raises(error, match=match) as caught:
        producer.send(*arguments, **named)
    assert isinstance(caught.value, errors.KafkaError) or "send" in str(caught.value)
    assert produce(producer, "t", b"fine")[0].offset == 0
    with KafkaConsumer(
        "t", bootstrap_servers=memory, auto_offset_reset="earliest", consumer_timeout_ms=300
    ) as consumer:
        assert [record.value for record in consumer] == [b"fine"]


def test_a_record_too_large_for_its_topic_fails_alone(memory, producer):
    with KafkaAdminClient(bootstrap_servers=memory) as admin:
        admin.create_topics([NewTopic("t", topic_configs={"max.message.bytes": "1000"})])
    with pytest.raises(errors.MessageSizeTooLargeError, match="max.message.bytes"):
        producer.send("t", bytes(2000)).get(timeout=10)
    assert produce(producer, "t", b"fine")[0].offset == 0


def test_bad_timeouts(producer, memory):
    future = producer.send("t", b"v")
    for call in (future.get, producer.flush, producer.close):
        with pytest.raises(TypeError):
            call(timeout="1")
    with KafkaConsumer("t", bootstrap_servers=memory) as consumer:
        for bad in ("1", 1.5, -1):
            with pytest.raises((ValueError, TypeError)):
                consumer.poll(timeout_ms=bad)
            with pytest.raises((ValueError, TypeError)):
                consumer.poll(max_records=bad)


# --- directories ----------------------------------------------------------------------------------

WRITER = """
import sys
from ringlog import KafkaProducer, close
producer = KafkaProducer(bootstrap_servers=sys.argv[1], batch_size=0)
for number in range(50):
    producer.send("t", f"{number:04d}".encode() + bytes(200), timestamp_ms=1000 + number).get(10)
if sys.argv[2] == "killed":
    import os
    os._exit(9)
close(sys.argv[1])
"""


def segment(directory, kind="log"):
    """A file of the only segment of t-0: the Kafka log directory is the folder `log`."""
    return directory / "log" / "t-0" / f"00000000000000000000.{kind}"


def write_log(directory, how="closed"):
    """50 records of topic t, one to a batch, by another process that closes the log or dies."""
    subprocess.run([sys.executable, "-c", WRITER, f"file:{directory}", how], timeout=60)
    if how == "closed":  # else they are in the journal
        assert segment(directory).stat().st_size > 50 * 200


def contents(directory):
    """Every file's bytes; the lock file is nobody's data."""
    return {
        path.relative_to(directory): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def refused(directory, error, match):
    """Opening is refused and leaves the directory as it is."""
    before = contents(directory) if directory.is_dir() else None
    with pytest.raises(error, match=match) as caught:
        ringlog.open(directory)
    assert isinstance(caught.value, errors.KafkaError)
    assert str(directory) in str(caught.value)
    assert before is None or contents(directory) == before


def read(directory, topic="t"):
    """The numbers of the records that are there."""
    try:
        with KafkaConsumer(
            topic, bootstrap_servers=f"file:{directory}", auto_offset_reset="earliest",
            consumer_timeout_ms=300,
        ) as consumer:  # fmt: skip
            return [int(record.value[:4]) for record in consumer]
    finally:
        ringlog.close(directory)


def test_a_foreign_directory(tmp_path):
    (tmp_path / "thesis.txt").write_text("years of work")
    refused(tmp_path, errors.KafkaStorageError, "thesis.txt")


def test_a_file_is_no_directory(tmp_path):
    (tmp_path / "file").write_text("text")
    refused(tmp_path / "file", errors.KafkaStorageError, "not a directory|no directory")
    assert (tmp_path / "file").read_text() == "text"


def test_a_directory_of_a_newer_format(tmp_path):
    write_log(tmp_path)
    meta = tmp_path / "log" / "meta.properties"
    meta.write_text(meta.read_text().replace("version=1", "version=9"))
    refused(tmp_path, errors.UnsupportedVersionError, "version.*9")


def test_a_directory_with_the_journal_of_a_newer_version(tmp_path):
    write_log(tmp_path)
    checkpoint = tmp_path / "journal" / "checkpoint"
    content = bytearray(checkpoint.read_bytes())
    content[12:14] = (9).to_bytes(2, "big")
    checkpoint.write_bytes(content)
    refused(tmp_path, errors.UnsupportedVersionError, "newer ringlog")


def test_a_damaged_journal_checkpoint_of_a_killed_process(tmp_path):
    write_log(tmp_path, "killed")
    checkpoint = tmp_path / "journal" / "checkpoint"
    content = bytearray(checkpoint.read_bytes())
    content[-1] ^= 1
    checkpoint.write_bytes(content)
    refused(tmp_path, errors.CorruptRecordError, "checksum")


def test_damaged_meta_properties(tmp_path):
    write_log(tmp_path)
    (tmp_path / "log" / "meta.properties").write_bytes(b"\x00\xffgarbage\n")
    refused(tmp_path, errors.KafkaStorageError, "meta.properties")


OPEN_AS_NOBODY = """
import os, sys, traceback
import ringlog
if os.getuid() == 0:
    os.setgid(65534)
    os.setuid(65534)
try:
    ringlog.open(sys.argv[1])
except ringlog.errors.KafkaStorageError as error:
    print(error)
"""


def open_as_nobody(directory):
    """What the error says when somebody without rights opens it."""
    done = subprocess.run(
        [sys.executable, "-c", OPEN_AS_NOBODY, directory],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def readable_path(tmp_path):
    """The test's folder, to which everybody may come."""
    changed = {}
    for folder in (tmp_path, *tmp_path.parents):
        mode = folder.stat().st_mode
        if mode & 0o055 != 0o055 and folder.stat().st_uid == os.getuid():
            changed[folder] = mode
            folder.chmod(mode | 0o055)
    yield tmp_path
    for folder, mode in changed.items():
        folder.chmod(mode)


def test_missing_permissions(readable_path):
    log = readable_path / "log"
    write_log(log)
    before = contents(log)
    log.chmod(0o700 if os.getuid() == 0 else 0o500)
    try:
        assert "ermission" in open_as_nobody(log)
        assert "ermission" in open_as_nobody(log / "below")
    finally:
        log.chmod(0o700)
    assert contents(log) == before


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0x40
    path.write_bytes(data)


def test_a_wrong_checksum_is_named_with_its_offset(tmp_path):
    write_log(tmp_path)
    log = segment(tmp_path)
    batch = log.stat().st_size // 50
    flip(log, 20 * batch + 100)
    before = log.read_bytes()
    with KafkaConsumer(
        "t", bootstrap_servers=f"file:{tmp_path}", auto_offset_reset="earliest",
        consumer_timeout_ms=300,
    ) as consumer:  # fmt: skip
        seen = []
        with pytest.raises(errors.CorruptRecordError, match="t-0.*20"):
            for record in consumer:
                seen.append(int(record.value[:4]))
        assert seen == list(range(20))
        consumer.seek(ringlog.TopicPartition("t", 0), 21)
        assert [int(record.value[:4]) for record in consumer] == list(range(21, 50))
    ringlog.close(tmp_path)
    assert log.read_bytes() == before


def test_a_torn_tail_is_cut_off(tmp_path):
    write_log(tmp_path)
    log = segment(tmp_path)
    (tmp_path / "log" / ".kafka_cleanshutdown").unlink()
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:150])
    assert read(tmp_path) == list(range(50))
    assert log.read_bytes()[: len(whole)] == whole
    with KafkaProducer(bootstrap_servers=f"file:{tmp_path}") as producer:
        assert produce(producer, "t", b"0050")[0].offset == 50
    assert read(tmp_path) == list(range(51))


def test_a_truncated_index_is_built_again(tmp_path):
    write_log(tmp_path)
    (tmp_path / "log" / ".kafka_cleanshutdown").unlink()
    for kind in ("index", "timeindex"):
        segment(tmp_path, kind).write_bytes(b"\x00" * 7)
    assert read(tmp_path) == list(range(50))
    with KafkaConsumer(bootstrap_servers=f"file:{tmp_path}") as consumer:
        partition = ringlog.TopicPartition("t", 0)
        assert consumer.offsets_for_times({partition: 1030})[partition].offset == 30
    ringlog.close(tmp_path)


def test_a_killed_writer_leaves_a_log_that_opens(tmp_path):
    write_log(tmp_path, how="killed")
    assert read(tmp_path) == list(range(50))


FULL_DISK = """
import sys
from ringlog import KafkaProducer, errors
producer = KafkaProducer(
    bootstrap_servers=f"file:{sys.argv[1]}?log.segment.bytes=1048576", delivery_timeout_ms=4000,
    request_timeout_ms=1000, max_block_ms=4000)
durable = 0
try:
    for number in range(100_000):
        producer.send("t", f"{number:06d}".encode() + bytes(10_000)).get(10)
        durable += 1
except errors.KafkaStorageError as error:
    print(durable, type(error).__name__, error)
"""

READ_BACK = """
import sys
from ringlog import KafkaConsumer
consumer = KafkaConsumer("t", bootstrap_servers=f"file:{sys.argv[1]}",
                         auto_offset_reset="earliest", consumer_timeout_ms=500)
print(*[int(record.value[:6]) for record in consumer])
"""


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", disk], capture_output=True
    )
    if mounted.returncode != 0:
        pytest.skip("no permission to mount a small file system")
    yield disk
    subprocess.run(["umount", "-l", disk], check=True)


def test_a_full_disk(small_disk):
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, small_disk], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    durable, error, message = done.stdout.split(maxsplit=2)
    assert error == "KafkaStorageError" and ("space" in message or "full" in message)
    assert int(durable) > 100
    subprocess.run(["mount", "-o", "remount,size=64m", small_disk], check=True)
    found = subprocess.run(
        [sys.executable, "-c", READ_BACK, small_disk], capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    numbers = [int(number) for number in found.stdout.split()]
    assert numbers[: int(durable)] == list(range(int(durable)))
    assert numbers == sorted(set(numbers))
