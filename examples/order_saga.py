"""Order saga: an order goes through payment, stock and shipping, and is undone where a step fails.

    python examples/order_saga.py [DIRECTORY]

An orchestrator sends commands and waits for events; three services, each in a thread with a group
of its own, answer commands with events. A failed step makes the orchestrator take the earlier ones
back: no stock means the money is returned. Everything is in the log, so the end of each order can
be read from its events.
"""

import threading

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

ORDERS = {
    "o-1": {"amount": 40, "item": "lamp", "city": "Oslo"},
    "o-2": {"amount": 900, "item": "lamp", "city": "Oslo"},  # the card is refused
    "o-3": {"amount": 60, "item": "piano", "city": "Rome"},  # not in stock
    "o-4": {"amount": 80, "item": "chair", "city": "Moon"},  # nobody ships there
}
NEXT = {  # event: (command that follows, new state)
    "order placed": ("take payment", "payment pending"),
    "payment taken": ("reserve stock", "paid"),
    "payment refused": (None, "failed: payment refused"),
    "stock reserved": ("ship", "reserved"),
    "out of stock": ("return payment", "failed: out of stock"),
    "shipped": (None, "completed"),
    "not shippable": ("release stock", "failed: not shippable"),
    "stock released": ("return payment", None),
    "payment returned": (None, None),
}
SERVICES = {  # service: {command: answer}
    "payment": {
        "take payment": lambda order: (
            "payment taken" if order["amount"] <= 500 else "payment refused"
        ),
        "return payment": lambda order: "payment returned",
    },
    "stock": {
        "reserve stock": lambda order: (
            "stock reserved" if order["item"] in ("lamp", "chair") else "out of stock"
        ),
        "release stock": lambda order: "stock released",
    },
    "shipping": {"ship": lambda order: "not shippable" if order["city"] == "Moon" else "shipped"},
}


def serve(address, service, stop):
    """A service: answers its commands with events until it is told to stop."""
    answers = SERVICES[service]
    with json_producer(address) as producer:
        with json_consumer(address, "saga-commands", group=f"{service}-service") as commands:
            while not stop.is_set():
                for batch in commands.poll(timeout_ms=50).values():
                    for message in batch:
                        if message.value["command"] in answers:
                            order = message.value["order"]
                            event = answers[message.value["command"]](order)
                            producer.send(
                                "saga-events",
                                key=message.key,
                                value={"event": event, "order": order},
                            )


class Orchestrator:
    """Sends the command that follows each event, until every order has come to its end."""

    def __init__(self, address):
        self.states = {}
        self._open = set(ORDERS)
        self._address = address

    def run(self):
        with json_producer(self._address) as producer:
            with json_consumer(self._address, "saga-events", group="orchestrator") as events:
                while self._open:
                    for batch in events.poll(timeout_ms=200).values():
                        for message in batch:
                            self._handle(producer, message.key, message.value)

    def _handle(self, producer, order_id, event):
        command, state = NEXT[event["event"]]
        self.states[order_id] = state or self.states[order_id]
        if command is None:
            self._open.discard(order_id)
            return
        producer.send(
            "saga-commands", key=order_id, value={"command": command, "order": event["order"]}
        )


def place_orders(address):
    with json_producer(address) as producer:
        for order_id, order in ORDERS.items():
            event = {"event": "order placed", "order": order}
            producer.send("saga-events", key=order_id, value=event)


def print_history(address):
    history = {}
    with json_consumer(address, "saga-events") as events:
        for message in events:
            history.setdefault(message.key, []).append(message.value["event"])
    for order_id, happened in sorted(history.items()):
        print(f"{order_id}: {' > '.join(happened)}")


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, saga_commands=1, saga_events=1)
        place_orders(address)
        stop = threading.Event()
        services = [
            threading.Thread(target=serve, args=[address, service, stop]) for service in SERVICES
        ]
        for service in services:
            service.start()
        orchestrator = Orchestrator(address)
        try:
            orchestrator.run()
        finally:
            stop.set()
            for service in services:
                service.join()
        heading("How each order ended")
        for order_id, state in sorted(orchestrator.states.items()):
            print(f"{order_id}: {state}")
        heading("What happened, from the log")
        print_history(address)


if __name__ == "__main__":
    main()
