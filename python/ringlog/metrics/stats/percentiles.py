import math

from ringlog.metrics.compound_stat import AbstractCompoundStat, NamedMeasurable
from ringlog.metrics.measurable import AnonMeasurable
from ringlog.metrics.stats.histogram import Histogram
from ringlog.metrics.stats.sampled_stat import AbstractSampledStat

_BYTES_PER_BIN = 4


class BucketSizing:
    CONSTANT = 0
    LINEAR = 1


class Percentiles(AbstractSampledStat, AbstractCompoundStat):
    """Percentiles of the recent values, from histograms of `size_in_bytes` / 4 bins.

    `bucketing`: a BucketSizing; `percentiles`: list of Percentile.
    """

    class HistogramSample(AbstractSampledStat.Sample):
        def __init__(self, scheme, now):
            self.histogram = Histogram(scheme)
            super().__init__(0.0, now)

        def reset(self, now):
            super().reset(now)
            self.histogram.clear()

    def __init__(self, size_in_bytes, bucketing, max_val, min_val=0.0, percentiles=None):
        super().__init__(0.0)
        self._percentiles = list(percentiles or ())
        bins = size_in_bytes // _BYTES_PER_BIN
        if bucketing == BucketSizing.CONSTANT:
            self._scheme = Histogram.ConstantBinScheme(bins, min_val, max_val)
        elif bucketing == BucketSizing.LINEAR and min_val == 0.0:
            self._scheme = Histogram.LinearBinScheme(bins, max_val)
        else:
            raise ValueError(f"bucketing={bucketing!r}, min_val={min_val}: linear begins at 0")

    def stats(self):
        return [NamedMeasurable(each.name, self._measurable(each)) for each in self._percentiles]

    def _measurable(self, percentile):
        quantile = percentile.percentile / 100
        return AnonMeasurable(lambda config, now: self.value(config, now, quantile))

    def value(self, config, now, quantile):
        """Where the bin begins that the quantile (0 to 1) falls into; NaN without values."""
        self.purge_obsolete_samples(config, now)
        counts = [sample.histogram.counts for sample in self._samples]
        total = sum(map(sum, counts))
        if not total:
            return math.nan
        so_far = 0.0
        for number, in_bin in enumerate(zip(*counts)):
            so_far += sum(in_bin)
            if so_far / total > quantile:
                return self._scheme.from_bin(number)
        return math.inf

    def combine(self, samples, config, now):
        return self.value(config, now, 0.5)

    def new_sample(self, time_ms):
        return self.HistogramSample(self._scheme, time_ms)

    def update(self, sample, config, value, time_ms):
        sample.histogram.record(value)
