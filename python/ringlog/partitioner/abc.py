from abc import ABC, abstractmethod

from ringlog import errors


class Partitioner(ABC):
    @abstractmethod
    def partition(self, topic, key, serialized_key, value, serialized_value, cluster):
        """The partition's number; `cluster` is a `ringlog.cluster.ClusterMetadata`."""


def partitions_of(topic, cluster):
    """All partitions and the available ones, as sorted lists."""
    all_partitions = sorted(cluster.partitions_for_topic(topic) or ())
    if not all_partitions:
        raise errors.InvalidArgumentValueError(f"topic {topic!r} has no partitions")
    return all_partitions, sorted(cluster.available_partitions_for_topic(topic))
