"""Event sourcing: a bank account is the sum of what happened to it.

    python examples/bank_account.py [DIRECTORY]

The topic keeps events and nothing else. A balance is what reading them adds up to; a command is
checked against the balance and becomes an event, or is refused and leaves no trace. Because events
are never changed, the balance of any moment in the past can be read as well.
"""

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer
from ringlog import TopicPartition

TOPIC = "account-events"
MORNING_MS = 1_700_000_000_000
HOUR_MS = 3_600_000
COMMANDS = [  # hour, command, account, amount
    (0, "open", "alice", 100),
    (0, "open", "bob", 20),
    (1, "deposit", "bob", 50),
    (2, "withdraw", "alice", 30),
    (3, "withdraw", "bob", 500),
    (4, "transfer", "alice", 40, "bob"),
    (5, "withdraw", "carol", 1),
]
SIGN = {"opened": 1, "deposited": 1, "received": 1, "withdrawn": -1, "sent": -1}


class Accounts:
    """Balances, built from events; `handle` turns commands into events."""

    def __init__(self, address):
        self.balances = {}
        self._address = address
        self._producer = json_producer(address)
        self.replay()

    def replay(self, until_ms=None):
        """Forgets all and reads the events again, up to a time; returns how many there were."""
        self.balances = {}
        events = 0
        with json_consumer(self._address) as consumer:
            partition = TopicPartition(TOPIC, 0)
            consumer.assign([partition])
            end = consumer.end_offsets([partition])[partition]
            if until_ms is not None:
                later = consumer.offsets_for_times({partition: until_ms + 1})[partition]
                end = later.offset if later else end
            while consumer.position(partition) < end:
                message = next(consumer)
                self._apply(message.key, message.value)
                events += 1
        return events

    def handle(self, when_ms, command, account, amount, receiver=None):
        """The reason why a command is refused, or None."""
        if command == "open":
            return self._record(when_ms, account, "opened", amount)
        if account not in self.balances:
            return f"{account} has no account"
        if command == "deposit":
            return self._record(when_ms, account, "deposited", amount)
        if self.balances[account] < amount:
            return f"{account} has only {self.balances[account]}"
        if command == "withdraw":
            return self._record(when_ms, account, "withdrawn", amount)
        self._record(when_ms, account, "sent", amount)
        return self._record(when_ms, receiver, "received", amount)

    def _record(self, when_ms, account, kind, amount):
        event = {"kind": kind, "amount": amount}
        self._producer.send(TOPIC, key=account, value=event, timestamp_ms=when_ms).get(timeout=10)
        self._apply(account, event)

    def _apply(self, account, event):
        change = SIGN[event["kind"]] * event["amount"]
        self.balances[account] = self.balances.get(account, 0) + change


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, account_events=1)
        accounts = Accounts(address)
        heading("Commands")
        for hour, command, account, amount, *receiver in COMMANDS:
            refused = accounts.handle(
                MORNING_MS + hour * HOUR_MS, command, account, amount, *receiver
            )
            outcome = f"refused: {refused}" if refused else "done"
            print(f"{command:<8} {amount:>4} {account:<6} {outcome}")
        heading("Balances from the events alone")
        print(accounts.replay(), "events give", accounts.balances)
        accounts.replay(until_ms=MORNING_MS + HOUR_MS)
        print("an hour after opening it was", accounts.balances)


if __name__ == "__main__":
    main()
