import json
from collections import Counter

import pytest
from conftest import shared_folder
from ringlog import errors
from ringlog.cluster import ClusterMetadata
from ringlog.partitioner import (
    DefaultPartitioner,
    Partitioner,
    StickyPartitioner,
    as_function,
    murmur2,
)


class Topics:
    def topics(self):
        return {"orders", "__consumer_offsets"}

    def partitions_for(self, topic):
        return {0, 1, 2} if topic == "orders" else set()


CLUSTER = ClusterMetadata(Topics())


def test_murmur2_is_kafkas():
    vectors = json.loads((shared_folder("golden") / "vectors" / "hashes.json").read_text())
    for vector in vectors["murmur2"]:
        key = bytes.fromhex(vector["key_hex"])
        assert murmur2(key) == vector["hash_int32"] % 2**32
        assert DefaultPartitioner()(key, range(12), range(12)) == vector["partition_of_12"]


def test_cluster_hides_internal_topics():
    assert CLUSTER.topics() == {"orders"}
    assert CLUSTER.topics(exclude_internal_topics=False) == {"orders", "__consumer_offsets"}
    assert CLUSTER.available_partitions_for_topic("orders") == {0, 1, 2}


def test_default_partitioner_spreads_records_without_key():
    chosen = Counter(
        DefaultPartitioner().partition("orders", None, None, b"v", b"v", CLUSTER)
        for _ in range(300)
    )
    assert set(chosen) == {0, 1, 2}


def test_sticky_partitioner_stays_until_the_batch_is_full():
    partitioner = StickyPartitioner()
    first = {partitioner.partition("orders", None, None, b"v", b"v", CLUSTER) for _ in range(50)}
    assert len(first) == 1
    partitioner.on_new_batch("orders", CLUSTER, *first)
    assert partitioner.partition("orders", None, None, b"v", b"v", CLUSTER) not in first
    keyed = partitioner.partition("orders", "k", b"k", b"v", b"v", CLUSTER)
    assert keyed == (murmur2(b"k") & 0x7FFFFFFF) % 3


class ByLength(Partitioner):
    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        return len(serialized_value) % len(cluster.partitions_for_topic(topic))


class OldStyle(DefaultPartitioner):
    def __call__(self, key, all_partitions, available):
        return max(all_partitions)


@pytest.mark.parametrize(
    "given, partition",
    [
        (ByLength(), 2),
        (ByLength, 2),
        (lambda key, all_partitions, available: all_partitions[len(key) % 3], 1),
        (OldStyle(), 2),
    ],
)
def test_both_contracts(given, partition):
    assert as_function(given, CLUSTER)("orders", "k", b"k", "v", b"12345") == partition


def test_kafkas_own_partitioners_run_in_the_core():
    assert as_function(None, CLUSTER) == "default"
    assert as_function(DefaultPartitioner, CLUSTER) == "default"
    assert as_function(DefaultPartitioner(), CLUSTER) == "default"
    assert as_function(StickyPartitioner(), CLUSTER) == "sticky"


def test_what_is_no_partitioner_is_named():
    with pytest.raises(errors.KafkaConfigurationError, match="partitioner is 3"):
        as_function(3, CLUSTER)


def test_a_topic_without_partitions_is_named():
    with pytest.raises(ValueError, match="nowhere"):
        DefaultPartitioner().partition("nowhere", None, b"k", None, b"v", CLUSTER)
