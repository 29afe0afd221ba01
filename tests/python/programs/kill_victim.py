"""Produces and commits for ever, and says on standard output what was acknowledged.

Usage: kill_victim.py ADDRESS LIFE. Several threads use the one log that this process owns. A line
per event: `opening`, `opened`; `sending THREAD END`: records before END are being sent;
`acknowledged THREAD END`: those before END are; `committed 0 NEXT`. A record of thread T is
"LIFE NUMBER" in partition T. Ends when it is killed, or after a minute.
"""

import os
import sys
import threading
import time

import ringlog
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

TOPIC = "kill"
GROUP = "kill-group"
THREADS = 3
BURST = 50
BURSTS_IN_FLIGHT = 3
END = time.monotonic() + 60


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # one write: whole lines reach the parent, or none


def produce(address: str, life: int, thread: int) -> None:
    producer = KafkaProducer(bootstrap_servers=address, batch_size=400)
    assert producer.config["enable_idempotence"]
    in_flight = []
    number = 0
    while time.monotonic() < END:
        end = number + BURST
        say(f"sending {thread} {end}")
        while number < end:
            last = producer.send(TOPIC, f"{life} {number}".encode(), partition=thread)
            number += 1
            if number % 10 == 0:
                last.add_callback(lambda _, done=number: say(f"acknowledged {thread} {done}"))
        in_flight.append(last)
        if len(in_flight) == BURSTS_IN_FLIGHT:
            in_flight.pop(0).get(timeout=30)


def consume(address: str) -> None:
    partition = TopicPartition(TOPIC, 0)
    with KafkaConsumer(
        bootstrap_servers=address, group_id=GROUP, enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        consumer.assign([partition])
        while time.monotonic() < END:
            consumer.poll(timeout_ms=10)
            position = consumer.position(partition)
            consumer.commit({partition: OffsetAndMetadata(position, "")})
            say(f"committed 0 {position}")


def main(address: str, life: int) -> None:
    say("opening")
    ringlog.open(address, {"num.partitions": THREADS})
    say("opened")
    threads = [threading.Thread(target=produce, args=(address, life, i)) for i in range(THREADS)]
    threads.append(threading.Thread(target=consume, args=(address,)))
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
