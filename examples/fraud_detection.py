"""Fraud detection: each card payment is judged by rules that remember the card's past.

    python examples/fraud_detection.py [DIRECTORY]

Payments are keyed by card, so that a card's payments come in order to one detector. Rules give
points: many payments in a short time, a place that cannot be reached since the last payment, a high
amount. The sum decides between allow, review and block; the decision goes out under the same key.
"""

import math
from collections import defaultdict, deque

from embedded import create_topics, embedded_log, heading, json_consumer, json_producer

WINDOW_S = 300
PAYMENTS_IN_WINDOW_MAX = 4
KM_PER_HOUR_MAX = 900
CITIES = {"Paris": (48.9, 2.4), "Lyon": (45.8, 4.8), "Tokyo": (35.7, 139.7)}
PAYMENTS = [  # second, card, amount, city
    (0, "card-1", 40, "Paris"),
    (10, "card-2", 9_500, "Lyon"),
    (60, "card-1", 25, "Paris"),
    (1_800, "card-1", 60, "Tokyo"),
    *((2_000 + 20 * number, "card-3", 3, "Paris") for number in range(7)),
    (20_000, "card-2", 12_000, "Paris"),
]


def distance_km(one, other):
    """Great-circle distance (haversine)."""
    (lat1, lng1), (lat2, lng2) = (map(math.radians, CITIES[city]) for city in (one, other))
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lng2 - lng1) / 2) ** 2
    return 2 * 6371 * math.asin(math.sqrt(half))


class Detector:
    def __init__(self):
        self._recent = defaultdict(deque)  # card: seconds of its payments
        self._last = {}  # card: (second, city)

    def judge(self, card, payment):
        """(decision, points, reasons)"""
        rules = (self._too_many, self._too_far, self._too_much)
        found = [verdict for rule in rules if (verdict := rule(card, payment))]
        points = sum(points for points, _ in found)
        decision = "block" if points >= 80 else "review" if points >= 50 else "allow"
        self._last[card] = payment["second"], payment["city"]
        return decision, points, [reason for _, reason in found]

    def _too_many(self, card, payment):
        recent = self._recent[card]
        recent.append(payment["second"])
        while recent[0] <= payment["second"] - WINDOW_S:
            recent.popleft()
        if len(recent) > PAYMENTS_IN_WINDOW_MAX:
            return 50, f"{len(recent)} payments in {WINDOW_S // 60} minutes"
        return None

    def _too_far(self, card, payment):
        if card not in self._last:
            return None
        second, city = self._last[card]
        hours = max(payment["second"] - second, 1) / 3600
        km = distance_km(city, payment["city"])
        if km / hours > KM_PER_HOUR_MAX:
            return 100, f"{city} to {payment['city']} in {hours * 60:.0f} minutes"
        return None

    def _too_much(self, card, payment):
        if payment["amount"] > 10_000:
            return 60, f"amount of {payment['amount']}"
        return (30, f"amount of {payment['amount']}") if payment["amount"] > 5_000 else None


def pay(address):
    with json_producer(address) as producer:
        for second, card, amount, city in PAYMENTS:
            payment = {"second": second, "amount": amount, "city": city}
            producer.send("card-payments", key=card, value=payment)


def detect(address):
    detector = Detector()
    with json_producer(address) as producer:
        with json_consumer(address, "card-payments", group="fraud-detector") as payments:
            for message in payments:
                decision, points, reasons = detector.judge(message.key, message.value)
                verdict = {"decision": decision, "points": points, "reasons": reasons}
                producer.send("card-decisions", key=message.key, value=message.value | verdict)


def print_decisions(address):
    with json_consumer(address, "card-decisions") as decisions:
        found = sorted(
            (message.value["second"], message.key, message.value) for message in decisions
        )
    for second, card, verdict in found:
        print(
            f"{second:>6} s  {card}  {verdict['amount']:>6} in {verdict['city']:<6}"
            f"{verdict['decision']:<7} {'; '.join(verdict['reasons'])}".rstrip()
        )


def main():
    with embedded_log(__doc__) as address:
        create_topics(address, card_payments=3, card_decisions=1)
        pay(address)
        detect(address)
        heading("Decisions")
        print_decisions(address)


if __name__ == "__main__":
    main()
