from ringlog.metrics.measurable import AbstractMeasurable
from ringlog.metrics.stat import AbstractStat


class AbstractMeasurableStat(AbstractStat, AbstractMeasurable):
    """A statistic that is one number, such as an average."""
