"""Which partition a record goes to; both contracts of kafka-python are taken wherever one is given.

- 2.x: `f(key_bytes, all_partitions, available_partitions) -> partition`;
- 3.x: an object with `partition(topic, key, serialized_key, value, serialized_value, cluster) ->
  partition`.
"""

from ringlog import errors
from ringlog.partitioner.abc import Partitioner, partitions_of
from ringlog.partitioner.default import DefaultPartitioner, murmur2
from ringlog.partitioner.sticky import StickyPartitioner

__all__ = ["DefaultPartitioner", "Partitioner", "StickyPartitioner", "murmur2"]


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
        serialized_key, *partitions_of(topic, cluster)
    )


def _is_2x_subclass(kind):
    """A subclass of DefaultPartitioner that overrides its 2.x side only."""
    return (
        issubclass(kind, DefaultPartitioner)
        and kind.__call__ is not DefaultPartitioner.__call__
        and kind.partition is DefaultPartitioner.partition
    )
