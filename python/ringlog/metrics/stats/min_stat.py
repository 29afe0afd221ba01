import sys

from ringlog.metrics.stats.sampled_stat import AbstractSampledStat


class Min(AbstractSampledStat):
    """The lowest recent value; the largest float when there are none."""

    def __init__(self):
        super().__init__(sys.float_info.max)

    def update(self, sample, config, value, now):
        sample.value = min(sample.value, value)

    def combine(self, samples, config, now):
        return min((sample.value for sample in samples), default=sys.float_info.max)
