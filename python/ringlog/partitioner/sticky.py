import random

from ringlog.partitioner.abc import partitions_of
from ringlog.partitioner.default import DefaultPartitioner


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
        all_partitions, available = partitions_of(topic, cluster)
        candidates = available or all_partitions
        others = [partition for partition in candidates if partition != prev_partition]
        self._current[topic] = random.choice(others or candidates)
