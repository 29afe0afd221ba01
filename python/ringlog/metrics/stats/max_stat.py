from ringlog.metrics.stats.sampled_stat import AbstractSampledStat


class Max(AbstractSampledStat):
    """The highest recent value; minus infinity when there are none."""

    def __init__(self):
        super().__init__(float("-inf"))

    def update(self, sample, config, value, now):
        sample.value = max(sample.value, value)

    def combine(self, samples, config, now):
        return max((sample.value for sample in samples), default=float("-inf"))
