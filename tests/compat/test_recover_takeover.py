"""A directory whose ringlog was killed: real Kafka refuses it, until `ringlog recover` was run."""

import base64
import subprocess
import sys
from pathlib import Path

import client_processes

TOP = Path(__file__).resolve().parents[2]
PROGRAM = TOP / "build" / "ringlog"
ACKNOWLEDGED = 2000  # records before the kill
REFUSAL_SECONDS_MAX = 30


# Says how many records are acknowledged, and what was committed, until it is killed.
VICTIM = """
import os, sys
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
producer = KafkaProducer(bootstrap_servers=sys.argv[1], batch_size=400)
consumer = KafkaConsumer(bootstrap_servers=sys.argv[1], group_id="group")
one = TopicPartition("kill", 0)
for number in range(1_000_000):
    producer.send("kill", b"%d" % number, partition=0)
    if number % 50 == 49:
        producer.flush()
        consumer.assign([one])
        consumer.commit({one: OffsetAndMetadata(number, "")})
        os.write(1, b"%d %d\\n" % (number + 1, number))
"""


def kill_a_writer(address: str) -> tuple[int, int]:
    """How many records were acknowledged before SIGKILL, and what the group had committed."""
    with subprocess.Popen(
        [sys.executable, "-c", VICTIM, address], stdout=subprocess.PIPE
    ) as victim:
        said = [victim.stdout.readline() for _ in range(ACKNOWLEDGED // 50)]
        victim.kill()
        said += victim.stdout.readlines()
    acknowledged, committed = said[-1].split()
    return int(acknowledged), int(committed)


def test_kafka_refuses_then_takes_over(kafka_server, tmp_path):
    log = tmp_path / "data" / "log"
    acknowledged, committed = kill_a_writer(f"file:{tmp_path}/data")
    assert acknowledged >= ACKNOWLEDGED and committed > 0

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
    values = [int(base64.b64decode(record[5])) for record in records]
    assert values == list(range(len(values))) and len(values) >= acknowledged
    assert read["groups"]["group"]["kill-0"][0] >= committed
