"""Notifications: one service listens to three topics of three other services.

    python examples/notifications.py [DIRECTORY]

Each topic has its own handler. The group commits what it has handled, so that a second run of the
service tells nobody anything twice.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

EVENTS = [
    ("users-created", {"name": "Ida", "email": "ida@example.org"}),
    ("orders-placed", {"order": "o-1", "email": "ida@example.org", "total": 59}),
    ("payments-completed", {"order": "o-1", "phone": "+000 1", "amount": 59}),
    ("users-created", {"name": "Jon", "email": "jon@example.org"}),
    ("orders-placed", {"order": "o-2", "email": "jon@example.org", "total": 12}),
]


def mail(to, subject):
    return f"mail to {to}: {subject}"


def text_message(phone, text):
    return f"text to {phone}: {text}"


HANDLERS = {
    "users-created": lambda event: mail(event["email"], f"Welcome, {event['name']}"),
    "orders-placed": lambda event: mail(
        event["email"], f"Order {event['order']} of {event['total']} EUR was placed"
    ),
    "payments-completed": lambda event: text_message(
        event["phone"], f"We received {event['amount']} EUR"
    ),
}


def publish(address, events):
    with json_producer(address) as producer:
        for topic, event in events:
            producer.send(topic, value=event)


def notify(address):
    """Handles what is new and returns how many notifications went out."""
    sent = 0
    with json_consumer(address, *HANDLERS, group="notifications") as consumer:
        for message in consumer:
            print(HANDLERS[message.topic](message.value))
            sent += 1
        consumer.commit()
    return sent


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, users_created=1, orders_placed=1, payments_completed=1)
        publish(address, EVENTS)
        heading("The service starts")
        print(notify(address), "notifications")
        heading("It starts again: nothing is new")
        print(notify(address), "notifications")
        heading("One more event")
        publish(address, [("users-created", {"name": "Kim", "email": "kim@example.org"})])
        print(notify(address), "notifications")


if __name__ == "__main__":
    main()
