"""What an assignor is: it splits the partitions of a group's topics among the members."""

from abc import ABC, abstractmethod
from enum import IntEnum

from ringlog.coordinator.protocol import ConsumerProtocolAssignment, ConsumerProtocolSubscription


class RebalanceProtocol(IntEnum):
    EAGER = 0
    COOPERATIVE = 1


class AbstractPartitionAssignor(ABC):
    """Contract of kafka-python 3.x; its classes also serve 2.x's class methods."""

    @property
    @abstractmethod
    def name(self):
        """The protocol's name in the group, such as "range"."""

    @abstractmethod
    def assign(self, cluster, members):
        """{member_id: ConsumerProtocolAssignment} for every member.

        `cluster` has `partitions_for_topic(topic)`; a member has `member_id`, `group_instance_id`
        (or None) and `metadata`, a ConsumerProtocolSubscription.
        """

    @abstractmethod
    def metadata(self, topics):
        """The ConsumerProtocolSubscription that a member joins with."""

    @abstractmethod
    def on_assignment(self, assignment, generation):
        """Called with this member's ConsumerProtocolAssignment after each rebalance."""

    def supported_protocols(self):
        return [RebalanceProtocol.EAGER]


def stable_order(members):
    """Static members first, by instance id: a restart changes nothing for them."""
    return sorted(
        members,
        key=lambda member: (
            member.group_instance_id is None,
            member.group_instance_id or "",
            member.member_id,
        ),
    )


class StatelessAssignor(AbstractPartitionAssignor):
    """An assignor that sees topics and members only: subclasses give `split()`."""

    version = 0

    @classmethod
    def assign(cls, cluster, members):
        topics = {topic for member in members for topic in member.metadata.topics}
        partitions = {
            topic: sorted(cluster.partitions_for_topic(topic) or ()) for topic in sorted(topics)
        }
        assigned = {member.member_id: {} for member in members}
        for member, topic, partition in cls.split(partitions, stable_order(members)):
            assigned[member.member_id].setdefault(topic, []).append(partition)
        return {
            member_id: ConsumerProtocolAssignment(cls.version, sorted(topics.items()), b"")
            for member_id, topics in assigned.items()
        }

    @classmethod
    def split(cls, partitions, members):
        """Yields (member, topic, partition); `partitions` is {topic: [partition]}, both sorted."""
        raise NotImplementedError

    @classmethod
    def metadata(cls, topics):
        return ConsumerProtocolSubscription(cls.version, list(topics), b"")

    @classmethod
    def on_assignment(cls, assignment, generation=-1):
        pass
