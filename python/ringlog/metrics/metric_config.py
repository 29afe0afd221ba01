import sys


class MetricConfig:
    """How a statistic is kept: `samples` of `time_window_ms` each, or of `event_window` events.

    `quota`: a Quota, or None. `tags`: given to every metric.
    """

    def __init__(
        self, quota=None, samples=2, event_window=sys.maxsize, time_window_ms=30 * 1000, tags=None
    ):
        self.quota = quota
        self.samples = samples
        self.event_window = event_window
        self.time_window_ms = time_window_ms
        self.tags = tags or {}

    @property
    def samples(self):
        return self._samples

    @samples.setter
    def samples(self, count):
        if count < 1:
            raise ValueError(f"samples={count}: 1 or more are possible")
        self._samples = count
