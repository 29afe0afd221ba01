from ringlog.admin.client import KafkaAdminClient
from ringlog.admin.config_resource import (
    AlterConfigOp,
    ConfigFilterType,
    ConfigResource,
    ConfigResourceType,
    ConfigSourceType,
    ConfigType,
)
from ringlog.admin.group import ConsumerGroupDescription, GroupState, GroupType, MemberToRemove
from ringlog.admin.new_partitions import NewPartitions
from ringlog.admin.new_topic import NewTopic
from ringlog.enums import OffsetSpec, OffsetTimestamp

__all__ = [
    "KafkaAdminClient",
    "AlterConfigOp",
    "ConfigFilterType",
    "ConfigResource",
    "ConfigResourceType",
    "ConfigSourceType",
    "ConfigType",
    "ConsumerGroupDescription",
    "GroupState",
    "GroupType",
    "MemberToRemove",
    "NewPartitions",
    "NewTopic",
    "OffsetSpec",
    "OffsetTimestamp",
]
