"""Which partition a record goes to; both contracts of kafka-python are taken wherever one is given.

- 2.x: `f(key_bytes, all_partitions, available_partitions) -> partition`;
- 3.x: an object with `partition(topic, key, serialized_key, value, serialized_value, cluster) ->
  partition`.
"""

import random
from abc import ABC, abstractmethod

from ringlog import errors


class Partitioner(ABC):
    @abstractmethod
    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        """The partition's number; `cluster` is a `ringlog.cluster.ClusterMetadata`."""


class DefaultPartitioner(Partitioner):
    """murmur2 of the key, as Kafka's Java producer does; without a key a random partition."""

    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        return self(serialized_key, *_partitions(topic, cluster))

    def __call__(self, key, all_partitions, available):
        if key is None:
            return random.choice(available or all_partitions)
        return all_partitions[(murmur2(key) & 0x7FFFFFFF) % len(all_partitions)]


class StickyPartitioner(DefaultPartitioner):
    """Without a key one partition for a whole batch, then another (KIP-480)."""

    def __init__(self):
        self._current = {}

    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        if serialized_key is not None:
            return super().partition(topic, key, serialized_key, value, serialized_value, cluster)
        if topic not in self._current:
            self.on_new_batch(topic, cluster, None)
        return self._current[topic]

    def on_new_batch(self, topic, cluster, prev_partition):
        """The batch of `prev_partition` is full: another partition where there is one."""
        all_partitions, available = _partitions(topic, cluster)
        candidates = available or all_partitions
        others = [partition for partition in candidates if partition != prev_partition]
        self._current[topic] = random.choice(others or candidates)


def murmur2(data):
    """Kafka's 32-bit murmur2 of bytes, unsigned (org.apache.kafka.common.utils.Utils.murmur2)."""
    multiplier, mask = 0x5BD1E995, 0xFFFFFFFF
    length = len(data)
    whole = length - length % 4
    hashed = 0x9747B28C ^ length
    for start in range(0, whole, 4):
        word = int.from_bytes(data[start : start + 4], "little") * multiplier & mask
        word = (word ^ word >> 24) * multiplier & mask
        hashed = (hashed * multiplier & mask) ^ word
    if whole < length:
        hashed = (hashed ^ int.from_bytes(data[whole:], "little")) * multiplier & mask
    hashed = (hashed ^ hashed >> 13) * multiplier & mask
    return hashed ^ hashed >> 15


def as_function(partitioner, cluster):
    """What the core is given: "default", "sticky", or f(topic, key, serialized_key, value,
    serialized_value).
    """
    if isinstance(partitioner, type):
        partitioner = partitioner()
    kind = type(partitioner)
    if partitioner is None or kind is DefaultPartitioner:
        return "default"
    if kind is StickyPartitioner:
        return "sticky"
    if hasattr(partitioner, "partition") and not _is_2x_subclass(kind):
        return lambda *record: partitioner.partition(*record, cluster)
    if not callable(partitioner):
        raise errors.InvalidOptionError(
            f"partitioner is {partitioner!r}: give a function (key_bytes, all_partitions, "
            "available_partitions), or an object with partition()"
        )
    return lambda topic, key, serialized_key, value, serialized_value: partitioner(
        serialized_key, *_partitions(topic, cluster)
    )


def _is_2x_subclass(kind):
    """A subclass of DefaultPartitioner that overrides its 2.x side only."""
    return (
        issubclass(kind, DefaultPartitioner)
        and kind.__call__ is not DefaultPartitioner.__call__
        and kind.partition is DefaultPartitioner.partition
    )


def _partitions(topic, cluster):
    all_partitions = sorted(cluster.partitions_for_topic(topic) or ())
    if not all_partitions:
        raise errors.InvalidArgumentValueError(f"topic {topic!r} has no partitions")
    return all_partitions, sorted(cluster.available_partitions_for_topic(topic))
