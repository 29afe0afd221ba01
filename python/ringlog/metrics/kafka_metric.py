import time


class KafkaMetric:
    """A measurable under its MetricName."""

    def __init__(self, metric_name, measurable, config):
        self._metric_name = metric_name
        self._measurable = measurable
        self._config = config

    @property
    def config(self):
        """A MetricConfig."""
        return self._config

    @config.setter
    def config(self, config):
        self._config = config

    @property
    def metric_name(self):
        return self._metric_name

    @property
    def measurable(self):
        return self._measurable

    def value(self, time_ms=None):
        """As of now, or of `time_ms` (monotonic clock)."""
        return self._measurable.measure(
            self._config, time.monotonic() * 1000 if time_ms is None else time_ms
        )
