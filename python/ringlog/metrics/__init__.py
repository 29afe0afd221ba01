"""Metrics of kafka-python: names, sensors and statistics, and reporters that are told of them.

For what a program wants to measure; the clients of this version measure nothing of themselves.
"""

from ringlog.metrics.compound_stat import NamedMeasurable
from ringlog.metrics.dict_reporter import DictReporter
from ringlog.metrics.kafka_metric import KafkaMetric
from ringlog.metrics.measurable import AnonMeasurable
from ringlog.metrics.metric_config import MetricConfig
from ringlog.metrics.metric_name import MetricName
from ringlog.metrics.metrics import Metrics
from ringlog.metrics.metrics_reporter import AbstractMetricsReporter
from ringlog.metrics.quota import Quota

__all__ = [
    "AbstractMetricsReporter",
    "AnonMeasurable",
    "DictReporter",
    "KafkaMetric",
    "MetricConfig",
    "MetricName",
    "Metrics",
    "NamedMeasurable",
    "Quota",
]
