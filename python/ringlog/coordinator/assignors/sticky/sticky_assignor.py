from typing import NamedTuple

from ringlog.coordinator.assignors.abstract import AbstractPartitionAssignor, stable_order
from ringlog.coordinator.assignors.sticky.balance import Claim, StickyBalance
from ringlog.coordinator.assignors.sticky.user_data import StickyAssignorUserData
from ringlog.coordinator.protocol import (
    ConsumerProtocolAssignment,
    ConsumerProtocolSubscription,
    by_topic,
    partitions_of,
)
from ringlog.structs import TopicPartition


class StickyAssignorMemberMetadataV1(NamedTuple):
    subscription: list
    partitions: list  # TopicPartitions that the member held
    generation: int


class StickyPartitionAssignor(AbstractPartitionAssignor):
    """Evenly, and at a rebalance with as few moves as that allows (KIP-54).

    All partitions are still taken away before a rebalance and given back after it, so that state
    kept per partition can stay; CooperativeStickyAssignor takes away only what moves. One instance
    belongs to one consumer. Other than Kafka's, it evens out along chains of members that share no
    topic.
    """

    DEFAULT_GENERATION_ID = -1
    name = "sticky"
    version = 0

    def __init__(self):
        self.member_assignment = None
        self.generation = self.DEFAULT_GENERATION_ID

    def assign(self, cluster, members):
        told = self._told(members)
        return self._shares(self._balanced(cluster, told))

    def metadata(self, topics):
        held = b""
        if self.member_assignment is not None:
            held = StickyAssignorUserData(
                by_topic(self.member_assignment), self.generation
            ).encode()
        return ConsumerProtocolSubscription(self.version, sorted(topics), held)

    def on_assignment(self, assignment, generation=DEFAULT_GENERATION_ID):
        self.member_assignment = assignment.partitions()
        self.generation = generation

    def on_generation_assignment(self, generation):
        """2.x tells the generation by itself."""
        self.generation = generation

    @classmethod
    def parse_member_metadata(cls, metadata):
        """What a ConsumerProtocolSubscription says, as StickyAssignorMemberMetadataV1."""
        held = StickyAssignorUserData.decode(metadata.user_data or b"")
        return StickyAssignorMemberMetadataV1(
            list(metadata.topics), partitions_of(held.previous_assignment), held.generation
        )

    def _told(self, members):
        return {
            member.member_id: self.parse_member_metadata(member.metadata)
            for member in stable_order(members)
        }

    @staticmethod
    def _balanced(cluster, told):
        topics = sorted({topic for member in told.values() for topic in member.subscription})
        claims = {}
        for member_id, member in told.items():
            for partition in member.partitions:
                claims.setdefault(partition, []).append(Claim(member_id, member.generation))
        return StickyBalance(
            {member_id: member.subscription for member_id, member in told.items()},
            [
                TopicPartition(topic, number)
                for topic in topics
                for number in sorted(cluster.partitions_for_topic(topic) or ())
            ],
            claims,
        ).run()

    def _shares(self, assigned):
        return {
            member_id: ConsumerProtocolAssignment(self.version, by_topic(partitions), b"")
            for member_id, partitions in assigned.items()
        }
