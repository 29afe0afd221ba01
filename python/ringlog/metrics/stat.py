from abc import ABC, abstractmethod


class AbstractStat(ABC):
    """What takes values in."""

    @abstractmethod
    def record(self, config, value, time_ms):
        """`config`: a MetricConfig, `time_ms`: ms of the monotonic clock."""
