import time
import uuid

import pytest
from conftest import START_MS, produce, rest
from ringlog import (
    ConsumerRebalanceListener,
    IsolationLevel,
    KafkaConsumer,
    KafkaProducer,
    OffsetAndMetadata,
    TopicPartition,
    errors,
)
from ringlog.admin import (
    AlterConfigOp,
    ConfigResource,
    ConfigResourceType,
    ConsumerGroupDescription,
    GroupState,
    KafkaAdminClient,
    NewPartitions,
    NewTopic,
    OffsetSpec,
    OffsetTimestamp,
)

T0 = TopicPartition("t", 0)
T1 = TopicPartition("t", 1)


@pytest.fixture
def admin(anywhere):
    with KafkaAdminClient(bootstrap_servers=anywhere) as made:
        yield made


def fill(anywhere, *values, topic="t", partition=0):
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        for number, value in enumerate(values):
            producer.send(topic, value, partition=partition, timestamp_ms=START_MS + number)


def topics_of(admin):
    """Without the internal ones, which another test of the same server may have made."""
    return [name for name in admin.list_topics() if not name.startswith("__")]


# --- topics ---------------------------------------------------------------------------------------


def test_topics_are_created_in_every_form(admin):
    created = admin.create_topics(["plain"])
    assert created["topics"][0]["name"] == "plain" and created.topic_errors == [("plain", 0, None)]
    admin.create_topics([NewTopic("new", 3, 1, topic_configs={"retention.ms": 1000})])
    admin.create_topics({"dict": {"num_partitions": 2, "configs": {"max.message.bytes": "100"}}})
    assert sorted(topics_of(admin)) == ["dict", "new", "plain"]
    described = {topic["name"]: topic for topic in admin.describe_topics(topics_of(admin))}
    counts = {name: len(topic["partitions"]) for name, topic in described.items()}
    assert counts == {"plain": 1, "new": 3, "dict": 2}
    assert described["new"]["topic_id"] == admin.describe_topics(["new"])[0]["topic_id"]
    assert isinstance(described["new"]["topic_id"], uuid.UUID)


def test_a_described_topic_has_the_keys_of_both_lines(admin):
    admin.create_topics(["t"])
    topic = admin.describe_topics(["t"])[0]
    assert (topic["name"], topic["topic"], topic["error_code"]) == ("t", "t", 0)
    assert topic["is_internal"] is False
    partition = topic["partitions"][0]
    assert partition["partition_index"] == partition["partition"] == 0
    assert partition["leader_id"] == partition["leader"] >= 0
    assert partition["replica_nodes"] == partition["replicas"] == [partition["leader"]]
    assert partition["isr_nodes"] == partition["isr"] == [partition["leader"]]
    assert partition["offline_replicas"] == []


def test_topics_by_id(admin):
    admin.create_topics(["t", "u"])
    identity = admin.describe_topics(["t"])[0]["topic_id"]
    assert admin.describe_topics([identity])[0]["name"] == "t"
    admin.delete_topics([identity])
    assert topics_of(admin) == ["u"]
    with pytest.raises(errors.UnknownTopicIdError):
        admin.describe_topics([uuid.uuid4()])


def test_unknown_topics(admin):
    assert admin.describe_topics(["nowhere"])[0]["error_code"] == 3
    with pytest.raises(errors.UnknownTopicOrPartitionError, match="nowhere"):
        admin.delete_topics(["nowhere"])
    assert admin.delete_topics(["nowhere"], raise_errors=False).topic_error_codes == [
        ("nowhere", 3)
    ]
    assert topics_of(admin) == []


def test_refused_topics(admin):
    admin.create_topics(["t"])
    for topic, error in (
        ("t", errors.TopicAlreadyExistsError),
        ("a/b", errors.InvalidTopicError),
        ("x" * 250, errors.InvalidTopicError),
        (NewTopic("z", 0, 1), errors.InvalidPartitionsError),
        (NewTopic("z", 1, 3), errors.InvalidReplicationFactorError),
        (NewTopic("z", topic_configs={"no.such.config": "1"}), errors.InvalidConfigurationError),
        (NewTopic("z", topic_configs={"retention.ms": "soon"}), errors.InvalidConfigurationError),
    ):
        with pytest.raises(error):
            admin.create_topics([topic])
        assert admin.create_topics([topic], raise_errors=False)["topics"][0]["error_code"]
    assert topics_of(admin) == ["t"]


def test_wrong_forms(admin):
    for call, bad in (
        (admin.create_topics, "t"),
        (admin.create_topics, []),
        (admin.create_topics, [1]),
        (admin.describe_topics, "t"),
        (admin.delete_topics, "t"),
    ):
        with pytest.raises(errors.IllegalArgumentError):
            call(bad)


def test_validate_only_and_waiting(admin):
    admin.create_topics(["t"], validate_only=True)
    assert topics_of(admin) == []
    admin.create_topics(["t"], wait_for_metadata=True)
    admin.wait_for_topics(["t"], timeout_ms=0)
    with pytest.raises(errors.KafkaTimeoutError, match="nowhere"):
        admin.wait_for_topics(["t", "nowhere"], timeout_ms=10)


def test_partitions_are_added(admin):
    admin.create_topics(["t"])
    admin.create_partitions({"t": 2})
    admin.create_partitions({"t": NewPartitions(3)})
    admin.create_partitions({"t": {"count": 5}}, validate_only=True)
    assert len(admin.describe_topics(["t"])[0]["partitions"]) == 3
    with pytest.raises(errors.InvalidPartitionsError):
        admin.create_partitions({"t": 2})
    failed = admin.create_partitions({"nowhere": 2}, raise_errors=False)
    assert [item.error_code for item in failed.results] == [3]


def test_cluster(admin):
    cluster = admin.describe_cluster()
    broker = cluster["brokers"][0]
    assert len(cluster["brokers"]) == 1 and cluster["cluster_id"]
    assert cluster["controller_id"] == broker["broker_id"] == broker["node_id"]


# --- records and offsets --------------------------------------------------------------------------


def test_records_are_deleted(admin, anywhere):
    fill(anywhere, b"0", b"1", b"2", b"3")
    assert admin.delete_records({T0: 2})[T0]["low_watermark"] == 2
    with KafkaConsumer(bootstrap_servers=anywhere, consumer_timeout_ms=300) as consumer:
        consumer.assign([T0])
        consumer.seek_to_beginning()
        assert [record.value for record in rest(consumer)] == [b"2", b"3"]
        assert consumer.beginning_offsets([T0]) == {T0: 2}
    assert admin.delete_records({T0: -1})[T0]["low_watermark"] == 4
    with pytest.raises(errors.OffsetOutOfRangeError):
        admin.delete_records({T0: 5})
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.delete_records({TopicPartition("nowhere", 0): 1})


def test_offsets_are_looked_up(admin, anywhere):
    fill(anywhere, b"0", b"1", b"2")
    for spec, offset in (
        (OffsetSpec.EARLIEST, 0),
        (OffsetSpec.LATEST, 3),
        (OffsetSpec.MAX_TIMESTAMP, 2),
        (START_MS + 1, 1),
        (START_MS + 3, -1),
    ):
        assert admin.list_partition_offsets({T0: spec})[T0].offset == offset
    found = admin.list_partition_offsets({T0: START_MS + 1}, IsolationLevel.READ_COMMITTED)[T0]
    assert found.timestamp == START_MS + 1
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.list_partition_offsets({T1: OffsetSpec.LATEST})


# --- configs --------------------------------------------------------------------------------------


def described(admin, **options):
    topic = ConfigResource("topic", "t", options.pop("configs", None))
    return admin.describe_configs([topic], **options)["topic"]["t"]


def test_configs_are_described(admin):
    admin.create_topics([NewTopic("t", topic_configs={"retention.ms": "5000"})])
    assert list(described(admin)) == ["retention.ms"]
    found = described(admin)["retention.ms"]
    assert (found["value"], found["config_source"]) == ("5000", "DYNAMIC_TOPIC_CONFIG")
    assert (found["config_type"], found["read_only"], found["is_sensitive"]) == (
        "LONG",
        False,
        False,
    )
    everything = described(admin, config_filter="all")
    assert everything["cleanup.policy"]["value"] == "delete"
    assert everything["cleanup.policy"]["config_source"] == "DEFAULT_CONFIG"
    assert list(described(admin, configs=["segment.ms"], config_filter="all")) == ["segment.ms"]
    synonyms = described(admin, include_synonyms=True)["retention.ms"]["synonyms"]
    assert synonyms[0]["source"] == "DYNAMIC_TOPIC_CONFIG" and synonyms[0]["value"] == "5000"
    with pytest.raises(errors.UnknownTopicOrPartitionError):
        admin.describe_configs([ConfigResource("topic", "nowhere")])


def test_configs_are_altered(admin):
    admin.create_topics([NewTopic("t", topic_configs={"retention.ms": "5000"})])

    def alter(**configs):
        named = {name.replace("_", "."): value for name, value in configs.items()}
        return admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, "t", named)])

    def becomes(wanted):
        """Kafka's broker shows what its controller has taken a moment later."""
        until = time.monotonic() + 30
        while time.monotonic() < until:
            values = {name: config["value"] for name, config in described(admin).items()}
            if values == wanted:
                break
        return values == wanted

    assert alter(segment_ms=9000) == {"topic": {"t": "OK"}}
    assert becomes({"retention.ms": "5000", "segment.ms": "9000"})
    alter(retention_ms=None, cleanup_policy=(AlterConfigOp.APPEND, "compact"))
    assert becomes({"segment.ms": "9000", "cleanup.policy": "delete,compact"})
    assert "InvalidConfiguration" in alter(segment_ms="never")["topic"]["t"]
    with pytest.raises(ValueError, match="no.such.config"):
        alter(no_such_config=1)
    admin.reset_configs([ConfigResource("topic", "t", ["segment.ms"])])
    assert becomes({"cleanup.policy": "delete,compact"})
    admin.reset_configs([ConfigResource("topic", "t")])
    assert becomes({})


# --- groups ---------------------------------------------------------------------------------------


@pytest.fixture
def group(anywhere):
    """A group "g" with one member that has read all three records of t-0."""
    fill(anywhere, b"0", b"1", b"2")
    with KafkaConsumer(
        "t", bootstrap_servers=anywhere, group_id="g", client_id="reader",
        auto_offset_reset="earliest", consumer_timeout_ms=300,
    ) as consumer:  # fmt: skip
        assert len(rest(consumer)) == 3
        consumer.commit()
        yield consumer


def test_groups_are_listed_and_described(admin, group):
    assert admin.list_consumer_groups() == [("g", "consumer")]
    listed = admin.list_groups(states_filter=[GroupState.STABLE], types_filter=["classic"])
    assert [entry["group_id"] for entry in listed] == ["g"]
    assert admin.list_groups(states_filter=["empty"]) == []
    described = admin.describe_groups(["g"])["g"]
    assert (described["error"], described["group_state"]) == (None, "Stable")
    member = described["members"][0]
    assert member["client_id"] == "reader"
    assert member["member_metadata"].topics == ["t"]
    assert member["member_assignment"].partitions() == [T0]
    old = admin.describe_consumer_groups(["g"])[0]
    assert isinstance(old, ConsumerGroupDescription)
    assert (old.group, old.state, old.protocol) == ("g", "Stable", "range")
    assert old.members[0].member_assignment.assignment == [("t", [0])]


def test_an_unknown_group(admin):
    assert admin.describe_groups(["nobody"])["nobody"]["group_state"] == "Dead"
    assert admin.list_consumer_group_offsets("nobody") == {}
    assert admin.delete_groups(["nobody"]) == {"nobody": "GroupIdNotFoundError"}


def test_offsets_of_a_group(admin, group):
    offsets = admin.list_consumer_group_offsets("g")
    assert {partition: found.offset for partition, found in offsets.items()} == {T0: 3}
    assert admin.list_group_offsets("g")["g"] == offsets
    assert admin.list_group_offsets({"g": [T0, T1]})["g"][T1].offset == -1


def test_a_group_with_members_is_left_alone(admin, group):
    assert admin.delete_groups(["g"]) == {"g": "NonEmptyGroupError"}
    assert admin.delete_consumer_groups(["g"]) == [("g", errors.NonEmptyGroupError)]
    altered = admin.alter_group_offsets("g", {T0: 1})
    assert altered[T0] is not errors.NoError
    assert admin.delete_group_offsets("g", [T0]) == {T0: errors.GroupSubscribedToTopicError}


def test_offsets_of_an_empty_group_are_altered(admin, anywhere):
    fill(anywhere, *(b"v" for _ in range(10)))
    note = OffsetAndMetadata(4, "by hand", -1)
    assert admin.alter_group_offsets("g", {T0: note}) == {T0: errors.NoError}
    assert admin.list_consumer_group_offsets("g")[T0][:2] == (4, "by hand")
    for target, offset in (
        (OffsetSpec.EARLIEST, 0),
        (OffsetSpec.LATEST, 10),
        (OffsetTimestamp(START_MS + 7), 7),
        (OffsetTimestamp(START_MS + 10), 10),
        (5, 5),
        (99, 10),
    ):
        done = admin.reset_group_offsets("g", {T0: target})
        assert done == {T0: {"error": errors.NoError, "offset": offset}}
        assert admin.list_consumer_group_offsets("g")[T0].offset == offset
    assert admin.delete_group_offsets("g", [T0]) == {T0: errors.NoError}
    assert admin.list_consumer_group_offsets("g") == {}
    admin.alter_group_offsets("g", {T0: 1})
    assert admin.delete_groups(["g"]) == {"g": "OK"}
    assert admin.list_groups() == []


def test_closed(admin):
    admin.close()
    with pytest.raises(errors.IllegalStateError):
        admin.list_topics()


# --- several consumers of one group ---------------------------------------------------------------


class Told(ConsumerRebalanceListener):
    def __init__(self):
        self.revoked, self.assigned = [], []

    def on_partitions_revoked(self, revoked):
        self.revoked.append(revoked)

    def on_partitions_assigned(self, assigned):
        self.assigned.append(assigned)


def settle(consumers, wanted):
    """Polls all in turn until the assignments are as wanted; what was read."""
    read = []
    for _ in range(200):
        for consumer in consumers:
            for records in consumer.poll(timeout_ms=50).values():
                read += [(record.partition, record.offset) for record in records]
        if [len(consumer.assignment()) for consumer in consumers] == wanted:
            return read
    raise AssertionError([consumer.assignment() for consumer in consumers])


@pytest.mark.parametrize("strategy", ["range", "roundrobin"])
def test_partitions_move_between_consumers(admin, anywhere, strategy):
    admin.create_topics([NewTopic("t", 4, 1)])
    with KafkaProducer(bootstrap_servers=anywhere) as producer:
        for partition in range(4):
            produce(producer, "t", b"0", b"1", partition=partition)
    options = {
        "bootstrap_servers": anywhere,
        "group_id": "g",
        "auto_offset_reset": "earliest",
        "partition_assignment_strategy": [strategy],
        "heartbeat_interval_ms": 50,
    }
    told = Told()
    first = KafkaConsumer(**options)
    first.subscribe(["t"], listener=told)
    read = settle([first], [4])
    while len(read) < 8:
        read += settle([first], [4])
    assert told.assigned == [{TopicPartition("t", number) for number in range(4)}]
    with KafkaConsumer("t", **options) as second:
        assert settle([first, second], [2, 2]) == []
        assert first.assignment().isdisjoint(second.assignment())
        assert told.revoked == told.assigned[:1] and told.assigned[-1] == first.assignment()
        assert admin.describe_consumer_groups(["g"])[0].protocol == strategy
    settle([first], [4])
    first.close()
    assert told.revoked[-1] == told.assigned[-1]
    assert sorted(read) == [(partition, offset) for partition in range(4) for offset in range(2)]


def test_a_listener_may_commit_and_seek(admin, anywhere, protocol):
    fill(anywhere, b"0", b"1", b"2")

    class Seeker(ConsumerRebalanceListener):
        def on_partitions_revoked(self, revoked):
            consumer.commit()

        def on_partitions_assigned(self, assigned):
            for partition in assigned:
                consumer.seek(partition, 2)

    consumer = KafkaConsumer(
        bootstrap_servers=anywhere,
        group_id="g",
        **protocol,
        consumer_timeout_ms=300,
        enable_auto_commit=False,
    )
    consumer.subscribe(["t"], listener=Seeker())
    assert [record.value for record in rest(consumer)] == [b"2"]
    consumer.close()
    assert admin.list_consumer_group_offsets("g")[T0].offset == 3


def test_a_listener_that_raises_is_heard(admin, anywhere, protocol):
    fill(anywhere, b"0")

    class Failing(Told):
        def on_partitions_assigned(self, assigned):
            raise KeyError("listener")

    consumer = KafkaConsumer(bootstrap_servers=anywhere, group_id="g", **protocol)
    consumer.subscribe(["t"], listener=Failing())
    with pytest.raises(KeyError, match="listener"):
        consumer.poll(timeout_ms=5000)
    consumer.close()


def test_static_members_keep_their_partitions(admin, anywhere):
    fill(anywhere, b"0")
    options = {"bootstrap_servers": anywhere, "group_id": "g", "group_instance_id": "one"}
    first = KafkaConsumer("t", **options)
    settle([first], [1])
    generation = first.group_metadata().generation_id
    first.close()
    second = KafkaConsumer("t", **options)
    settle([second], [1])
    assert second.group_metadata().generation_id == generation
    second.close()
