from ringlog.metrics.measurable_stat import AbstractMeasurableStat


class Total(AbstractMeasurableStat):
    """The sum of all values ever."""

    def __init__(self, value=0.0):
        self._total = value

    def record(self, config, value, now):
        self._total += value

    def measure(self, config, now):
        return float(self._total)
