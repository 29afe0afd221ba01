"""`ringlog check`: what the Python module writes is clean, what is broken is found and repaired."""

import os
import subprocess
import sys

import pytest
import ringlog
from conftest import produce
from ringlog_program import check, needs_program

pytestmark = needs_program


def write(address):
    from ringlog import KafkaConsumer, KafkaProducer

    for compression in (None, "gzip", "lz4", "snappy", "zstd"):
        producer = KafkaProducer(bootstrap_servers=address, compression_type=compression)
        produce(producer, "orders", *(b"value %d" % number for number in range(200)), key=b"k")
        producer.close()
    consumer = KafkaConsumer(
        "orders",
        bootstrap_servers=address,
        group_id="readers",
        auto_offset_reset="earliest",
        consumer_timeout_ms=5000,
    )
    for _ in range(1000):
        next(consumer)
    consumer.commit()
    consumer.close()


@pytest.fixture
def closed(tmp_path):
    import ringlog

    address = f"file:{tmp_path}/data"
    write(address)
    ringlog.close(address)
    return tmp_path / "data"


def test_what_the_module_writes_is_clean(closed):
    before = sorted(closed.rglob("*"))
    status, said = check(closed)
    assert (status, said["findings"]) == (0, [])
    orders = [one for one in said["partitions"] if one["topic"] == "orders"]
    assert sum(one["records"] for one in orders) == 1000
    assert {"__cluster_metadata", "__consumer_offsets"} <= {
        one["topic"] for one in said["partitions"]
    }
    assert check(f"file:{closed}/log")[0] == 0
    assert sorted(closed.rglob("*")) == before


def test_an_open_directory_is_refused_with_the_owners_pid(tmp_path):
    import ringlog

    address = f"file:{tmp_path}/data"
    write(address)
    status, said = check(tmp_path / "data")
    assert status == 2 and str(os.getpid()) in said
    ringlog.close(address)


def test_killed(tmp_path):
    program = "import os, sys; sys.path.insert(0, sys.argv[2]); import test_check as t;"
    program += "t.write(sys.argv[1]); os.kill(os.getpid(), 9)"
    subprocess.run(
        [sys.executable, "-c", program, f"file:{tmp_path}/data", os.path.dirname(__file__)],
        timeout=60,
    )
    status, said = check(tmp_path / "data")
    assert (status, said["damage"], said["faults"]) == (0, 0, 0), said["findings"]
    assert said["notes"] > 0 and not said["journal"]["closed"]
    assert sum(one["records"] for one in said["partitions"] if one["topic"] == "orders") == 1000
    ringlog.open(f"{tmp_path}/data")
    ringlog.close(f"{tmp_path}/data")
    status, said = check(tmp_path / "data")
    assert (status, said["damage"], said["faults"]) == (0, 0, 0), said["findings"]
    assert sum(one["records"] for one in said["partitions"] if one["topic"] == "orders") == 1000


def test_a_broken_index_is_repaired_and_a_broken_batch_is_not(closed):
    partition = closed / "log" / "orders-0"
    (partition / "00000000000000000000.index").write_bytes(b"12345")
    status, said = check(closed, "--repair")
    assert (status, said["faults"], said["repair"]["done"]) == (1, 1, False)
    assert len(said["repair"]["plan"]) == 1
    assert (partition / "00000000000000000000.index").read_bytes() == b"12345"
    status, said = check(closed, "--repair", "--yes")
    assert (status, said["repair"]["after"]["findings"]) == (0, [])
    log = partition / "00000000000000000000.log"
    content = bytearray(log.read_bytes())
    content[70] ^= 1
    log.write_bytes(content)
    status, said = check(closed, "--repair", "--yes")
    assert (status, said["damage"], said["repair"]["plan"]) == (1, 1, [])
    [found] = said["findings"]
    assert (found["file"], found["position"]) == ("orders-0/00000000000000000000.log", 0)
    assert log.read_bytes() == content


def test_the_same_records_have_the_same_summary_whatever_holds_them(tmp_path):
    import ringlog
    from ringlog import KafkaProducer

    contents = []
    for compression, value in ((None, b"same"), ("zstd", b"same"), (None, b"other")):
        directory = tmp_path / f"{compression}{value}"
        producer = KafkaProducer(
            bootstrap_servers=f"file:{directory}", compression_type=compression
        )
        for number in range(50):
            producer.send("t", value, key=b"k", headers=[("h", b"v")], timestamp_ms=1000 + number)
        producer.flush()
        producer.close()
        ringlog.close(f"file:{directory}")
        said = check(directory, "--summary")[1]
        contents += [one["content"] for one in said["partitions"] if one["topic"] == "t"]
    assert contents[0] == contents[1] != contents[2]
    assert (contents[0]["records"], contents[0]["bytes"]) == (50, 50 * (4 + 1 + 2))
