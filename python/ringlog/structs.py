"""Tuples of kafka.structs, of its 2.x and 3.x lines."""

from collections import namedtuple

TopicPartition = namedtuple("TopicPartition", "topic partition")
TopicPartition.__doc__ = "A topic's name and a partition's number."

TopicPartitionReplica = namedtuple("TopicPartitionReplica", "topic partition broker_id")

OffsetAndMetadata = namedtuple(
    "OffsetAndMetadata", "offset metadata leader_epoch", defaults=(None, "", -1)
)
OffsetAndMetadata.__doc__ = (
    "A committed offset (the next to read), the committer's note, and the epoch (-1: unknown)."
)

OffsetAndTimestamp = namedtuple("OffsetAndTimestamp", "offset timestamp leader_epoch")
OffsetAndTimestamp.__doc__ = (
    "What a look-up by time found: an offset, its timestamp in ms, and its leader epoch."
)


class MemberState:
    UNJOINED = "<unjoined>"
    REBALANCING = "<rebalancing>"
    STABLE = "<stable>"


ConsumerGroupMetadata = namedtuple(
    "ConsumerGroupMetadata",
    "group_id generation_id member_id group_instance_id state",
    defaults=(None, -1, "", None, MemberState.UNJOINED),
)
ConsumerGroupMetadata.__doc__ = "Who a consumer is in its group at this moment (KIP-447)."

SubscriptionPattern = namedtuple("SubscriptionPattern", "pattern")
SubscriptionPattern.__doc__ = (
    "A regular expression (RE2) that the broker holds against whole names of topics (KIP-848)."
)

BrokerMetadata = namedtuple("BrokerMetadata", "nodeId host port rack")

PartitionMetadata = namedtuple(
    "PartitionMetadata", "topic partition leader leader_epoch replicas isr offline_replicas error"
)

MemberInformation = namedtuple(
    "MemberInformation", "member_id client_id client_host member_metadata member_assignment"
)

GroupInformation = namedtuple(
    "GroupInformation",
    "error_code group state protocol_type protocol members authorized_operations",
)
GroupInformation.__doc__ = "A described group; `members` are MemberInformation."

RetryOptions = namedtuple("RetryOptions", "limit backoff_ms retry_on_timeouts")

RecordMetadata = namedtuple(
    "RecordMetadata",
    "topic partition topic_partition offset timestamp checksum "
    "serialized_key_size serialized_value_size serialized_header_size",
)
RecordMetadata.__doc__ = (
    "Where a sent record lies; offset is -1 with acks=0, sizes are -1 for None."
)
