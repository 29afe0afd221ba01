"""Dead letter queue: records that cannot be processed are set aside with the reason, not lost.

    python examples/dead_letter_queue.py [DIRECTORY]

The worker tries each order three times. What still fails goes, unchanged, to another topic, with
headers that say why and where it came from. Later a repair reads that topic, mends what it can and
sends it back with its key, so that it takes the normal way.
"""

import json

from embedded import create_topics, embedded_log, heading
from ringlog import KafkaConsumer, KafkaProducer

ATTEMPTS = 3
ORDERS = [
    (b"ann", b'{"order": 1, "amount": 30}'),
    (b"ben", b'{"order": 2, "amount": "12 EUR"}'),
    (b"cho", b"not json at all"),
    (b"ann", b'{"order": 4, "amount": 5}'),
]


def process(value):
    order = json.loads(value)
    if not isinstance(order["amount"], int):
        raise ValueError(f"amount is {order['amount']!r}")
    return f"order {order['order']} of {order['amount']}"


def read(address, topic, group):
    return KafkaConsumer(
        topic,
        bootstrap_servers=address,
        group_id=group,
        auto_offset_reset="earliest",
        consumer_timeout_ms=300,
    )


def work(address):
    """Processes new orders; returns (processed, set aside)."""
    processed = dead = 0
    with KafkaProducer(bootstrap_servers=address) as producer:
        with read(address, "orders", "order-worker") as orders:
            for message in orders:
                for _ in range(ATTEMPTS):
                    try:
                        print("  processed", process(message.value))
                        processed += 1
                        break
                    except Exception as error:
                        reason = error
                else:
                    print(f"  set aside offset {message.offset}: {reason}")
                    producer.send(
                        "orders-dlq",
                        message.value,
                        message.key,
                        [
                            ("error", str(reason).encode()),
                            ("attempts", str(ATTEMPTS).encode()),
                            ("topic", message.topic.encode()),
                            ("partition", str(message.partition).encode()),
                            ("offset", str(message.offset).encode()),
                        ],
                    )
                    dead += 1
    return processed, dead


def repair(address):
    """Mends amounts that are text, and sends those orders back; returns how many."""
    mended = 0
    with KafkaProducer(bootstrap_servers=address) as producer:
        with read(address, "orders-dlq", "order-repair") as letters:
            for letter in letters:
                headers = {name: value.decode() for name, value in letter.headers}
                origin = f"{headers['topic']}-{headers['partition']} at {headers['offset']}"
                try:
                    order = json.loads(letter.value)
                    order["amount"] = int(order["amount"].split()[0])
                except ValueError:
                    print(f"  from {origin}: cannot be mended ({headers['error']})")
                    continue
                print(f"  from {origin}: mended ({headers['error']})")
                producer.send("orders", json.dumps(order).encode(), letter.key)
                mended += 1
    return mended


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, orders=1, orders_dlq=1)
        with KafkaProducer(bootstrap_servers=address) as producer:
            for customer, order in ORDERS:
                producer.send("orders", order, customer)
        heading("The worker")
        print("processed {}, set aside {}".format(*work(address)))
        heading("The repair")
        print("mended", repair(address))
        heading("The worker again")
        print("processed {}, set aside {}".format(*work(address)))


if __name__ == "__main__":
    main()
