"""Produces and commits for ever, and says on standard output what was acknowledged.

Usage: kill_victim.py ADDRESS LIFE PLACE... Several threads use the one log that this process owns,
each with a PLACE of its own, TOPIC:PARTITION:DURABILITY. A line per event: `opening`, `opened`;
`sending THREAD END`: records before END are being sent; `acknowledged THREAD END`: those before END
are; `committed NEXT`, in the first place. A record is "LIFE NUMBER". Ends when it is killed, or
after a minute.
"""

import os
import sys
import threading
import time

import ringlog
from ringlog import KafkaConsumer, KafkaProducer, OffsetAndMetadata, TopicPartition
from ringlog.admin import KafkaAdminClient, NewTopic
from ringlog.errors import TopicAlreadyExistsError

GROUP = "kill-group"
BURST = 50
BURSTS_IN_FLIGHT = 3
END = time.monotonic() + 60


def say(line: str) -> None:
    os.write(1, line.encode() + b"\n")  # one write: whole lines reach the parent, or none


def produce(address: str, life: int, thread: int, place: TopicPartition) -> None:
    producer = KafkaProducer(bootstrap_servers=address, batch_size=400)
    assert producer.config["enable_idempotence"]
    in_flight = []
    number = 0
    while time.monotonic() < END:
        end = number + BURST
        say(f"sending {thread} {end}")
        while number < end:
            value = f"{life} {number}".encode()
            last = producer.send(place.topic, value, partition=place.partition)
            number += 1
            if number % 10 == 0:
                last.add_callback(lambda _, done=number: say(f"acknowledged {thread} {done}"))
        in_flight.append(last)
        if len(in_flight) == BURSTS_IN_FLIGHT:
            in_flight.pop(0).get(timeout=30)


def consume(address: str, partition: TopicPartition) -> None:
    with KafkaConsumer(
        bootstrap_servers=address,
        group_id=GROUP,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    ) as consumer:
        consumer.assign([partition])
        while time.monotonic() < END:
            consumer.poll(timeout_ms=10)
            position = consumer.position(partition)
            consumer.commit({partition: OffsetAndMetadata(position, "")})
            say(f"committed {position}")


def make_topic(address: str, name: str, partitions: int, durability: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=address)
    configs = {"ringlog.durability": durability}
    try:
        admin.create_topics([NewTopic(name, partitions, 1, topic_configs=configs)])
    except TopicAlreadyExistsError:
        pass  # in an earlier life
    finally:
        admin.close()


def main(address: str, life: int, places: list[list[str]]) -> None:
    say("opening")
    ringlog.open(address)
    for topic, durability in {(topic, durability) for topic, _, durability in places}:
        partitions = [int(partition) for name, partition, _ in places if name == topic]
        make_topic(address, topic, max(partitions) + 1, durability)
    say("opened")
    at = [TopicPartition(topic, int(partition)) for topic, partition, _ in places]
    threads = [
        threading.Thread(target=produce, args=(address, life, thread, place))
        for thread, place in enumerate(at)
    ]
    threads.append(threading.Thread(target=consume, args=(address, at[0])))
    for thread in threads:
        thread.start()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), [place.split(":") for place in sys.argv[3:]])
