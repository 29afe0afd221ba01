"""Reads until SIGTERM or SIGINT, then ends the record in hand, commits and leaves the group:
graceful_worker.py ADDRESS. Prints each record's value, and "closed" at its end.
"""

import signal
import sys

from ringlog import KafkaConsumer, errors


def main(address):
    consumer = KafkaConsumer(
        "orders", bootstrap_servers=address, group_id="billing", auto_offset_reset="earliest"
    )
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda number, frame: consumer.wakeup())
    with consumer:
        try:
            for record in consumer:
                print(record.value.decode(), flush=True)
        except errors.WakeupError:
            consumer.commit()
    print("closed", flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
