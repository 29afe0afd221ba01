"""Groups of the consumer protocol (KIP-848): what our consumers do there and not in others."""

import time

import pytest
from conftest import KAFKA, empty_log, produce, rest
from ringlog import (
    ConsumerRebalanceListener,
    KafkaConsumer,
    KafkaProducer,
    SubscriptionPattern,
    TopicPartition,
    errors,
)
from ringlog.admin import KafkaAdminClient, NewTopic

SECONDS_MAX = 90
PARTITIONS = 4
#: Not the group of other tests: on Kafka a static member of theirs may still be in that.
GROUP = "shared"
ALL = {TopicPartition("t", number) for number in range(PARTITIONS)}


@pytest.fixture(params=["kafka"] if KAFKA else ["memory", "file", "served"])
def log(request, tmp_path):
    """A log with a topic "t" of two records in each of its partitions; hearts beat fast."""
    quick = {"group_consumer_heartbeat_interval_ms": 200}
    with empty_log(request.param, tmp_path, **quick) as address:
        create(address, "t", PARTITIONS)
        with KafkaProducer(bootstrap_servers=address) as producer:
            for partition in range(PARTITIONS):
                produce(producer, "t", b"0", b"1", partition=partition)
        yield address


@pytest.fixture
def member(log):
    """Makes consumers of the group that are closed when the test ends."""
    made = []

    def make(*topics, listener=None, pattern=None, **options):
        options = {"group_id": GROUP, "group_protocol": "consumer", **options}
        made.append(
            KafkaConsumer(
                bootstrap_servers=log,
                auto_offset_reset="earliest",
                consumer_timeout_ms=300,
                **options,
            )
        )
        if topics or pattern:
            made[-1].subscribe(topics, pattern=pattern, listener=listener)
        return made[-1]

    yield make
    for consumer in made:
        consumer.close()


class Told(ConsumerRebalanceListener):
    """Keeps what it hears: ("revoked" or "assigned" or "lost", partitions)."""

    def __init__(self):
        self.calls = []

    def on_partitions_revoked(self, revoked):
        self.calls.append(("revoked", revoked))

    def on_partitions_assigned(self, assigned):
        self.calls.append(("assigned", assigned))

    def on_partitions_lost(self, lost):
        self.calls.append(("lost", lost))

    def all(self, what):
        return set().union(*(partitions for said, partitions in self.calls if said == what))


def create(address, topic, partitions=1):
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        admin.create_topics([NewTopic(topic, partitions, 1)])


def settle(consumers, wanted):
    """Polls all in turn until they have so many partitions; what was read."""
    read, deadline = [], time.monotonic() + SECONDS_MAX
    while [len(consumer.assignment()) for consumer in consumers] != wanted:
        assert time.monotonic() < deadline, [consumer.assignment() for consumer in consumers]
        for consumer in consumers:
            for records in consumer.poll(timeout_ms=50).values():
                read += [(record.partition, record.offset) for record in records]
    return read


def wait_for_group(address, state):
    deadline = time.monotonic() + SECONDS_MAX
    with KafkaAdminClient(bootstrap_servers=address) as admin:
        while GROUP not in {one["group_id"] for one in admin.list_groups(states_filter=[state])}:
            assert time.monotonic() < deadline, admin.list_groups()
            time.sleep(0.05)


def test_only_what_moves_is_revoked(log, member):
    told = Told()
    first = member("t", listener=told)
    assert len(rest(first)) == 2 * PARTITIONS
    assert first.assignment() == told.all("assigned") == ALL
    second = member("t")
    assert settle([first, second], [2, 2]) == []  # committed before they went
    assert first.assignment().isdisjoint(second.assignment())
    assert told.all("revoked") == second.assignment()
    assert told.all("lost") == set()
    kept = first.assignment()
    with KafkaProducer(bootstrap_servers=log) as producer:
        for partition in range(PARTITIONS):
            produce(producer, "t", b"2", partition=partition)
    assert {record.partition for record in rest(first)} == {one.partition for one in kept}
    assert len(rest(second)) == 2
    gone = second.assignment()
    second.close()
    told.calls.clear()
    assert settle([first], [PARTITIONS]) == []
    assert (told.all("assigned"), told.all("revoked")) == (gone, set())
    first.close()
    assert told.all("revoked") == ALL


def test_another_subscription(log, member):
    create(log, "u", 2)
    told = Told()
    consumer = member("t", listener=told)
    settle([consumer], [PARTITIONS])
    consumer.subscribe(["u", "t"], listener=told)
    settle([consumer], [PARTITIONS + 2])
    assert told.all("revoked") == set()
    consumer.subscribe(["u"], listener=told)
    settle([consumer], [2])
    assert told.all("revoked") == ALL
    consumer.unsubscribe()
    assert consumer.assignment() == set()
    consumer.subscribe(["t"])
    settle([consumer], [PARTITIONS])


def test_the_broker_matches_a_pattern(log, member):
    create(log, "log-a")
    create(log, "a-log-a")
    consumer = member(pattern=SubscriptionPattern("log-.*"))
    settle([consumer], [1])
    assert consumer.assignment() == {TopicPartition("log-a", 0)}
    create(log, "log-b")
    settle([consumer], [2])
    with pytest.raises(errors.IllegalArgumentError):
        member(pattern=SubscriptionPattern("(")).poll(timeout_ms=30_000)
    with pytest.raises(errors.IllegalArgumentError):
        member(pattern=SubscriptionPattern("t"), group_protocol="classic")


def test_an_assignor_of_the_broker(log, member):
    assert len(rest(member("t", group_remote_assignor="range"))) == 2 * PARTITIONS
    with pytest.raises(errors.UnsupportedAssignorError, match="nobodys"):
        member("t", group_remote_assignor="nobodys").poll(timeout_ms=30_000)


def test_groups_are_described(log, member):
    consumer = member("t", client_id="reader", group_remote_assignor="range")
    settle([consumer], [PARTITIONS])
    wait_for_group(log, "Stable")
    with KafkaAdminClient(bootstrap_servers=log) as admin:
        listed = admin.list_groups(types_filter=["consumer"])
        assert GROUP in {one["group_id"] for one in listed}
        described = admin.describe_groups([GROUP])[GROUP]
        assert (described["error"], described["group_state"]) == (None, "Stable")
        assert described["protocol_data"] == "range"
        (only,) = described["members"]
        assert only["client_id"] == "reader"
        assert only["member_id"] == consumer.group_metadata().member_id
        assert only["member_metadata"].topics == ["t"]
        assert only["member_assignment"].assignment == [("t", list(range(PARTITIONS)))]


def test_a_static_member_comes_back(log, member):
    static = {"group_id": "static", "group_instance_id": "one"}
    first, other = member("t", **static), member("t", group_id="static")
    settle([first, other], [2, 2])
    had = first.assignment()
    with pytest.raises(errors.UnreleasedInstanceIdError, match="one"):
        member("t", **static).poll(timeout_ms=30_000)
    first.close()
    again = member("t", **static)
    settle([again, other], [2, 2])
    assert again.assignment() == had


def test_who_does_not_poll_loses_its_partitions(log, member):
    told = Told()
    consumer = member("t", listener=told, max_poll_interval_ms=500, enable_auto_commit=False)
    settle([consumer], [PARTITIONS])
    wait_for_group(log, "Empty")
    settle([consumer], [PARTITIONS])
    consumer.poll(timeout_ms=1000)
    while told.all("lost") != ALL or consumer.assignment() != ALL:
        consumer.poll(timeout_ms=1000)
    assert told.all("revoked") == set()
    assert consumer.group_metadata().generation_id > 0


def test_old_and_new_members_in_one_group(log, member):
    old = member("t", group_protocol="classic", heartbeat_interval_ms=200)
    assert len(rest(old)) == 2 * PARTITIONS
    new = member("t")
    assert settle([old, new], [2, 2]) == []
    assert old.assignment().isdisjoint(new.assignment())
    old.close()
    assert settle([new], [PARTITIONS]) == []


def test_a_member_of_a_group_that_was_left_by_all_goes_on(log, member):
    first = member("t", enable_auto_commit=False)
    for record in first:
        if record.offset == 1:
            first.commit()
            break
    first.close()
    assert len(rest(member("t"))) < 2 * PARTITIONS


def test_options_of_the_other_protocol_are_refused():
    address = {"bootstrap_servers": "memory:", "group_id": GROUP}
    for wrong in (
        {"session_timeout_ms": 10_000},
        {"heartbeat_interval_ms": 1000},
        {"partition_assignment_strategy": ["range"]},
    ):
        with pytest.raises(errors.KafkaConfigurationError, match=next(iter(wrong))):
            KafkaConsumer(group_protocol="CONSUMER", **wrong, **address)
    with pytest.raises(errors.KafkaConfigurationError, match="group_remote_assignor"):
        KafkaConsumer(group_remote_assignor="uniform", **address)
    with pytest.raises(errors.KafkaConfigurationError, match="'classic', 'consumer'"):
        KafkaConsumer(group_protocol="share", **address)
