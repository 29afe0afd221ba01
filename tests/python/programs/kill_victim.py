"""Produces and commits for ever, and says on standard output what was acknowledged.

Usage: kill_victim.py ADDRESS LIFE. One line per acknowledgement: `r LIFE NUMBER` for a record,
`c NEXT` for a committed offset. Ends when it is killed, or after a minute.
"""

import os
import sys
import time

from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition

TOPIC = "kill"
GROUP = "kill-group"


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # one write: whole lines reach the parent, or none


def main(address: str, life: int) -> None:
    producer = KafkaProducer(bootstrap_servers=address, batch_size=400)
    consumer = KafkaConsumer(
        bootstrap_servers=address, group_id=GROUP, enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    partition = TopicPartition(TOPIC, 0)
    consumer.assign([partition])
    end = time.monotonic() + 60
    number = 0
    while time.monotonic() < end:
        futures = []
        for _ in range(50):
            future = producer.send(TOPIC, f"{life} {number}".encode(), partition=0)
            future.add_callback(lambda _, number=number: say(f"r {life} {number}"))
            futures.append(future)
            number += 1
        consumer.poll(timeout_ms=10)
        position = consumer.position(partition)
        consumer.commit({partition: OffsetAndMetadata(position, "")})
        say(f"c {position}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
