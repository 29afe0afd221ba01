from ringlog.coordinator.assignors.abstract import RebalanceProtocol
from ringlog.coordinator.assignors.sticky.sticky_assignor import (
    StickyAssignorMemberMetadataV1,
    StickyPartitionAssignor,
)
from ringlog.coordinator.protocol import ConsumerProtocolSubscription, partitions_of


class CooperativeStickyAssignor(StickyPartitionAssignor):
    """The sticky assignor for members that go on reading while their group rebalances (KIP-429).

    A partition that is to move is first given to nobody: its member gives it up and joins again,
    and the second rebalance gives it away. All members of a group must use it.
    """

    name = "cooperative-sticky"
    version = 2  # the first that tells the generation beside what is owned

    def supported_protocols(self):
        return [RebalanceProtocol.COOPERATIVE]

    def metadata(self, topics):
        """Without what the member owns: the consumer adds it, as of the moment of the join."""
        return ConsumerProtocolSubscription(self.version, sorted(topics), b"")

    @classmethod
    def parse_member_metadata(cls, metadata):
        return StickyAssignorMemberMetadataV1(
            list(metadata.topics), partitions_of(metadata.owned_partitions), metadata.generation_id
        )

    def assign(self, cluster, members):
        told = self._told(members)
        owners = {}
        for member_id, member in told.items():
            for partition in member.partitions:
                owners.setdefault(partition, set()).add(member_id)
        return self._shares(
            {
                member_id: {each for each in mine if not owners.get(each, set()) - {member_id}}
                for member_id, mine in self._balanced(cluster, told).items()
            }
        )
