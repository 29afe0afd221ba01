"""The same requests to Apache Kafka 4.3.1 and to `ringlog serve`: the same answers."""

import json
import time

import asker
import pytest
from served import Served

TOPIC = {
    "name": "t",
    "num_partitions": 2,
    "replication_factor": 1,
    "assignments": [],
    "configs": [],
}
MADE_SECONDS_MAX = 20


@pytest.fixture(scope="module")
def both(kafka_class_path, tmp_path_factory):
    """Kafka's address and ours; each has the topic `t` with two partitions."""
    import kafka_oracle

    place = tmp_path_factory.mktemp("same")
    kafka = kafka_oracle.KafkaServer(place / "kafka")
    try:
        kafka.format()
        kafka.start()
        # Where ours is quicker than Kafka unless told otherwise.
        as_kafka = ("--set", "group.consumer.assignment.interval.ms=1000")
        with Served(place / "ringlog", *as_kafka) as ours:
            for bootstrap in (kafka.bootstrap, ours.bootstrap):
                asker.ask(
                    bootstrap,
                    "CreateTopics",
                    7,
                    topics=[TOPIC],
                    timeout_ms=30_000,
                    validate_only=False,
                )
                wait_for_logs(bootstrap)
            yield kafka.bootstrap, ours.bootstrap
    finally:
        kafka.kill()
        kafka.discard()


def wait_for_logs(bootstrap: str):
    """Until both partitions are there: Kafka's broker hears of them after the answer."""
    end = time.monotonic() + MADE_SECONDS_MAX
    while True:
        (directory,) = asker.ask(bootstrap, "DescribeLogDirs", 4, topics=None)["results"]
        if [len(topic["partitions"]) for topic in directory["topics"]] == [2]:
            return
        assert time.monotonic() < end, f"{bootstrap} has not made the topic"
        time.sleep(0.02)


def shape(value, without=()):
    """What is compared: all but the named fields, lists in an order of their own."""
    if isinstance(value, dict):
        return {name: shape(one, without) for name, one in value.items() if name not in without}
    if isinstance(value, list):
        return sorted((shape(one, without) for one in value), key=repr)
    return value


def assert_same(both, name, version, without=(), **fields):
    """Kafka's broker hears of what its controller has changed a little after the answer."""
    end = time.monotonic() + MADE_SECONDS_MAX
    while True:
        kafka, ours = (shape(asker.ask(one, name, version, **fields), without) for one in both)
        if ours == kafka or not name.startswith("Describe") or time.monotonic() > end:
            break
        time.sleep(0.05)
    assert ours == kafka


def quota(entity: dict, key: str, value: float | None) -> dict:
    """One entry of AlterClientQuotas."""
    parts = [{"entity_type": kind, "entity_name": name} for kind, name in entity.items()]
    change = {"key": key, "value": value or 0.0, "remove": value is None}
    return {"entity": parts, "ops": [change]}


@pytest.mark.parametrize("version", [1, 4])
def test_log_directories(both, version):
    there = ("log_dir", "total_bytes", "usable_bytes")
    some = [{"topic": "t", "partitions": [1, 7]}, {"topic": "unknown", "partitions": [0]}]
    for topics in (None, [], some):
        assert_same(both, "DescribeLogDirs", version, there, topics=topics)


def test_nothing_moves_between_log_directories(both):
    def answers(path_of):
        for bootstrap in both:
            path = path_of(asker.ask(bootstrap, "DescribeLogDirs", 4, topics=None))
            topics = [
                {"name": name, "partitions": [0, 9]}
                for name in ("t", "unknown", "x" * 210, "x" * 248)
            ]
            yield asker.ask(
                bootstrap, "AlterReplicaLogDirs", 2, dirs=[{"path": path, "topics": topics}]
            )

    for path_of in (lambda found: found["results"][0]["log_dir"], lambda _: "/elsewhere"):
        kafka, ours = map(shape, answers(path_of))
        assert ours == kafka


@pytest.mark.parametrize("version", [1, 3])
def test_access_control_is_off(both, version):
    wanted = {
        "resource_type_filter": 2,
        "resource_name_filter": "t",
        "pattern_type_filter": 3,
        "principal_filter": None,
        "host_filter": None,
        "operation": 2,
        "permission_type": 3,
    }
    created = {
        "resource_type": 2,
        "resource_name": "t",
        "resource_pattern_type": 3,
        "principal": "User:a",
        "host": "*",
        "operation": 3,
        "permission_type": 3,
    }
    assert_same(both, "DescribeAcls", version, **wanted)
    assert_same(both, "CreateAcls", version, creations=[created, created])
    assert_same(both, "DeleteAcls", version, filters=[wanted, wanted])


@pytest.mark.parametrize("version", [0, 1, 2])
def test_metadata_quorum(both, version):
    own = (
        "leader_epoch",
        "high_watermark",
        "log_end_offset",
        "last_fetch_timestamp",
        "last_caught_up_timestamp",
        "replica_directory_id",  # Kafka's voters are static here
        "listeners",
    )
    for topic, partition in (("__cluster_metadata", 0), ("__cluster_metadata", 1), ("t", 0)):
        wanted = [{"topic_name": topic, "partitions": [{"partition_index": partition}]}]
        # Of a partition that is not there Kafka's numbers mean nothing.
        unset = own if (topic, partition) == ("__cluster_metadata", 0) else (*own, "leader_id")
        assert_same(both, "DescribeQuorum", version, unset, topics=wanted)


@pytest.mark.parametrize(
    "update",
    [
        [],
        [("metadata.version", 30, 1)],
        [("metadata.version", 29, 1)],
        [("metadata.version", 99, 1)],
        [("metadata.version", 0, 3)],
        [("unknown", 1, 1)],
        [("unknown", 0, 1)],
        [("metadata.version", 30, 9)],
        [("metadata.version", -2, 1)],
        [("metadata.version", 30, 1), ("unknown", 1, 1)],
    ],
)
def test_features(both, update):
    updates = [
        {"feature": name, "max_version_level": level, "upgrade_type": kind}
        for name, level, kind in update
    ]
    for version in (1, 2):
        assert_same(
            both,
            "UpdateFeatures",
            version,
            timeout_ms=30_000,
            feature_updates=updates,
            validate_only=True,
        )


def test_metadata_version_is_not_taken_back(both):
    update = {"feature": "metadata.version", "max_version_level": 29, "upgrade_type": 2}
    assert_same(
        both,
        "UpdateFeatures",
        2,
        ("error_message",),
        timeout_ms=30_000,
        feature_updates=[update],
        validate_only=False,
    )


def test_client_quotas(both):
    def alter(*entries, validate_only=False, without=()):
        assert_same(
            both,
            "AlterClientQuotas",
            1,
            without,
            entries=list(entries),
            validate_only=validate_only,
        )

    def describe(*components, strict=False):
        parts = [
            {"entity_type": kind, "match_type": match, "match": name}
            for kind, match, name in components
        ]
        assert_same(both, "DescribeClientQuotas", 1, components=parts, strict=strict)

    user = {"user": "u"}
    alter(quota(user, "producer_byte_rate", 1e9))
    alter(quota({"user": None, "client-id": None}, "request_percentage", 1250.5))
    alter(quota({"client-id": "c"}, "consumer_byte_rate", 1e9))
    alter(quota({"ip": "1.2.3.4"}, "connection_creation_rate", 10.0))
    alter(quota({"ip": None}, "connection_creation_rate", 1e6))  # Kafka keeps to it at once
    for entity, key, value in [
        ({"ip": "no..host"}, "connection_creation_rate", 10.0),
        ({"ip": "1.2.3.4"}, "producer_byte_rate", 10.0),
        (user, "connection_creation_rate", 10.0),
        (user, "unknown", 10.0),
        (user, "unknown", None),
        (user, "producer_byte_rate", 0.0),
        (user, "producer_byte_rate", -1.0),
        (user, "producer_byte_rate", 10.5),
        (user, "producer_byte_rate", 1e19),
        (user, "controller_mutation_rate", 5.0),
        ({"user": ""}, "producer_byte_rate", 10.0),
        ({"kind": "x"}, "producer_byte_rate", 10.0),
        ({}, "producer_byte_rate", 10.0),
    ]:
        alter(quota(entity, key, value))
    alter(
        quota({"ip": "1.2.3.4", "user": "u"}, "connection_creation_rate", 10.0),
        without=("error_message",),
    )
    alter(quota(user, "consumer_byte_rate", 7.0), validate_only=True)
    describe()
    describe(strict=True)
    for strict in (False, True):
        describe(("user", 0, "u"), strict=strict)
        describe(("user", 1, None), strict=strict)
        describe(("user", 2, None), strict=strict)
        describe(("user", 2, None), ("client-id", 1, None), strict=strict)
    describe(("ip", 2, None))
    for wrong in [
        ("user", 0, None),
        ("user", 1, "x"),
        ("user", 2, "x"),
        ("user", 3, "x"),
        ("kind", 2, None),
        ("", 2, None),
    ]:
        describe(wrong)
    describe(("user", 2, None), ("user", 2, None))
    describe(("user", 2, None), ("ip", 2, None))
    alter(quota(user, "producer_byte_rate", None))
    describe(("user", 0, "u"))


@pytest.mark.parametrize("epoch", [-1, 1, 7])
def test_leader_epochs(both, epoch):
    """Neither has been written to, so both are at epoch 0."""
    listed = {"partition_index": 0, "current_leader_epoch": epoch, "timestamp": -1}
    assert_same(
        both,
        "ListOffsets",
        10,
        ("leader_epoch",),
        replica_id=-1,
        isolation_level=0,
        topics=[{"name": "t", "partitions": [listed]}],
        timeout_ms=30_000,
    )
    asked = {"partition": 0, "current_leader_epoch": epoch, "leader_epoch": 7}
    assert_same(
        both,
        "OffsetForLeaderEpoch",
        4,
        replica_id=-1,
        topics=[{"topic": "t", "partitions": [asked]}],
    )


@pytest.mark.parametrize("topic, partition, acks", [("unknown", 0, 5), ("t", 9, 5), ("t", 0, 1)])
def test_produce_says_first_what_is_not_there(both, topic, partition, acks):
    assert_same(
        both,
        "Produce",
        9,
        ("error_message",),
        transactional_id=None,
        acks=acks,
        timeout_ms=30_000,
        topic_data=[{"name": topic, "partition_data": [{"index": partition, "records": b""}]}],
    )


def test_a_topic_is_described_once(both):
    own = ("brokers", "cluster_id", "topic_id")
    topics = [{"topic_id": None, "name": name} for name in ("t", "t", "unknown", "unknown")]
    assert_same(
        both,
        "Metadata",
        12,
        own,
        topics=topics,
        allow_auto_topic_creation=False,
        include_topic_authorized_operations=False,
    )


def test_configs_of_groups_and_client_metrics(both):
    def describe(kind, name):
        wanted = {"resource_type": kind, "resource_name": name, "configuration_keys": None}
        assert_same(
            both,
            "DescribeConfigs",
            4,
            ("documentation", "config_type"),
            resources=[wanted],
            include_synonyms=True,
            include_documentation=False,
        )

    def alter(kind, name, config, operation, value):
        change = {"name": config, "config_operation": operation, "value": value}
        assert_same(
            both,
            "IncrementalAlterConfigs",
            1,
            resources=[{"resource_type": kind, "resource_name": name, "configs": [change]}],
            validate_only=False,
        )

    group, metrics = 32, 16
    describe(group, "g")
    describe(group, "")
    alter(group, "g", "consumer.session.timeout.ms", 0, "50000")
    alter(group, "g", "consumer.session.timeout.ms", 0, "1")
    alter(group, "g", "unknown", 0, "1")
    alter(group, "", "consumer.session.timeout.ms", 0, "50000")
    describe(group, "g")
    alter(group, "g", "consumer.session.timeout.ms", 1, None)
    describe(group, "g")
    describe(metrics, "m")
    describe(metrics, "")
    alter(metrics, "m", "metrics", 0, "org.apache.kafka.producer.")
    alter(metrics, "m", "metrics", 2, "org.apache.kafka.consumer.")
    alter(metrics, "m", "interval.ms", 0, "10")
    alter(metrics, "m", "interval.ms", 0, "1000")
    alter(metrics, "m", "match", 0, "client_id=a.*")
    alter(metrics, "m", "match", 0, "unknown")
    alter(metrics, "m", "match", 0, "unknown=a")
    alter(metrics, "m", "unknown", 0, "1")
    alter(metrics, "", "interval.ms", 0, "1000")
    describe(metrics, "m")
    for version, fields in ((0, {}), (1, {"resource_types": [16]})):
        assert_same(both, "ListConfigResources", version, **fields)


def new_topic(name: str, partitions: int) -> dict:
    """One topic of CreateTopics."""
    return TOPIC | {"name": name, "num_partitions": partitions}


@pytest.mark.parametrize(
    "topics",
    [
        [("a", 10_001)],
        [("a", 10_000)],
        [("a", 9_999)],
        [("a", 5_001), ("b", 5_000)],
        [("a", 5_000), ("b", 4_998)],
        [("t", 10_001)],
        [("t", 10_000), ("a", 1)],
        [("a b", 10_001), ("a", 1)],
        [("a", 6_000), ("a", 6_000), ("b", 5_000)],
        [("a", -1), ("b", 10_000)],
        [("a", -7)],
        [("a", 2**31 - 1)],
    ],
)
def test_how_many_partitions_a_request_makes(both, topics):
    assert_same(
        both,
        "CreateTopics",
        7,
        ("configs", "topic_id"),
        topics=[new_topic(*one) for one in topics],
        timeout_ms=30_000,
        validate_only=True,
    )


@pytest.mark.parametrize(
    "topics",
    [
        [("t", 10_002, None)],
        [("t", 2, None)],
        [("t", 1, None)],
        [("t", -1, None)],
        [("unknown", 20_000, None)],
        [("t", 3, None), ("t", 4, None)],
        [("t", 4, [[1]])],
        [("t", 4, [[1], [1]])],
        [("t", 3, [[9]])],
        [("t", 3, [[1, 1]])],
        [("t", 3, [[]])],
    ],
)
def test_how_topics_grow(both, topics):
    """Kafka's answer to more than 10,000 partitions is UNKNOWN_SERVER_ERROR, and many are made."""
    asked = [
        {
            "name": name,
            "count": count,
            "assignments": given and [{"broker_ids": one} for one in given],
        }
        for name, count, given in topics
    ]
    # Of a topic that is not there Kafka says no more than the code.
    without = ("error_message",) if topics[0][0] == "unknown" else ()
    limits = {"timeout_ms": 30_000, "validate_only": True}
    assert_same(both, "CreatePartitions", 3, without, topics=asked, **limits)


def test_levels_of_loggers(both):
    """Each broker has loggers of its own; of Kafka's the one that is as good as any."""
    loggers = dict(zip(both, ("kafka.server.KafkaApis", "ringlog.server"), strict=True))

    def ask(bootstrap, name, version, fields):
        mine = json.loads(json.dumps(fields).replace("LOGGER", loggers[bootstrap]))
        answer = asker.ask(bootstrap, name, version, **mine)
        return json.loads(json.dumps(answer).replace(loggers[bootstrap], "LOGGER"))

    def same(name, version, **fields):
        kafka, ours = (shape(ask(one, name, version, fields)) for one in both)
        assert ours == kafka
        return ours

    def alter(*changes, broker="1", validate_only=False):
        configs = [
            {"name": name, "config_operation": operation, "value": value}
            for name, operation, value in changes
        ]
        resource = {"resource_type": 8, "resource_name": broker, "configs": configs}
        same("IncrementalAlterConfigs", 1, resources=[resource], validate_only=validate_only)

    def levels(broker="1", keys=("root", "LOGGER", "unknown")):
        wanted = {
            "resource_type": 8,
            "resource_name": broker,
            "configuration_keys": list(keys),
        }
        answer = same(
            "DescribeConfigs",
            4,
            resources=[wanted],
            include_synonyms=True,
            include_documentation=True,
        )
        return {one["name"]: one["value"] for one in answer["results"][0]["configs"]}

    alter(("root", 0, "INFO"))
    assert levels() == {"root": "INFO", "LOGGER": "INFO"}
    for level in ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"):
        alter(("LOGGER", 0, level))
        assert levels() == {"root": "INFO", "LOGGER": level}
    alter(("LOGGER", 0, "INFO"), validate_only=True)
    for wrong in ("OFF", "ALL", "debug", "LOUD", "", None):
        alter(("LOGGER", 0, wrong))
    for name in ("unknown", ""):
        alter((name, 0, "INFO"))
        alter((name, 1, None))
    alter(("LOGGER", 0, "WARN"), ("unknown", 0, "INFO"))
    alter(("LOGGER", 0, "WARN"), ("LOGGER", 0, "INFO"))
    alter(("LOGGER", 2, "INFO"))
    alter(("LOGGER", 3, "INFO"))
    alter(("root", 1, None))
    alter()
    assert levels() == {"root": "INFO", "LOGGER": "FATAL"}
    alter(("root", 0, "ERROR"))
    assert levels() == {"root": "ERROR", "LOGGER": "FATAL"}
    alter(("LOGGER", 1, None))
    assert levels() == {"root": "ERROR", "LOGGER": "ERROR"}
    alter(("root", 0, "WARN"))
    for broker in ("", "2", "x"):
        alter(("LOGGER", 0, "INFO"), broker=broker)
        levels(broker)
        configs = [{"name": "LOGGER", "value": "INFO"}]
        resource = {"resource_type": 8, "resource_name": broker, "configs": configs}
        same("AlterConfigs", 2, resources=[resource], validate_only=False)
    same("ListConfigResources", 1, resource_types=[8])
    assert levels() == {"root": "WARN", "LOGGER": "WARN"}


@pytest.mark.parametrize(
    "changes",
    [
        [("retention.ms", 0, None)],
        [("unknown", 0, None), ("retention.ms", 2, None)],
        [("retention.ms", 2, "1")],
        [("retention.ms", 0, "1"), ("retention.ms", 0, "2")],
    ],
)
def test_changes_of_configs_that_are_none(both, changes):
    configs = [
        {"name": name, "config_operation": operation, "value": value}
        for name, operation, value in changes
    ]
    resource = {"resource_type": 2, "resource_name": "t", "configs": configs}
    assert_same(both, "IncrementalAlterConfigs", 1, resources=[resource], validate_only=False)


@pytest.mark.parametrize("protocol_type", ["consumer", "connect"])
def test_who_is_on_the_way_to_a_group_keeps_nothing(both, protocol_type):
    group = f"awaited-{protocol_type}"
    committed = {
        "partition_index": 0,
        "committed_offset": 3,
        "committed_leader_epoch": -1,
        "committed_metadata": "",
    }
    for bootstrap in both:
        wait_for_coordinator(bootstrap, group)
    assert_same(
        both,
        "OffsetCommit",
        8,
        group_id=group,
        generation_id_or_member_epoch=-1,
        member_id="",
        group_instance_id=None,
        topics=[{"name": "t", "partitions": [committed]}],
    )
    assert_same(
        both,
        "JoinGroup",
        7,
        ("member_id",),
        group_id=group,
        session_timeout_ms=30_000,
        rebalance_timeout_ms=30_000,
        member_id="",
        group_instance_id=None,
        protocol_type=protocol_type,
        protocols=[{"name": "range", "metadata": b""}],
    )
    deleted = [{"name": "t", "partitions": [{"partition_index": 0}]}]
    assert_same(both, "OffsetDelete", 0, group_id=group, topics=deleted)
    asked = [{"name": "t", "partition_indexes": [0]}]
    assert_same(both, "OffsetFetch", 7, group_id=group, topics=asked, require_stable=False)
    assert_same(both, "DeleteGroups", 2, groups_names=[group])


def wait_for_coordinator(bootstrap: str, group: str):
    """Kafka makes `__consumer_offsets` when it is first asked, and loads it."""
    end = time.monotonic() + MADE_SECONDS_MAX
    listed = {"group_id": group, "topics": [], "require_stable": False}
    while True:
        asker.ask(bootstrap, "FindCoordinator", 3, key=group, key_type=0)
        if asker.ask(bootstrap, "OffsetFetch", 7, **listed)["error_code"] == 0:
            return
        assert time.monotonic() < end, f"{bootstrap} does not coordinate {group}"
        time.sleep(0.05)
