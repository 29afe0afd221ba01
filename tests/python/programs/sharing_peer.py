"""One of several processes on one log; says on standard output what it does.

Usage: sharing_peer.py ADDRESS own | produce LIFE | consume POSITION POSITION. A line per event:
`ready`; `sending NUMBER`; `acknowledged NUMBER`: all records before it are; `got PARTITION OFFSET
LIFE NUMBER`. A record is "LIFE NUMBER", in partition NUMBER % 2 of topic "t". Ends when it is
killed, when its standard input ends, or after two minutes.
"""

import os
import sys
import threading
import time

import ringlog
from ringlog import KafkaConsumer, KafkaProducer, TopicPartition
from ringlog.admin import KafkaAdminClient, NewTopic
from ringlog.errors import TopicAlreadyExistsError

PARTITIONS = 2
IN_FLIGHT = 20
PAUSE = 0.001
END = time.monotonic() + 120


def say(line):
    os.write(1, line.encode() + b"\n")  # one write: whole lines reach the parent, or none


def make_topic(address):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        try:
            admin.create_topics([NewTopic("t", PARTITIONS, 1)])
        except TopicAlreadyExistsError:
            pass


def own(address):
    ringlog.open(address)
    say("ready")
    time.sleep(END - time.monotonic())


def produce(address, life):
    producer = KafkaProducer(bootstrap_servers=address)
    assert producer.config["enable_idempotence"]
    say("ready")
    futures = []
    number = 0
    while time.monotonic() < END:
        say(f"sending {number}")
        value = f"{life} {number}".encode()
        futures.append(producer.send("t", value, partition=number % PARTITIONS))
        number += 1
        if len(futures) == IN_FLIGHT:
            futures.pop(0).get(timeout=60)
            say(f"acknowledged {number - len(futures)}")
        time.sleep(PAUSE)


def consume(address, *positions):
    partitions = [TopicPartition("t", number) for number in range(PARTITIONS)]
    consumer = KafkaConsumer(bootstrap_servers=address)
    consumer.assign(partitions)
    for partition, position in zip(partitions, positions, strict=True):
        consumer.seek(partition, int(position))
    say("ready")
    while time.monotonic() < END:
        for partition, records in consumer.poll(timeout_ms=200).items():
            for record in records:
                say(f"got {partition.partition} {record.offset} {record.value.decode()}")


def end_with_standard_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_standard_input, daemon=True).start()
    make_topic(sys.argv[1])
    {"own": own, "produce": produce, "consume": consume}[sys.argv[2]](sys.argv[1], *sys.argv[3:])
