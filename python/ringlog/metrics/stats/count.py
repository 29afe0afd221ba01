from ringlog.metrics.stats.sampled_stat import AbstractSampledStat


class Count(AbstractSampledStat):
    """How many values there were of late."""

    def __init__(self):
        super().__init__(0.0)

    def update(self, sample, config, value, now):
        sample.value += 1.0

    def combine(self, samples, config, now):
        return sum(sample.value for sample in samples)
