"""Names of what groups are and do."""

from enum import Enum
from typing import NamedTuple

from ringlog.enums import Named
from ringlog.structs import GroupInformation

ConsumerGroupDescription = GroupInformation
"""What describe_consumer_groups returns for each group."""


class GroupState(Named, str, Enum):
    UNKNOWN = "Unknown"
    PREPARING_REBALANCE = "PreparingRebalance"
    COMPLETING_REBALANCE = "CompletingRebalance"
    STABLE = "Stable"
    DEAD = "Dead"
    EMPTY = "Empty"
    ASSIGNING = "Assigning"
    RECONCILING = "Reconciling"


class GroupType(Named, str, Enum):
    UNKNOWN = "Unknown"
    CLASSIC = "classic"
    CONSUMER = "consumer"
    SHARE = "share"


class MemberToRemove(NamedTuple):
    """A member by its id, or a static member by its instance id."""

    member_id: str | None = None
    group_instance_id: str | None = None
    reason: str | None = None
