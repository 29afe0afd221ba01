from ringlog.metrics.stats.avg import Avg
from ringlog.metrics.stats.count import Count
from ringlog.metrics.stats.histogram import Histogram
from ringlog.metrics.stats.max_stat import Max
from ringlog.metrics.stats.min_stat import Min
from ringlog.metrics.stats.percentile import Percentile
from ringlog.metrics.stats.percentiles import Percentiles
from ringlog.metrics.stats.rate import Rate
from ringlog.metrics.stats.sensor import Sensor
from ringlog.metrics.stats.total import Total

__all__ = [
    "Avg",
    "Count",
    "Histogram",
    "Max",
    "Min",
    "Percentile",
    "Percentiles",
    "Rate",
    "Sensor",
    "Total",
]
