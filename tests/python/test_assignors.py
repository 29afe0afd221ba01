from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from ringlog.coordinator.assignors.range import RangePartitionAssignor
from ringlog.coordinator.assignors.roundrobin import RoundRobinPartitionAssignor
from ringlog.coordinator.protocol import ConsumerProtocolSubscription


class Cluster:
    def __init__(self, counts):
        self._counts = counts

    def partitions_for_topic(self, topic):
        return set(range(self._counts[topic])) if topic in self._counts else None


def member(name, *topics, instance=None):
    subscription = ConsumerProtocolSubscription(0, list(topics))
    return SimpleNamespace(member_id=name, group_instance_id=instance, metadata=subscription)


def assigned(assignor, counts, members):
    answer = assignor.assign(Cluster(counts), members)
    return {name: dict(found.assignment) for name, found in answer.items()}


def test_range_cuts_each_topic_into_runs():
    members = [member("b", "t0", "t1"), member("a", "t0", "t1")]
    assert assigned(RangePartitionAssignor, {"t0": 3, "t1": 3}, members) == {
        "a": {"t0": [0, 1], "t1": [0, 1]},
        "b": {"t0": [2], "t1": [2]},
    }


def test_roundrobin_deals_out_all_partitions():
    members = [member("b", "t0", "t1"), member("a", "t0", "t1")]
    assert assigned(RoundRobinPartitionAssignor, {"t0": 3, "t1": 3}, members) == {
        "a": {"t0": [0, 2], "t1": [1]},
        "b": {"t0": [1], "t1": [0, 2]},
    }


def test_roundrobin_passes_over_who_did_not_subscribe():
    members = [member("a", "t0"), member("b", "t0", "t1"), member("c", "t0", "t1", "t2")]
    assert assigned(RoundRobinPartitionAssignor, {"t0": 1, "t1": 2, "t2": 3}, members) == {
        "a": {"t0": [0]},
        "b": {"t1": [0]},
        "c": {"t1": [1], "t2": [0, 1, 2]},
    }


@pytest.mark.parametrize("assignor", [RangePartitionAssignor, RoundRobinPartitionAssignor])
def test_static_members_come_first(assignor):
    members = [member("a", "t"), member("z", "t", instance="1")]
    found = assigned(assignor, {"t": 1}, members)
    assert found == {"a": {}, "z": {"t": [0]}}


@given(
    counts=st.dictionaries(st.sampled_from("tuvw"), st.integers(0, 7)),
    topics=st.lists(st.sets(st.sampled_from("tuvwx"), min_size=1), min_size=1, max_size=5),
    assignor=st.sampled_from([RangePartitionAssignor, RoundRobinPartitionAssignor]),
)
def test_each_partition_goes_to_one_subscriber(counts, topics, assignor):
    members = [member(f"m{number}", *sorted(names)) for number, names in enumerate(topics)]
    subscribed = {f"m{number}": names for number, names in enumerate(topics)}
    found = assignor.assign(Cluster(counts), members)
    assert set(found) == set(subscribed)
    dealt = [
        (name, partition) for name, answer in found.items() for partition in answer.partitions()
    ]
    assert all(partition.topic in subscribed[name] for name, partition in dealt)
    wanted = [
        (topic, number)
        for topic in set().union(*topics) & set(counts)
        for number in range(counts[topic])
    ]
    assert sorted(tuple(partition) for _, partition in dealt) == sorted(wanted)


def test_assignors_serve_instances_too():
    assignor = RangePartitionAssignor()
    assert assignor.name == "range"
    assert assignor.metadata({"t"}).topics == ["t"]
    assert [protocol.name for protocol in assignor.supported_protocols()] == ["EAGER"]
