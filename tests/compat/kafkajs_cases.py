"""What the documents' JavaScript blocks find and, by hand, what must come of each.

A case is named like the file that `documents/blocks javascript` writes. What a block needs from
outside, and when it is through, is in kafkajs/cases.js.
"""

import json
from dataclasses import dataclass, field

TRANSACTIONAL = "002_12"  # waits for transactions
REBALANCES = "The group is rebalancing, so a rejoin is needed"


@dataclass
class Case:
    """Before: topics, records given, groups at the start. After: output, records, offsets."""

    topics: dict = field(default_factory=dict)  # name: partitions
    given: list = field(default_factory=list)  # (topic, partition, key, value, headers)
    at_start: dict = field(default_factory=dict)  # group: topics that it begins at their start
    printed: list = field(default_factory=list)
    in_any_order: bool = False  # several partitions are read: the order between them is free
    added: dict = field(default_factory=dict)  # topic: [(partition, key, value, headers)]
    committed: dict = field(default_factory=dict)  # group: {(topic, partition): offset}
    complaints: set = field(default_factory=set)  # that kafkajs may log


def value_of(content) -> bytes:
    return content if isinstance(content, bytes) else json.dumps(content).encode()


def given(topic, *contents, partition=0):
    return [(topic, partition, None, value_of(content), []) for content in contents]


def records(*contents, partition=0, key=None):
    return [(partition, key, content, []) for content in contents]


def order(name, **fields):
    return {"order_id": name, **fields}


# --- consumers and producers ----------------------------------------------------------------------

FIRST_ORDER = order("12345", user_id="789", total=99.99, items=["item1", "item2"])
TWO_PARTITIONS = [
    *given("orders", *(b"old %d" % number for number in range(100)), partition=0),
    *given("orders", *(b"new %d" % number for number in range(20)), partition=0),
    *given("orders", *(b"other %d" % number for number in range(5)), partition=1),
    *given("orders", b"not asked for", partition=2),
]
MAILED = [
    ("orders", 0, b"k", value_of(order("o0", user_id="u0")), []),
    ("orders", 0, None, value_of(order("o1", user_id="u1")), []),
    ("orders", 0, b"gone", None, []),
    ("orders", 0, b"", value_of(order("o3", user_id="u3")), []),
]

PRODUCER_CASES = {
    "002_07": Case(
        printed=["Sent to partition 0 at offset 0"], added={"orders": records(FIRST_ORDER)}
    ),
    "002_08": Case(
        topics={"orders": 3},
        added={
            "orders": records(
                *(order(f"order_{number}", total=number * 10) for number in range(10)),
                partition=2,  # where murmur2 puts the key
                key=b"user_789",
            )
        },
    ),
    "002_09": Case(
        topics={"orders": 1},
        given=given("orders", order("before")),
        printed=["Message sent to orders partition 0 offset 1"],
        added={"orders": records(order("callback-1", total=59.99))},
    ),
    "002_10": Case(
        topics={"orders": 1}, added={"orders": records(order("compressed-1", total=120.5))}
    ),
    "002_11": Case(topics={"orders": 1}, added={"orders": records(order("unique", total=200))}),
    "002_25": Case(
        topics={"events": 1},
        added={"events": records(b"fire-and-forget", b"leader-only", b"all-replicas")},
    ),
}

CONSUMER_CASES = {
    "002_13": Case(
        topics={"orders": 1},
        given=MAILED,
        printed=[
            "Partition: 0, Offset: 0",
            f"Key: k, Value: {MAILED[0][3].decode()}",
            "mail: u0 o0",
            "Partition: 0, Offset: 1",
            f"Key: null, Value: {MAILED[1][3].decode()}",
            "mail: u1 o1",
            "Partition: 0, Offset: 2",
            "Key: gone, Value: null",
            "Partition: 0, Offset: 3",
            f"Key: , Value: {MAILED[3][3].decode()}",
            "mail: u3 o3",
        ],
        committed={"email-service": {("orders", 0): 4}},
    ),
    "002_14": Case(
        topics={"orders": 1},
        given=given("orders", order("good"), order("better"), order("bad")),
        at_start={"inventory-service": ["orders"]},
        printed=[
            "processed good",
            "processed better",
            "Error processing message: processing of bad fails",
        ],
        committed={"inventory-service": {("orders", 0): 2}},
    ),
    "002_15": Case(
        topics={"orders": 1},
        given=given("orders", *(order(f"order_{number}") for number in range(100))),
        at_start={"batch-service": ["orders"]},
        printed=[f"order_{number}" for number in range(100)],
        committed={"batch-service": {("orders", 0): 100}},
    ),
    "002_16": Case(
        topics={"orders": 3},
        given=TWO_PARTITIONS,
        printed=[
            *(f"Partition 0: new {number}" for number in range(20)),
            *(f"Partition 1: other {number}" for number in range(5)),
        ],
        in_any_order=True,
        committed={"manual-assignment": {("orders", 0): 120, ("orders", 1): 5}},
    ),
    "002_17": Case(
        topics={"orders": 2},
        at_start={"service-1": ["orders"]},
        printed=[f"processed order_{number}" for number in range(5)],
        in_any_order=True,
        added={
            "orders": [
                *records(*(order(f"order_{number}") for number in (0, 2, 4))),
                *records(*(order(f"order_{number}") for number in (1, 3)), partition=1),
            ]
        },
        committed={"service-1": {("orders", 0): 3, ("orders", 1): 2}},
        complaints={REBALANCES},
    ),
}

# --- streams --------------------------------------------------------------------------------------

PURCHASE = {"type": "purchase", "status": "completed", "total": 7, "timestamp": 1700000000}
MINUTE = 1_700_000_040  # a full minute: 2023-11-14T22:14
JOINED = order("o1", total=5, payment_method="card", payment_status="paid", paid_at=1700000000)
CREATED = {"event_type": "OrderCreated"}

STREAM_CASES = {
    "002_18": Case(
        topics={"raw-events": 1, "successful-orders": 1},
        given=given(
            "raw-events",
            {**PURCHASE, **order("o1", items=["book", "pen"])},
            {"type": "view", "status": "completed"},
            {**PURCHASE, "status": "failed"},
            {**PURCHASE, **order("o2", items=["pen"])},
        ),
        at_start={"stream-worker": ["raw-events"]},
        added={
            "successful-orders": records(
                order("o1", total=7, timestamp=1700000000, category="books"),
                order("o2", total=7, timestamp=1700000000, category="other"),
            )
        },
        committed={"stream-worker": {("raw-events", 0): 4}},
    ),
    "002_19": Case(
        topics={"page-views": 1},
        given=given(
            "page-views",
            {"timestamp": MINUTE + 59},
            *({"timestamp": MINUTE + 60 * number} for number in range(11)),
        ),
        at_start={"window-processor": ["page-views"]},
        printed=[
            "Page views per minute:",
            "  2023-11-14T22:14:00.000Z: 2",
            *(f"  2023-11-14T22:{minute}:00.000Z: 1" for minute in range(15, 25)),
        ],
        committed={"window-processor": {("page-views", 0): 12}},
    ),
    "002_20": Case(
        topics={"orders": 1, "payments": 1, "orders-with-payments": 1},
        given=given("orders", order("o1", total=5), order("o2", total=6)),
        at_start={"join-service": ["orders", "payments"]},
        added={
            "payments": records(
                order("o1", method="card", status="paid", timestamp=1700000000),
                order("o9", method="card", status="paid", timestamp=1700000001),
                order("o1", method="cash", status="twice", timestamp=1700000002),
            ),
            "orders-with-payments": records(JOINED),
        },
        committed={"join-service": {("orders", 0): 2, ("payments", 0): 3}},
    ),
    "002_34": Case(
        topics={"dbserver1.inventory.orders": 1},
        given=given(
            "dbserver1.inventory.orders",
            {"op": "c", "before": None, "after": {"id": 1, "total": 5}},
            {"op": "r", "after": {"id": 2}},
            {"op": "u", "before": {"id": 1, "total": 5}, "after": {"id": 1, "total": 6}},
            {"op": "d", "before": {"id": 1, "total": 6}, "after": None},
        ),
        at_start={"cdc-listener": ["dbserver1.inventory.orders"]},
        printed=[
            "New order: { id: 1, total: 5 }",
            "Order updated: { before: { id: 1, total: 5 }, after: { id: 1, total: 6 } }",
            "Order deleted: { id: 1, total: 6 }",
        ],
        committed={"cdc-listener": {("dbserver1.inventory.orders", 0): 4}},
    ),
}

# --- event sourcing, sagas, dead letters ----------------------------------------------------------


class Anything:
    """Equals everything: the blocks ask the clock."""

    def __eq__(self, other):
        return True

    def __repr__(self):
        return "<anything>"


def created_event(name, user):
    return (
        0,
        name.encode(),
        {**CREATED, **order(name, user_id=user, items=["a", "b"], total=30)}
        | {"timestamp": Anything()},
        [],
    )


def saga(number, title, total, *commands):
    """The records of a saga: what starts it, and what the services send."""
    name = {"saga_id": f"saga-{number}"}
    start = {**name, "command": "CreateOrder", "data": {"name": title, "total": total}}
    return [start, *({**name, **order(f"order-{number}"), **command} for command in commands)]


SAGAS = [
    *saga(
        *(1, "good", 10),
        {"command": "ProcessPayment", "amount": 10},
        {"command": "ReserveInventory"},
        {"command": "ScheduleShipping"},
    ),
    *saga(
        *(2, "unpaid", 20),
        {"command": "ProcessPayment", "amount": 20},
        {"command": "CancelOrder", "reason": "PaymentFailed"},
    ),
    *saga(
        *(3, "sold out", 30),
        {"command": "ProcessPayment", "amount": 30},
        {"command": "ReserveInventory"},
        {"command": "RefundPayment"},
    ),
]
SAGA_SERVICES = [f"{name}-saga-service" for name in ("order", "payment", "inventory")]
READ_SIDE = [
    {**CREATED, **order("order-1", user_id="u1", total=10)},
    {**CREATED, **order("order-2", user_id="u2", total=20)},
]
WHY = "processing of bad fails"
LETTER_HEADERS = [("original_topic", b"orders"), ("error", WHY.encode()), ("retries", b"3")]

PATTERN_CASES = {
    "002_32": Case(
        topics={"order-events": 1},
        printed=[
            '{"id":"order-1","user_id":"u1","items":["a","b"],"total":30,"status":"shipped",'
            '"paid_at":1700000000,"tracking_number":"T-1"}'
        ],
        added={
            "order-events": [
                created_event("order-1", "u1"),
                created_event("order-2", "u2"),
                *records(
                    {"event_type": "OrderPaid", **order("order-1", timestamp=1700000000)},
                    {"event_type": "OrderShipped", **order("order-1", tracking_number="T-1")},
                ),
            ]
        },
    ),
    "002_33": Case(
        topics={"order-events": 1},
        printed=[json.dumps(event, separators=(",", ":")) for event in READ_SIDE],
        added={"order-events": records(*READ_SIDE)},
        committed={"order-read-side": {("order-events", 0): 2}},
    ),
    "002_35": Case(
        topics={"saga-commands": 1},
        at_start=dict.fromkeys(SAGA_SERVICES, ["saga-commands"]),
        printed=["refund order-3", "cancel order-3"],
        added={"saga-commands": records(*SAGAS)},
        committed={service: {("saga-commands", 0): len(SAGAS)} for service in SAGA_SERVICES},
    ),
    "002_36": Case(
        topics={"orders": 1, "orders-dlq": 1},
        given=given("orders", order("good"), order("bad"), order("better")),
        at_start={"orders-worker": ["orders"]},
        printed=[
            "processed good",
            *(f"Retry {attempt}/3: {WHY}" for attempt in (1, 2, 3)),
            "processed better",
        ],
        added={"orders-dlq": [(0, None, order("bad"), LETTER_HEADERS)]},
        committed={"orders-worker": {("orders", 0): 3}},
    ),
}

CASES = {**PRODUCER_CASES, **CONSUMER_CASES, **STREAM_CASES, **PATTERN_CASES}
