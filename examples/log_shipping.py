"""Log shipping: a growing log file is followed into a topic, across a restart of the shipper.

    python examples/log_shipping.py [DIRECTORY]

A thread writes a log file line by line. The shipper follows it; each record says in its headers
which file its line is from and where the line ends. A shipper that starts again reads the topic's
last record and goes on behind that line: nothing is lost and nothing is sent twice.
"""

import os
import random
import tempfile
import threading
import time
from collections import Counter

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer
from ringlog import KafkaConsumer, TopicPartition

LINES = 400
LAST_LINE = "INFO shut down"


def write_log(path, seed=3):
    """A program that logs, sometimes in the middle of a line when the shipper looks."""
    dice = random.Random(seed)
    with open(path, "a", buffering=1) as log:
        for number in range(LINES - 1):
            level = dice.choices(("INFO", "WARNING", "ERROR"), weights=(90, 8, 2))[0]
            log.write(f"{level} request {number} ")
            log.write(f"took {dice.randrange(1, 900)} ms\n")
            time.sleep(0.001)
        log.write(LAST_LINE + "\n")


def shipped_until(address, path):
    """Where the last shipped line of the file ends; 0 when there is none."""
    with KafkaConsumer(bootstrap_servers=address, consumer_timeout_ms=300) as consumer:
        partition = TopicPartition("logs", 0)
        end = consumer.end_offsets([partition])[partition]
        if end == 0:
            return 0
        consumer.assign([partition])
        consumer.seek(partition, end - 1)
        headers = dict(next(consumer).headers)
        return int(headers["position"]) if headers["source"] == path.encode() else 0


def complete_lines(path, position):
    """Follows the file from a position: (line, position of its end), whole lines only."""
    with open(path, "rb") as log:
        log.seek(position)
        part = b""
        while True:
            part += log.readline()
            if part.endswith(b"\n"):
                position += len(part)
                yield part.decode().rstrip("\n"), position
                part = b""
            else:
                time.sleep(0.005)


def ship(address, path, lines_max=None):
    """Sends lines until the program's last one, or as a crash after `lines_max`."""
    sent = 0
    with json_producer(address) as producer:
        for line, position in complete_lines(path, shipped_until(address, path)):
            level, _, message = line.partition(" ")
            producer.send(
                "logs",
                value={"level": level, "message": message, "host": "web-1"},
                headers=[("source", path.encode()), ("position", str(position).encode())],
            )
            sent += 1
            if line == LAST_LINE or sent == lines_max:
                return sent


def print_levels(address, path):
    levels, positions = Counter(), []
    with json_consumer(address, "logs") as logs:
        for message in logs:
            headers = dict(message.headers)
            if headers["source"] == path.encode():
                levels[message.value["level"]] += 1
                positions.append(int(headers["position"]))
    for level, count in sorted(levels.items()):
        print(f"{level:<8} {count}")
    print("in the topic:", len(positions), "lines, each once:", sorted(set(positions)) == positions)


def main():
    with embedded_log(__doc__) as address, tempfile.TemporaryDirectory() as folder:
        create_topics(address, logs=1)
        path = os.path.join(folder, "access.log")
        writer = threading.Thread(target=write_log, args=[path])
        writer.start()
        while not os.path.exists(path):
            time.sleep(0.001)
        heading("Shipping a file that grows")
        print("the first shipper sent", ship(address, path, lines_max=150), "lines and was stopped")
        print("the second went on and sent", ship(address, path), "lines")
        writer.join()
        heading("What the topic holds")
        print_levels(address, path)


if __name__ == "__main__":
    main()
