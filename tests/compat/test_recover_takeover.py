"""A directory whose ringlog was killed: real Kafka refuses it, until `ringlog recover` was run."""

import base64
import subprocess
import sys
from pathlib import Path

import client_processes

TOP = Path(__file__).resolve().parents[2]
PROGRAM = TOP / "build" / "ringlog"
VICTIM = TOP / "tests" / "python" / "programs" / "kill_victim.py"
LINES = 2000  # acknowledgements before the kill
REFUSAL_SECONDS_MAX = 30


def kill_a_writer(address: str) -> tuple[set[int], int]:
    """The records and the position in the group that were acknowledged before SIGKILL."""
    records, committed = set(), 0
    with subprocess.Popen([sys.executable, VICTIM, address, "0"], stdout=subprocess.PIPE) as victim:
        said = [victim.stdout.readline() for _ in range(LINES)]
        victim.kill()
        said += victim.stdout.readlines()
    for line in said:
        kind, *numbers = line.split()
        if kind == b"r":
            records.add(int(numbers[1]))
        else:
            committed = max(committed, int(numbers[0]))
    return records, committed


def test_kafka_refuses_then_takes_over(kafka_server, tmp_path):
    log = tmp_path / "data" / "log"
    acknowledged, committed = kill_a_writer(f"file:{tmp_path}/data")
    assert len(acknowledged) > LINES / 2 and committed > 0

    refused = kafka_server(log).spawn()
    assert refused.wait_ended(REFUSAL_SECONDS_MAX) != 0
    assert "No readable meta.properties files found" in refused.log()

    done = subprocess.run([PROGRAM, "recover", log.parent], timeout=60, capture_output=True)
    assert done.returncode == 0, done.stderr
    server = kafka_server(log).start(["kill", "__consumer_offsets"])
    read = client_processes.run("kafka", server.bootstrap, "read")
    server.stop()
    assert server.complaints() == []
    records = read["partitions"]["kill-0"]["records"]
    assert [record[0] for record in records] == list(range(len(records)))
    assert client_processes.run("ringlog", f"file:{log.parent}", "read") == read
    values = [base64.b64decode(record[5]).decode() for record in records]
    numbers = [int(value.split()[1]) for value in values]
    assert numbers == list(range(len(numbers))) and acknowledged <= set(numbers)
    assert read["groups"]["kill-group"]["kill-0"][0] >= committed
