"""`ringlog serve` and sarama: the order service of the documents, as examples/go-order-service."""

import contextlib
import json
import os
import struct
import subprocess
from collections import Counter

import go_command
import go_order_service
import kafka_clients
import pytest
from confluent_kafka.admin import NewTopic
from go_order_service import Instance
from served import Served
from waiting import until

GROUP = "wildberries-order-service"
PRODUCE_SECONDS_MAX = 120
ORDER = {
    "order_id": "o-1",
    "customer_id": "ida",
    "items": [{"sku": "lamp", "price": 40, "quantity": 2}],
    "total": 80,
    "placed_at": "2026-03-01T12:00:00Z",
}
TEST_KEYS = [f"test-{number}-" for number in range(5)]  # how those of the producer tool begin
ATTRIBUTES_AT, SNAPPY, CODEC_MASK = 21, 2, 7  # in a batch of format 2


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """The folder of the compiled programs."""
    folder = tmp_path_factory.mktemp("order-service")
    try:
        go_order_service.build(folder)
    except go_command.GoUnavailable as unavailable:
        pytest.skip(f"the order service cannot be built: {unavailable}")
    return folder


@pytest.fixture
def start(programs, tmp_path):
    """Starts instances with the settings given; those that still run at the end are stopped."""
    with contextlib.ExitStack() as instances:
        count = 0

        def make(**settings: str) -> Instance:
            nonlocal count
            count += 1
            log = tmp_path / f"instance-{count}.log"
            return instances.enter_context(Instance(programs / "server", log, settings))

        yield make


def produce(programs, bootstrap: str, *options: str, **settings: str) -> str:
    """The producer tool, to its end; what it printed."""
    ran = subprocess.run(
        [programs / "producer", *options],
        env={**os.environ, "KAFKA_BROKERS": bootstrap, **settings},
        capture_output=True,
        text=True,
        timeout=PRODUCE_SECONDS_MAX,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def keys_of(bootstrap: str, topic: str, partitions: int = 1) -> list[str]:
    """Of every record; each value is the order of that ID."""
    keys = []
    for partition in range(partitions):
        for _, _, key, value, _ in kafka_clients.read_partition(bootstrap, topic, partition):
            assert json.loads(value)["order_id"] == key.decode()
            keys.append(key.decode())
    return keys


def committed(bootstrap: str, topic: str = "orders") -> dict[int, int]:
    """Offsets of the service's group by partition."""
    offsets = kafka_clients.committed(bootstrap, GROUP)
    return {partition: at for (name, partition), at in offsets.items() if name == topic}


def test_producer_tool(programs, tmp_path):
    file = tmp_path / "order.json"
    file.write_text(json.dumps(ORDER))
    with Served(tmp_path / "data") as server:
        assert "sent order test-0-" in produce(programs, server.bootstrap)
        assert produce(programs, server.bootstrap, "-test", "-count=5") == ""
        told = produce(programs, server.bootstrap, f"-file={file}", KAFKA_TOPIC="from-file")
        assert told == "sent order o-1 to from-file\n"
        keys = keys_of(server.bootstrap, "orders")
        assert Counter(key[:7] for key in keys) == Counter(["test-0-"] + TEST_KEYS)
        assert len(set(keys)) == 6
        assert keys_of(server.bootstrap, "from-file") == ["o-1"]
    segment = (tmp_path / "data" / "log" / "orders-0" / f"{0:020}.log").read_bytes()
    assert struct.unpack_from(">h", segment, ATTRIBUTES_AT)[0] & CODEC_MASK == SNAPPY


def test_without_kafka_there_is_the_http_api(start):
    instance = start(KAFKA_ENABLED="false")
    assert instance.get("/orders") == []
    assert instance.get("/order/o-1") is None
    assert instance.get("/stats") is None
    instance.stop()


def test_what_is_wrong_is_skipped_and_the_rest_stored(start):
    valid = {**ORDER, "order_id": "ö/2 ?"}
    values = [
        b"no JSON",
        b"",
        json.dumps({**ORDER, "total": 81}).encode(),
        json.dumps({**ORDER, "items": [], "total": 0}).encode(),
        json.dumps({**ORDER, "order_id": ""}).encode(),
        json.dumps(ORDER).encode(),
        json.dumps(valid).encode(),
        json.dumps(ORDER).encode(),
    ]
    with Served("memory:") as server:
        kafka_clients.create_topics(server.bootstrap, NewTopic("wishes", 1, 1))
        kafka_clients.produce(server.bootstrap, [("wishes", 0, b"k", v, None) for v in values])
        instance = start(KAFKA_BROKERS=server.bootstrap, KAFKA_TOPIC="wishes")
        done = until("all are read", lambda: (s := instance.get("/stats"))["processed"] == 3 and s)
        assert done == {
            "connected": True,
            "partitions": [0],
            "processed": 3,
            "skipped": 5,
            "retried": 0,
        }
        assert instance.order_ids() == ["o-1", "ö/2 ?"]
        assert instance.get("/order/o-1") == ORDER
        assert instance.get("/order/%C3%B6%2F2%20%3F") == valid
        assert instance.get("/order/o-3") is None
        assert instance.log().count("skips wishes-0@") == 5
        instance.stop()
        assert committed(server.bootstrap, "wishes") == {0: 8}


def test_what_cannot_be_stored_is_not_committed_and_tried_again(programs, start, tmp_path):
    store = tmp_path / "store"  # missing at first: nothing can be stored
    with Served("memory:") as server:
        produce(programs, server.bootstrap, "-test", "-count=3")
        settings = {"KAFKA_BROKERS": server.bootstrap, "ORDER_STORE": str(store)}
        first = start(**settings)
        until("it tried twice", lambda: first.get("/stats")["retried"] >= 2)
        first.stop()
        assert committed(server.bootstrap) == {}
        second = start(**settings)
        until("it tried", lambda: second.get("/stats")["retried"] >= 1)
        store.mkdir()
        until("all are stored", lambda: second.get("/stats")["processed"] == 3)
        assert second.order_ids() == sorted(keys_of(server.bootstrap, "orders"))
        second.stop()
        assert committed(server.bootstrap) == {0: 3}


def test_three_instances_share_the_partitions(programs, start, tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    with Served(tmp_path / "data") as server:
        kafka_clients.create_topics(server.bootstrap, NewTopic("orders", 3, 1))
        settings = {"KAFKA_BROKERS": server.bootstrap, "ORDER_STORE": str(store)}
        one, two, three = instances = [start(**settings) for _ in range(3)]

        def partitions_of(*running: Instance) -> list[list[int]]:
            return sorted(instance.get("/stats")["partitions"] or [] for instance in running)

        until("each has one", lambda: partitions_of(*instances) == [[0], [1], [2]])
        produce(programs, server.bootstrap, "-test", "-count=60")
        until("all are stored", lambda: len(one.order_ids()) == 60)
        until("each did some", lambda: all(each.get("/stats")["processed"] for each in instances))

        three.kill()  # its partition goes to another when its session ends
        produce(programs, server.bootstrap, "-test", "-count=30")
        until("all are stored", lambda: len(one.order_ids()) == 90)
        until("two share", lambda: sum(map(len, partitions_of(one, two))) == 3)
        two.stop()
        until("one has all", lambda: partitions_of(one) == [[0, 1, 2]])
        produce(programs, server.bootstrap, "-test", "-count=10")
        until("all are stored", lambda: len(one.order_ids()) == 100)
        one.stop()
        keys = keys_of(server.bootstrap, "orders", partitions=3)
        stored = [json.loads(file.read_text())["order_id"] for file in store.iterdir()]
        assert sorted(keys) == sorted(stored)
        assert sum(committed(server.bootstrap).values()) == 100
