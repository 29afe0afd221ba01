"""Idempotent processing: a worker that dies half-way does nothing twice.

    python examples/idempotent_processing.py [DIRECTORY]

Payments of one account have one key, therefore one partition and one order. The worker dies after
paying and before committing its offsets, so some payments are delivered to its successor again.
Every payment carries an id; what is done is itself recorded in a topic, and a worker reads that
topic before it starts.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

ACCOUNTS = ("north", "south", "west")
PAYMENTS = [
    {"id": f"p-{number}", "account": ACCOUNTS[number % 3], "amount": 10 + number}
    for number in range(12)
]


class Died(Exception):
    pass


def request_payments(address):
    with json_producer(address) as producer:
        for payment in PAYMENTS:
            producer.send("payments", key=payment["account"], value=payment)


def already_done(address):
    with json_consumer(address, "payments-done") as done:
        return {message.key for message in done}


def work(address, dies_after=None):
    """(delivered, paid); after `dies_after` payments it dies before committing."""
    delivered = paid = 0
    done = already_done(address)
    with json_producer(address) as producer:
        consumer = json_consumer(address, "payments", group="workers", enable_auto_commit=False)
        with consumer:
            for message in consumer:
                payment = message.value
                delivered += 1
                if payment["id"] in done:
                    print(f"  {payment['id']} was paid before: skipped")
                    continue
                producer.send("payments-done", key=payment["id"], value=payment).get(timeout=10)
                done.add(payment["id"])
                paid += 1
                if paid == dies_after:
                    raise Died(f"after {paid} payments, nothing committed")
            consumer.commit()
    return delivered, paid


def print_accounts(address):
    paid = {account: [] for account in ACCOUNTS}
    with json_consumer(address, "payments-done") as done:
        for message in done:
            paid[message.value["account"]].append(message.value["amount"])
    for account, amounts in paid.items():
        print(f"{account:<6} {sum(amounts):>4}  in order: {amounts}")


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, payments=3, payments_done=1)
        request_payments(address)
        heading("The first worker")
        try:
            work(address, dies_after=5)
        except Died as death:
            print("  died", death)
        heading("The second worker")
        delivered, paid = work(address)
        print(f"  {delivered} delivered, {paid} paid, {delivered - paid} skipped")
        heading("Paid, each once")
        print_accounts(address)


if __name__ == "__main__":
    main()
