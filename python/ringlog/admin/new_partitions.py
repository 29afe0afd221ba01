class NewPartitions:
    """The total of a topic's partitions; `new_assignments`: broker ids of each new one."""

    def __init__(self, total_count, new_assignments=None):
        self.total_count = total_count
        self.new_assignments = new_assignments
