class NewTopic:
    """A topic to create; -1 means the broker's default.

    `replica_assignments`: {partition: [broker ids]}; `topic_configs`: {name: value}.
    """

    def __init__(
        self,
        name,
        num_partitions=-1,
        replication_factor=-1,
        replica_assignments=None,
        topic_configs=None,
    ):
        self.name = name
        self.num_partitions = num_partitions
        self.replication_factor = replication_factor
        self.replica_assignments = replica_assignments or {}
        self.topic_configs = topic_configs or {}
