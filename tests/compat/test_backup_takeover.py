"""Real Kafka takes over a backup that was made while a producer wrote."""

import subprocess
import sys

import client_processes

PROGRAM = """
import sys, threading, ringlog
from ringlog import KafkaProducer
address, target = sys.argv[1:]
producer = KafkaProducer(bootstrap_servers=address)
for number in range(500):
    producer.send("orders", b"%d" % number).get(timeout=10)
def go_on():
    for number in range(500, 5000):
        producer.send("orders", b"%d" % number)
    producer.flush()
more = threading.Thread(target=go_on)
more.start()
ringlog.backup(address, target)
more.join()
"""


def test_kafka_takes_over_a_backup(kafka_server, tmp_path):
    copy = tmp_path / "copy"
    subprocess.run(
        [sys.executable, "-c", PROGRAM, f"file:{tmp_path}/data", copy], timeout=120, check=True
    )
    server = kafka_server(copy).start(["orders"])
    read = client_processes.run("kafka", server.bootstrap, "read")
    server.stop()
    assert server.complaints() == []
    records = read["partitions"]["orders-0"]["records"]
    assert 500 <= len(records) <= 5000
    assert [record[0] for record in records] == list(range(len(records)))
    assert client_processes.run("ringlog", f"file:{copy}", "read") == read
