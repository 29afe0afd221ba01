from ringlog.metrics.stats.sampled_stat import AbstractSampledStat


class Avg(AbstractSampledStat):
    """The mean of the recent values; 0 when there are none."""

    def __init__(self):
        super().__init__(0.0)

    def update(self, sample, config, value, now):
        sample.value += value

    def combine(self, samples, config, now):
        count = sum(sample.event_count for sample in samples)
        return sum(sample.value for sample in samples) / count if count else 0
