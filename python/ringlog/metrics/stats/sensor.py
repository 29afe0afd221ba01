import threading
import time

from ringlog.errors import QuotaViolationError
from ringlog.metrics.kafka_metric import KafkaMetric


class Sensor:
    """Takes values and passes each on to its statistics and its parents. Thread-safe.

    Made by Metrics.sensor().
    """

    def __init__(self, registry, name, parents, config, inactive_sensor_expiration_time_seconds):
        if not name:
            raise ValueError("a sensor has a name")
        self._lock = threading.RLock()
        self._registry = registry
        self._name = name
        self._parents = list(parents or ())
        self._config = config
        self._expiry_ms = inactive_sensor_expiration_time_seconds * 1000
        self._recorded_ms = time.monotonic() * 1000
        self._metrics = []
        self._stats = []

    @property
    def name(self):
        return self._name

    @property
    def metrics(self):
        return tuple(self._metrics)

    def record(self, value=1.0, time_ms=None):
        """QuotaViolationError when a metric's quota does not take it; it is recorded all the same.

        `time_ms`: of the monotonic clock; None: now.
        """
        now = time.monotonic() * 1000 if time_ms is None else time_ms
        self._recorded_ms = now
        with self._lock:
            for stat in self._stats:
                stat.record(self._config, value, now)
            self._check_quotas(now)
        for parent in self._parents:
            parent.record(value, now)

    def _check_quotas(self, now):
        for metric in self._metrics:
            quota = metric.config and metric.config.quota
            if quota and not quota.is_acceptable(measured := metric.value(now)):
                raise QuotaViolationError(
                    f"{metric.metric_name} is {measured}, its quota {quota.bound}"
                )

    def add(self, metric_name, stat, config=None):
        """A metric of what is recorded; `stat` such as Avg()."""
        with self._lock:
            self._register(metric_name, stat, config)
            self._stats.append(stat)

    def add_compound(self, compound_stat, config=None):
        """Metrics of what is recorded; `compound_stat` such as Percentiles(...)."""
        if compound_stat is None:
            raise ValueError("a compound statistic is wanted")
        with self._lock:
            for each in compound_stat.stats():
                self._register(each.name, each.stat, config)
            self._stats.append(compound_stat)

    def _register(self, metric_name, measurable, config):
        metric = KafkaMetric(metric_name, measurable, config or self._config)
        self._registry.register_metric(metric)
        self._metrics.append(metric)

    def has_expired(self):
        return time.monotonic() * 1000 - self._recorded_ms > self._expiry_ms
