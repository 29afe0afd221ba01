from itertools import cycle

from ringlog.coordinator.assignors.abstract import StatelessAssignor


class RoundRobinPartitionAssignor(StatelessAssignor):
    """All partitions of all topics in turn; passes over members not subscribed to the topic.

    Two members, two topics of three partitions: the first gets 0 and 2 of one and 1 of the other.
    """

    name = "roundrobin"

    @classmethod
    def split(cls, partitions, members):
        turns = cycle(members)
        for topic, numbers in partitions.items():
            for number in numbers:
                member = next(turn for turn in turns if topic in turn.metadata.topics)
                yield member, topic, number
