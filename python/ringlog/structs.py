"""Tuples of kafka.structs, of its 2.x and 3.x lines."""

from typing import Any, NamedTuple

from ringlog import tables


class TopicPartition(NamedTuple):
    """A topic's name and a partition's number."""

    topic: str
    partition: int


class TopicPartitionReplica(NamedTuple):
    topic: str
    partition: int
    broker_id: int


class OffsetAndMetadata(NamedTuple):
    """A committed offset (the next to read), the committer's note, and the epoch (-1: unknown)."""

    offset: int = None  # type: ignore[assignment]  # kafka-python's default
    metadata: str = ""
    leader_epoch: int = -1


class OffsetAndTimestamp(NamedTuple):
    """What a look-up by time found: an offset, its timestamp in ms, and its leader epoch."""

    offset: int
    timestamp: int
    leader_epoch: int


class MemberState:
    UNJOINED = "<unjoined>"
    REBALANCING = "<rebalancing>"
    STABLE = "<stable>"


class ConsumerGroupMetadata(NamedTuple):
    """Who a consumer is in its group at this moment (KIP-447)."""

    group_id: str | None = None
    generation_id: int = -1
    member_id: str = ""
    group_instance_id: str | None = None
    state: str = MemberState.UNJOINED


class SubscriptionPattern(NamedTuple):
    """A regular expression (RE2) that the broker holds against whole names of topics (KIP-848)."""

    pattern: str


class BrokerMetadata(NamedTuple):
    nodeId: int
    host: str
    port: int
    rack: str | None


class PartitionMetadata(NamedTuple):
    topic: str
    partition: int
    leader: int
    leader_epoch: int
    replicas: list[int]
    isr: list[int]
    offline_replicas: list[int]
    error: Any


class MemberInformation(NamedTuple):
    member_id: str
    client_id: str
    client_host: str
    member_metadata: Any
    member_assignment: Any


class GroupInformation(NamedTuple):
    """A described group; `members` are MemberInformation."""

    error_code: int
    group: str
    state: str
    protocol_type: str
    protocol: str
    members: list[MemberInformation]
    authorized_operations: Any


class RetryOptions(NamedTuple):
    limit: int
    backoff_ms: int
    retry_on_timeouts: bool


class RecordMetadata(NamedTuple):
    """Where a sent record lies; offset is -1 with acks=0, sizes are -1 for None."""

    topic: str
    partition: int
    topic_partition: TopicPartition
    offset: int
    timestamp: int
    checksum: None
    serialized_key_size: int
    serialized_value_size: int
    serialized_header_size: int


# In a notebook they are tables; so are records (ringlog.consumer.fetcher).
for _kind in (TopicPartition, OffsetAndMetadata, OffsetAndTimestamp, RecordMetadata):
    setattr(_kind, "_repr_html_", tables.row_html)  # noqa: B010, type checkers know no such name
