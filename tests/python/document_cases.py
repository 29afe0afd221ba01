"""The documents' Python blocks: what each needs from outside, and by hand what it must do.

A case is named like the file that `documents/blocks python` writes. `before` prepares the log,
`supplied` gives names that the block uses and does not define, `after` calls what it defines; all
three run in the block's process, where `import kafka` means ringlog. What follows must be there
when that process has ended: printed lines, every topic with all its records, committed offsets.
"""

import json
import re
import types
from dataclasses import dataclass, field
from datetime import datetime, timedelta


class IsoTime:
    """Equals any time in ISO format: the blocks ask the clock."""

    def __eq__(self, other):
        return bool(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?", other))

    def __repr__(self):
        return "<time>"


TIME = IsoTime()


def nothing():
    return {}


@dataclass
class Case:
    before: object = nothing
    supplied: object = nothing
    after: object = lambda names: None
    printed: list = field(default_factory=list)
    in_any_order: bool = False  # several topics are read: the order between them is free
    records: dict = field(default_factory=dict)  # topic: [(partition, key, value, headers)]
    committed: dict = field(default_factory=dict)  # group: {(topic, partition): offset}


# --- what cases prepare ---------------------------------------------------------------------------


def create(*topics, partitions=1):
    from kafka.admin import KafkaAdminClient, NewTopic

    KafkaAdminClient().create_topics([NewTopic(topic, partitions, 1) for topic in topics])


def put(topic, *records):
    """Records are (key, value); a value that is no bytes goes as JSON."""
    from kafka import KafkaProducer

    producer = KafkaProducer()
    for key, value in records:
        data = value if isinstance(value, bytes) else json.dumps(value).encode()
        producer.send(topic, key=key, value=data)
    producer.flush()


def start_of(group, *topics):
    """The group has read nothing of the topics: a later consumer begins at their start."""
    from kafka import OffsetAndMetadata, TopicPartition
    from kafka.admin import KafkaAdminClient

    KafkaAdminClient().alter_group_offsets(
        group, {TopicPartition(topic, 0): OffsetAndMetadata(0) for topic in topics}
    )


# --- document 000 ---------------------------------------------------------------------------------


def view_profiles(names):
    names["track_profile_view"]("viewer_1", "profile_1", 1705314600)
    names["track_profile_view"]("viewer_2", "profile_3", 1705314601)
    names["track_profile_view"]("viewer_3", "profile_1", 1705314602)


def profile_view(viewer, profile, timestamp):
    return {
        "eventType": "PROFILE_VIEW",
        "viewerId": viewer,
        "profileId": profile,
        "timestamp": timestamp,
        "source": "web",
        "metadata": {"sessionId": "sess_123", "referrer": "search"},
    }


def travel(names):
    publisher = names["TripEventPublisher"]()
    builder = names["TripStateBuilder"]()
    publisher.trip_requested("trip_1", "rider_1", {"lat": 1.0}, {"lat": 2.0})
    publisher.trip_requested("trip_2", "rider_2", {"lat": 3.0}, {"lat": 4.0})
    publisher.trip_matched("trip_1", "driver_1", 120)
    publisher.location_updated("trip_1", 1.5, 7.5)
    publisher.producer.flush()
    print(builder.rebuild_trip_state("trip_1"))
    print(builder.rebuild_trip_state("trip_2"))
    done = names["TripEvent"]("trip_2", "TRIP_COMPLETED", datetime.utcnow().isoformat(), {})
    publisher.producer.send("trip-events", key=b"trip_2", value=done).get()
    print(builder.rebuild_trip_state("trip_2")["status"])


def trip_event(trip, kind, **data):
    return {"trip_id": trip, "event_type": kind, "timestamp": TIME, "data": data}


TRACK = {"artistId": "artist_1", "genres": ["rock", "indie"], "audioFeatures": {"energy": 1.0}}
LISTENING = [
    {"userId": "user_1", "eventType": "TRACK_PLAYED", "track": TRACK},
    {"userId": "user_1", "eventType": "TRACK_SKIPPED", "track": {"genres": ["indie"]}},
    {"userId": "user_2", "eventType": "TRACK_SAVED", "track": {"artistId": "artist_2"}},
    {"userId": "user_2", "eventType": "TRACK_SHARED", "track": {}},
]


def listen():
    create("user-listening-events")
    put("user-listening-events", *((None, event) for event in LISTENING))
    start_of("taste-profile-service", "user-listening-events")


def update_tastes(names):
    updater_class = names["TasteProfileUpdater"]
    updater_class._publish_profile_update = lambda self, user, profile: print("published", user)
    updater = updater_class()
    updater.process_events()
    for user, profile in sorted(updater.user_profiles.items()):
        print(user, dict(profile["genres"]), dict(profile["artists"]), profile["audio_features"])


HERE = {"lat": 0.0, "lng": 0.0, "country": "AA"}
FAR_AWAY = {"lat": 0.0, "lng": 90.0, "country": "BB"}
PAYMENTS = [  # id, card, amount, category, place, second
    ("t1", "card_1", 10.0, "grocery", HERE, 0),
    ("t2", "card_1", 12000.0, "gambling", HERE, 1),
    ("t3", "card_2", 6000.0, "crypto_exchange", HERE, 0),
    ("t4", "card_1", 10.0, "grocery", FAR_AWAY, 2),
    *((f"v{number}", "card_3", 1.0, "grocery", HERE, 0) for number in range(7)),
]


def payment_event(payment, card, amount, category, place, timestamp):
    return {
        "transaction_id": payment,
        "card_id": card,
        "amount": amount,
        "currency": "EUR",
        "merchant_id": "m",
        "merchant_category": category,
        "location": place,
        "timestamp": timestamp,
    }


def pay():
    now = datetime.utcnow()
    create("transactions", "fraud-decisions")
    for *payment, second in PAYMENTS:
        event = payment_event(*payment, (now + timedelta(seconds=second)).isoformat())
        put("transactions", (None, event))
    start_of("fraud-detector", "transactions")


def detect_fraud(names):
    def update_state(self, payment):
        seen = {**payment.location, "timestamp": payment.timestamp}
        self.recent_transactions.setdefault(payment.card_id, []).append(seen)
        self.card_locations[payment.card_id] = seen

    detector = names["FraudDetector"]
    detector._update_state = update_state
    detector._haversine_distance = lambda self, lat1, lng1, lat2, lng2: 111.0 * abs(lng2 - lng1)
    detector().process()


def decision(payment, verdict, score, *reasons):
    value = {
        "transaction_id": payment,
        "decision": verdict,
        "risk_score": score,
        "reasons": list(reasons),
    }
    return 0, payment.encode(), value, []


SAGA_EVENTS = {
    "orders.created": {"orderId": "o1", "totalAmount": 50, "paymentMethod": "card"},
    "payments.completed": {"orderId": "o2", "items": ["i"]},
    "payments.failed": {"orderId": "o3", "reason": "no funds"},
    "inventory.reserved": {"orderId": "o4", "shippingAddress": "street 1"},
    "inventory.failed": {"orderId": "o5"},
    "shipping.created": {"orderId": "o6", "trackingNumber": "n6"},
}


def place_orders():
    create(*SAGA_EVENTS)
    for topic, event in SAGA_EVENTS.items():
        put(topic, (None, event))
    start_of("order-saga", *SAGA_EVENTS)


def orchestrate(names):
    saga = names["OrderSagaOrchestrator"]()
    saga.run()
    print({order: state.value for order, state in sorted(saga.order_states.items())})


def plain(*values):
    """Records without key and headers in partition 0."""
    return [(0, None, value, []) for value in values]


# --- document 001 ---------------------------------------------------------------------------------

ORDER = {
    "orderId": "ORD-12345",
    "customerId": "CUST-789",
    "items": [
        {"productId": "PROD-001", "quantity": 2, "price": 29.99},
        {"productId": "PROD-002", "quantity": 1, "price": 49.99},
    ],
    "totalAmount": 109.97,
    "createdAt": "2024-01-15T10:30:00Z",
}


def put_order():
    create("orders.created")
    put("orders.created", (b"CUST-789", ORDER))
    start_of("inventory-service", "orders.created")


def inventory():
    return {
        "reserve_inventory": lambda product, quantity: print("reserve", product, quantity),
        "send_inventory_updated_event": lambda order: print("updated", order),
    }


def tailer():
    """A `tailer` whose follow() ends with the file, and the log file that the block opens."""
    import io
    import sys

    sys.modules["tailer"] = types.SimpleNamespace(
        follow=lambda file: (line.rstrip("\n") for line in file)
    )
    log = {"/var/log/nginx/access.log": "GET / 200\nGET /kafka 404\n"}
    return {"open": lambda path: io.StringIO(log[path]), "datetime": datetime}


def log_entry(line):
    return {
        "message": line,
        "source": "/var/log/nginx/access.log",
        "host": "web-server-1",
        "timestamp": TIME,
    }


def bank(names):
    names["create_account"]("ACC-1", 100.0)
    names["create_account"]("ACC-2", 1.0)
    names["deposit"]("ACC-1", 50.0)
    names["withdraw"]("ACC-1", 30.5)
    names["producer"].flush()
    print(*(names["rebuild_account_state"](account) for account in ("ACC-1", "ACC-2", "ACC-3")))


def account_event(account, kind, amount):
    value = {"account_id": account, "event_type": kind, "amount": amount, "timestamp": TIME}
    return 0, account.encode(), value, []


NOTIFICATIONS = {
    "users.created": {"email": "a@example.org", "name": "Anna"},
    "orders.placed": {"customerEmail": "b@example.org", "orderId": 7, "totalAmount": 99},
    "payments.completed": {"customerPhone": "+100", "amount": 99},
}


def put_notifications():
    create(*NOTIFICATIONS)
    for topic, event in NOTIFICATIONS.items():
        put(topic, (None, event))
    start_of("notification-service", *NOTIFICATIONS)


def keyed_order():
    from kafka import KafkaProducer

    return {
        "producer": KafkaProducer(value_serializer=lambda value: json.dumps(value).encode()),
        "order_id": "ORD-1",
        "order_data": {"total": 5},
        "update_data": {"status": "paid"},
    }


def operations():
    done = set()

    def perform(order, operation):
        if operation == "fail":
            raise RuntimeError("the operation failed")
        print(operation, order)

    return {
        "is_already_processed": done.__contains__,
        "mark_as_processed": done.add,
        "perform_operation": perform,
    }


def process_twice(names):
    names["process_order"]("o1", "ship")
    names["process_order"]("o1", "ship")
    try:
        names["process_order"]("o2", "fail")
    except RuntimeError as error:
        print(error)
    names["process_order"]("o2", "ship")


def put_letters():
    create("orders", partitions=3)
    create("orders.dlq")
    put("orders", (b"k1", b"good"), (b"k2", b"bad"), (b"k3", b"worse"))


def process_message():
    def process(message):
        if message.value != b"good":
            raise ValueError(f"cannot process {message.value.decode()}")
        print("processed", message.value.decode())

    return {"process_message": process}


def read_letters(names):
    from kafka import KafkaConsumer

    for message in KafkaConsumer("orders", auto_offset_reset="earliest"):
        names["process_with_dlq"](message)
    names["dlq_producer"].flush()


def dead_letter(key, value, partition):
    headers = [
        ("error", b"cannot process " + value),
        ("original-topic", b"orders"),
        ("original-partition", partition),
    ]
    return 0, key, value, headers


def lag_behind():
    from kafka import OffsetAndMetadata, TopicPartition
    from kafka.admin import KafkaAdminClient

    create("orders", partitions=3)
    create("other")
    put("orders", *((f"k{number}".encode(), {}) for number in range(1, 6)))
    put("other", (b"k", {}))
    KafkaAdminClient().alter_group_offsets(
        "billing",
        {
            TopicPartition("orders", 0): OffsetAndMetadata(1),
            TopicPartition("orders", 2): OffsetAndMetadata(0),
            TopicPartition("other", 0): OffsetAndMetadata(0),
        },
    )


def print_lag(names):
    print(names["get_consumer_lag"]("billing", "orders"))


# --- what must be there in the end ----------------------------------------------------------------

CASES = {
    "000_02": Case(
        before=lambda: create("member-activity", partitions=3),
        after=view_profiles,
        records={
            "member-activity": [
                (1, b"profile_1", profile_view("viewer_1", "profile_1", 1705314600), []),
                (1, b"profile_1", profile_view("viewer_3", "profile_1", 1705314602), []),
                (2, b"profile_3", profile_view("viewer_2", "profile_3", 1705314601), []),
            ]
        },
    ),
    "000_06": Case(
        after=travel,
        printed=[
            "{'tripId': 'trip_1', 'status': 'MATCHED', 'riderId': 'rider_1', 'driverId': "
            "'driver_1', 'locations': [{'lat': 1.5, 'lng': 7.5}]}",
            "{'tripId': 'trip_2', 'status': 'REQUESTED', 'riderId': 'rider_2', 'driverId': None, "
            "'locations': []}",
            "COMPLETED",
        ],
        records={
            "trip-events": [
                (0, trip.encode(), trip_event(trip, kind, **data), [])
                for trip, kind, data in (
                    (
                        "trip_1",
                        "TRIP_REQUESTED",
                        {"riderId": "rider_1", "pickup": {"lat": 1.0}, "dropoff": {"lat": 2.0}},
                    ),
                    (
                        "trip_2",
                        "TRIP_REQUESTED",
                        {"riderId": "rider_2", "pickup": {"lat": 3.0}, "dropoff": {"lat": 4.0}},
                    ),
                    ("trip_1", "TRIP_MATCHED", {"driverId": "driver_1", "etaSeconds": 120}),
                    ("trip_1", "LOCATION_UPDATED", {"lat": 1.5, "lng": 7.5}),
                    ("trip_2", "TRIP_COMPLETED", {}),
                )
            ]
        },
    ),
    "000_08": Case(
        before=listen,
        after=update_tastes,
        printed=[
            "published user_1",
            "user_1 {'rock': 1.0, 'indie': 0.5} {'artist_1': 1.0} "
            "{'energy': 0.55, 'danceability': 0.5, 'valence': 0.5}",
            "user_2 {} {'artist_2': 5.0} {'energy': 0.5, 'danceability': 0.5, 'valence': 0.5}",
        ],
        records={"user-listening-events": plain(*LISTENING)},
        committed={"taste-profile-service": {("user-listening-events", 0): 4}},
    ),
    "000_10": Case(
        before=pay,
        after=detect_fraud,
        records={
            "transactions": plain(*(payment_event(*payment, TIME) for *payment, _ in PAYMENTS)),
            "fraud-decisions": [
                decision("t1", "ALLOW", 0.0),
                decision("t2", "BLOCK", 1.0, "Unusual amount: 0.60", "High risk category: 0.40"),
                decision("t3", "REVIEW", 0.7, "Unusual amount: 0.30", "High risk category: 0.40"),
                decision("t4", "BLOCK", 1.0, "Impossible travel detected: 1.00"),
                decision("v0", "ALLOW", 0.0),
                decision("v1", "ALLOW", 0.0),
                decision("v2", "ALLOW", 0.0),
                decision("v3", "ALLOW", 0.0),
                decision("v4", "ALLOW", 0.4, "High velocity: 0.40"),
                decision("v5", "ALLOW", 0.4, "High velocity: 0.40"),
                decision("v6", "BLOCK", 0.8, "High velocity: 0.80"),
            ],
        },
        committed={"fraud-detector": {("transactions", 0): 11}},
    ),
    "000_12": Case(
        before=place_orders,
        after=orchestrate,
        printed=[
            "{'o1': 'PAYMENT_PENDING', 'o2': 'PAYMENT_COMPLETED', 'o3': 'FAILED', "
            "'o4': 'INVENTORY_RESERVED', 'o5': 'FAILED', 'o6': 'COMPLETED'}"
        ],
        in_any_order=True,
        records={
            **{topic: plain(event) for topic, event in SAGA_EVENTS.items()},
            "payment.commands": plain(
                {
                    "command": "PROCESS_PAYMENT",
                    "orderId": "o1",
                    "amount": 50,
                    "paymentMethod": "card",
                },
                {
                    "command": "REFUND_PAYMENT",
                    "orderId": "o5",
                    "reason": "Inventory not available",
                },
            ),
            "inventory.commands": plain(
                {"command": "RESERVE_INVENTORY", "orderId": "o2", "items": ["i"]}
            ),
            "shipping.commands": plain(
                {"command": "CREATE_SHIPMENT", "orderId": "o4", "address": "street 1"}
            ),
            "notifications.commands": plain(
                {"command": "NOTIFY_PAYMENT_FAILED", "orderId": "o3", "reason": "no funds"},
                {"command": "NOTIFY_ORDER_COMPLETED", "orderId": "o6", "trackingNumber": "n6"},
            ),
        },
        committed={"order-saga": {(topic, 0): 1 for topic in SAGA_EVENTS}},
    ),
    "001_01": Case(
        before=lambda: create("orders.created", partitions=4),
        records={"orders.created": [(1, b"CUST-789", ORDER, [])]},
    ),
    "001_02": Case(
        before=put_order,
        supplied=inventory,
        printed=[
            "Обработка заказа: ORD-12345",
            "reserve PROD-001 2",
            "reserve PROD-002 1",
            "updated ORD-12345",
        ],
        records={"orders.created": [(0, b"CUST-789", ORDER, [])]},
        committed={"inventory-service": {("orders.created", 0): 1}},
    ),
    "001_03": Case(
        before=lambda: create("clickstream", partitions=3),
        records={
            "clickstream": [
                (
                    2,
                    b"user_123",
                    {
                        "eventType": "click",
                        "userId": "user_123",
                        "pageUrl": "/products/laptop",
                        "elementId": "add-to-cart-btn",
                        "timestamp": TIME,
                        "userAgent": "Mozilla/5.0...",
                        "ipAddress": "192.168.1.100",
                    },
                    [],
                )
            ]
        },
    ),
    "001_06": Case(
        supplied=tailer,
        records={"logs.nginx": plain(log_entry("GET / 200"), log_entry("GET /kafka 404"))},
    ),
    "001_07": Case(
        supplied=lambda: {"datetime": datetime},
        after=bank,
        printed=["119.5 1.0 0.0"],
        records={
            "account-events": [
                account_event("ACC-1", "created", 100.0),
                account_event("ACC-2", "created", 1.0),
                account_event("ACC-1", "deposited", 50.0),
                account_event("ACC-1", "withdrawn", 30.5),
            ]
        },
    ),
    "001_09": Case(
        before=put_notifications,
        printed=[
            "Sending email to a@example.org: Добро пожаловать!",
            "Sending email to b@example.org: Заказ #7 оформлен",
            "Sending SMS to +100: Оплата 99 руб. прошла успешно",
        ],
        in_any_order=True,
        records={topic: plain(event) for topic, event in NOTIFICATIONS.items()},
        committed={"notification-service": {(topic, 0): 1 for topic in NOTIFICATIONS}},
    ),
    "001_10": Case(
        supplied=keyed_order,
        records={
            "orders": [(0, b"ORD-1", {"total": 5}, []), (0, None, {"total": 5}, [])],
            "order-updates": [(0, b"ORD-1", {"status": "paid"}, [])],
        },
    ),
    "001_11": Case(
        supplied=operations,
        after=process_twice,
        printed=["ship o1", "the operation failed", "ship o2"],
    ),
    "001_12": Case(
        before=put_letters,
        supplied=process_message,
        after=read_letters,
        printed=["processed good"],
        in_any_order=True,
        records={
            "orders": [(2, b"k1", b"good", []), (0, b"k2", b"bad", []), (1, b"k3", b"worse", [])],
            "orders.dlq": [dead_letter(b"k2", b"bad", b"0"), dead_letter(b"k3", b"worse", b"1")],
        },
    ),
    "001_13": Case(
        before=lag_behind,
        after=print_lag,
        printed=["2"],
        records={
            "orders": [
                (0, b"k2", {}, []),
                (0, b"k5", {}, []),
                (1, b"k3", {}, []),
                (1, b"k4", {}, []),
                (2, b"k1", {}, []),
            ],
            "other": [(0, b"k", {}, [])],
        },
        committed={"billing": {("orders", 0): 1, ("orders", 2): 0, ("other", 0): 0}},
    ),
}
