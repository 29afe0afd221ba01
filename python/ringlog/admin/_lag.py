from typing import NamedTuple

from ringlog.enums import OffsetSpec
from ringlog.structs import TopicPartition
from ringlog.tables import Table


class PartitionLag(NamedTuple):
    """How far a group is in a partition: its committed offset, the partition's end, the records
    between, and the member that reads it. None: not committed, or nobody's.
    """

    committed: int | None
    end: int
    lag: int | None
    member_id: str | None
    client_id: str | None


class ConsumerLag(dict[TopicPartition, PartitionLag]):
    """{TopicPartition: PartitionLag}, in the order of partitions; a table in a notebook."""

    @property
    def total(self) -> int:
        """Records that the group has still to read, in partitions that it has committed in."""
        return sum(one.lag or 0 for one in self.values())

    def table(self) -> Table:
        return Table(
            [(*partition, *lag) for partition, lag in self.items()],
            columns=TopicPartition._fields + PartitionLag._fields,
        )

    def __str__(self):
        return str(self.table())

    def _repr_html_(self):
        return self.table()._repr_html_()


class LagAdmin:
    """How far groups are; part of KafkaAdminClient. Not in kafka-python."""

    def consumer_lag(self, group_id: str) -> ConsumerLag:
        """ConsumerLag of the partitions that the group committed in or that its members read.

        The offsets are those of one moment each, not of one moment all: of a group that is being
        read the lag is about right.
        """
        committed = {
            partition: found.offset
            for partition, found in self.list_consumer_group_offsets(group_id).items()
            if found.offset >= 0
        }
        readers = self._readers(group_id)
        partitions = sorted({*committed, *readers})
        ends = (
            self.list_partition_offsets(dict.fromkeys(partitions, OffsetSpec.LATEST))
            if partitions
            else {}
        )
        lags = ConsumerLag()
        for partition in partitions:
            here, end = committed.get(partition), ends[partition].offset
            lag = None if here is None else max(end - here, 0)
            lags[partition] = PartitionLag(here, end, lag, *readers.get(partition, (None, None)))
        return lags

    def _readers(self, group_id):
        """{TopicPartition: (member id, client id)}."""
        members = self.describe_groups([group_id])[group_id]["members"]
        return {
            TopicPartition(topic, partition): (member["member_id"], member["client_id"])
            for member in members
            if hasattr(member["member_assignment"], "partitions")
            for topic, partition in member["member_assignment"].partitions()
        }
