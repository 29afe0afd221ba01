from abc import ABC, abstractmethod


class AbstractMeasurable(ABC):
    """What has a value at a moment."""

    @abstractmethod
    def measure(self, config, now):
        """The value; `config`: a MetricConfig, `now`: ms of the monotonic clock."""


class AnonMeasurable(AbstractMeasurable):
    """A function of (config, now) as a measurable."""

    def __init__(self, measure_fn):
        self._measure = measure_fn

    def measure(self, config, now):
        return float(self._measure(config, now))
