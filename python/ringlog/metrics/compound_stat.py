from abc import abstractmethod

from ringlog.metrics.stat import AbstractStat


class AbstractCompoundStat(AbstractStat):
    """A statistic of several numbers, such as percentiles."""

    @abstractmethod
    def stats(self):
        """List of NamedMeasurable."""


class NamedMeasurable:
    """A measurable and the MetricName that it is to have."""

    def __init__(self, metric_name, measurable_stat):
        self._name = metric_name
        self._stat = measurable_stat

    @property
    def name(self):
        return self._name

    @property
    def stat(self):
        return self._stat
