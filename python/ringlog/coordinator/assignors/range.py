from ringlog.coordinator.assignors.abstract import StatelessAssignor


class RangePartitionAssignor(StatelessAssignor):
    """Each topic by itself in consecutive runs; the first members get what does not divide.

    Two members, two topics of three partitions: the first gets 0 and 1 of both, the second 2.
    """

    name = "range"

    @classmethod
    def split(cls, partitions, members):
        for topic, numbers in partitions.items():
            subscribed = [member for member in members if topic in member.metadata.topics]
            share, extra = divmod(len(numbers), len(subscribed))
            start = 0
            for position, member in enumerate(subscribed):
                end = start + share + (position < extra)
                yield from ((member, topic, number) for number in numbers[start:end])
                start = end
