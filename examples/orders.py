"""Orders to inventory: a shop, a warehouse and a cash desk that know of each other only by events.

    python examples/orders.py [DIRECTORY]

The shop sends orders, keyed by customer so that each customer's orders stay in order. Two services
read the same topic, each as a group of its own: the warehouse sets goods aside, the cash desk takes
the money. What they decide goes to topics of their own, and the shop reads both.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer
from ringlog.admin import KafkaAdminClient

STOCK = {"lamp": 3, "chair": 5, "desk": 1}
PRICE = {"lamp": 20, "chair": 45, "desk": 180}
ORDERS = [
    ("o-1", "ann", {"lamp": 2}),
    ("o-2", "ben", {"desk": 1, "chair": 2}),
    ("o-3", "ann", {"lamp": 2}),
    ("o-4", "cho", {"chair": 3}),
    ("o-5", "ben", {"desk": 1}),
]


def place_orders(address):
    with json_producer(address) as shop:
        for order_id, customer, items in ORDERS:
            order = {"order": order_id, "customer": customer, "items": items}
            stored = shop.send("orders-created", key=customer, value=order).get(timeout=10)
            print(
                f"{order_id} of {customer} is durable: {stored.topic}-{stored.partition} "
                f"at offset {stored.offset}"
            )


def run_warehouse(address):
    """Sets goods aside where all of an order are there, and says so; returns what is left."""
    left = dict(STOCK)
    with json_producer(address) as producer:
        with json_consumer(address, "orders-created", group="warehouse") as orders:
            for message in orders:
                order = message.value
                enough = all(left[item] >= count for item, count in order["items"].items())
                if enough:
                    for item, count in order["items"].items():
                        left[item] -= count
                status = "reserved" if enough else "sold out"
                producer.send("inventory-updated", key=order["order"], value={"status": status})
    return left


def run_cash_desk(address):
    with json_producer(address) as producer:
        with json_consumer(address, "orders-created", group="cash-desk") as orders:
            for message in orders:
                items = message.value["items"]
                amount = sum(PRICE[item] * count for item, count in items.items())
                producer.send(
                    "payments-completed", key=message.value["order"], value={"amount": amount}
                )


def print_outcome(address):
    outcome = {}
    with json_consumer(address, "inventory-updated", "payments-completed") as events:
        for message in events:
            outcome.setdefault(message.key, {}).update(message.value)
    for order, facts in sorted(outcome.items()):
        print(f"{order}  {facts['amount']:>4} EUR  {facts['status']}")


def print_groups(address):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        for group in ("cash-desk", "warehouse"):
            offsets = admin.list_consumer_group_offsets(group)
            read = sum(committed.offset for committed in offsets.values())
            print(f"{group:<10} has read {read} orders of {len(offsets)} partitions")


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, orders_created=3, inventory_updated=1, payments_completed=1)
        heading("The shop places orders")
        place_orders(address)
        left = run_warehouse(address)
        run_cash_desk(address)
        heading("What became of them")
        print_outcome(address)
        heading("In the end")
        print("left in stock:", ", ".join(f"{count} {item}" for item, count in left.items()))
        print_groups(address)


if __name__ == "__main__":
    main()
