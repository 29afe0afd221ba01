"""What a partitioner or an assignor may ask about the cluster."""


class ClusterMetadata:
    """A live view of the topics of `client`, which has `topics()` and `partitions_for(topic)`.

    An embedded log is one broker that leads every partition, so that every partition is available.
    """

    def __init__(self, client):
        self._client = client

    def topics(self, exclude_internal_topics=True):
        """Set of names."""
        return {
            name
            for name in self._client.topics()
            if not (exclude_internal_topics and name.startswith("__"))
        }

    def partitions_for_topic(self, topic):
        """Set of partition numbers."""
        return self._client.partitions_for(topic)

    def available_partitions_for_topic(self, topic):
        """Set of the partitions that have a leader."""
        return self.partitions_for_topic(topic)
