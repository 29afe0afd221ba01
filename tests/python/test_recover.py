"""`ringlog recover`: what a killed process left becomes a Kafka log directory with all it holds."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import ringlog
from conftest import produce
from ringlog import KafkaProducer
from ringlog_program import PROGRAM, contents, needs_program, run, values

RECORDS = 300

pytestmark = needs_program

VICTIM = """
import os, sys
from ringlog import KafkaProducer
producer = KafkaProducer(bootstrap_servers=sys.argv[1])
for number in range(300):
    producer.send("orders", b"%d" % number).get(timeout=10)
os.kill(os.getpid(), 9)
"""


def recover(directory):
    return run("recover", directory)


def numbers(address):
    found = [int(value) for value in values(address, "orders")]
    ringlog.close(address)
    return found


def kill_a_writer(directory):
    subprocess.run([sys.executable, "-c", VICTIM, f"file:{directory}"], timeout=60)


def assert_is_kafkas(log: Path):
    assert (log / "meta.properties").exists() and (log / ".kafka_cleanshutdown").exists()
    assert not (log / "meta.properties.ringlog").exists()
    assert (log / "orders-0" / "00000000000000000000.log").stat().st_size > RECORDS * 60
    assert (log / "orders-0" / f"{RECORDS:020}.snapshot").exists()
    assert f"orders 0 {RECORDS}\n" in (log / "recovery-point-offset-checkpoint").read_text()


def test_after_a_kill(tmp_path):
    data = tmp_path / "data"
    kill_a_writer(data)
    assert not (data / "log" / "meta.properties").exists()
    status, said = recover(data)
    assert status == 0, said
    assert said["recovered"] and said["blocks"] >= RECORDS and said["batches"] >= RECORDS
    assert said["bytes"] > RECORDS * 60 and said["partitions"] >= 2
    assert_is_kafkas(data / "log")
    assert recover(data / "log")[1]["recovered"] is False  # and by its other name
    assert numbers(f"file:{data}") == list(range(RECORDS))


def test_a_kafka_log_directory_that_was_opened_in_place(tmp_path):
    KafkaProducer(bootstrap_servers=f"file:{tmp_path}/first").close()
    ringlog.close(f"file:{tmp_path}/first")
    kafka = tmp_path / "kafka"
    (tmp_path / "first" / "log").rename(kafka)
    kill_a_writer(kafka)
    assert (tmp_path / "kafka.ringlog" / "journal" / "checkpoint").exists()
    status, said = recover(kafka)
    assert (status, said["recovered"]) == (0, True)
    assert_is_kafkas(kafka)
    assert numbers(f"file:{kafka}") == list(range(RECORDS))


def test_what_was_closed_is_left_alone(tmp_path):
    address = f"file:{tmp_path}/data"
    producer = KafkaProducer(bootstrap_servers=address)
    produce(producer, "orders", b"0")
    producer.close()
    status, said = recover(tmp_path / "data")
    assert status == 2 and str(os.getpid()) in said  # it is open
    ringlog.close(address)
    before = contents(tmp_path)
    status, said = recover(tmp_path / "data")
    assert (status, said["recovered"], said["blocks"]) == (0, False, 0)
    assert contents(tmp_path) == before
    (tmp_path / "empty").mkdir()
    assert recover(tmp_path / "empty")[0] == 2
    assert list((tmp_path / "empty").iterdir()) == []


def test_what_another_program_used_is_refused(tmp_path):
    data = tmp_path / "data"
    kill_a_writer(data)
    log = data / "log"
    identity = (log / "meta.properties.ringlog").read_bytes()
    (log / "meta.properties").write_bytes(identity)
    before = contents(tmp_path)
    status, said = recover(data)
    assert status == 2 and "another program" in said and "meta.properties.ringlog" in said
    assert contents(tmp_path) == before
    (log / "meta.properties").unlink()
    assert recover(data)[0] == 0
    assert numbers(f"file:{data}") == list(range(RECORDS))


def test_what_was_used_and_set_aside_again_is_refused(tmp_path):
    """The metadata log's epoch tells. Here the other program is ringlog without the journal."""
    data = tmp_path / "data"
    kill_a_writer(data)
    log = data / "log"
    (data / "journal").rename(tmp_path / "journal")
    (log / "meta.properties.ringlog").rename(log / "meta.properties")
    ringlog.open(str(data))
    ringlog.close(str(data))
    shutil.rmtree(data / "journal")
    (tmp_path / "journal").rename(data / "journal")
    (log / "meta.properties").rename(log / "meta.properties.ringlog")
    before = contents(tmp_path)
    status, said = recover(data)
    assert status == 2 and "another program" in said and "epoch" in said
    with pytest.raises(ringlog.errors.LogDirUnreadableError, match="another program"):
        ringlog.open(str(data))
    assert contents(tmp_path) == before


def test_interrupted_at_any_moment_it_can_be_run_again(tmp_path):
    data = tmp_path / "data"
    kill_a_writer(data)
    for moment in (0.001, 0.005, 0.01, 0.02, 0.03, 0.05):
        with subprocess.Popen([PROGRAM, "recover", data], stdout=subprocess.DEVNULL) as running:
            try:
                running.wait(moment)
            except subprocess.TimeoutExpired:
                running.kill()
    assert recover(data)[0] == 0
    assert_is_kafkas(data / "log")
    assert numbers(f"file:{data}") == list(range(RECORDS))
