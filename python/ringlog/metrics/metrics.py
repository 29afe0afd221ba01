import sys
import threading

from ringlog.metrics.kafka_metric import KafkaMetric
from ringlog.metrics.measurable import AnonMeasurable
from ringlog.metrics.metric_config import MetricConfig
from ringlog.metrics.metric_name import MetricName
from ringlog.metrics.stats.sensor import Sensor

_EXPIRY_LOOK_SECONDS = 30


class Metrics:
    """The metrics of one program or client, and the sensors that feed them. Thread-safe.

    `enable_expiration`: a daemon thread removes sensors that nothing was recorded with for so long
    as each of them says, until close().
    """

    def __init__(self, default_config=None, reporters=None, enable_expiration=False):
        self._config = default_config or MetricConfig()
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._sensors = {}
        self._metrics = {}
        self._children = {}
        self._reporters = list(reporters or ())
        for reporter in self._reporters:
            reporter.init([])
        self.add_metric(
            self.metric_name("count", "kafka-metrics-count", "total number of registered metrics"),
            AnonMeasurable(lambda config, now: len(self._metrics)),
        )
        if enable_expiration:
            threading.Thread(target=self._expire, name="metrics expiry", daemon=True).start()

    @property
    def config(self):
        return self._config

    @property
    def metrics(self):
        """{MetricName: KafkaMetric}."""
        return self._metrics

    def metric_name(self, name, group, description="", tags=None):
        """A MetricName with the tags of the config and these."""
        return MetricName(name, group, description, {**self._config.tags, **(tags or {})})

    # Sensors

    def get_sensor(self, name):
        """The Sensor, or None."""
        if not name:
            raise ValueError("a sensor has a name")
        return self._sensors.get(name)

    def sensor(
        self,
        name,
        config=None,
        inactive_sensor_expiration_time_seconds=sys.maxsize,
        parents=None,
    ):
        """The Sensor of that name, made when there is none; `parents` get what is recorded, too."""
        with self._lock:
            found = self.get_sensor(name)
            if found is None:
                found = Sensor(
                    self,
                    name,
                    parents,
                    config or self._config,
                    inactive_sensor_expiration_time_seconds,
                )
                self._sensors[name] = found
                for parent in parents or ():
                    self._children.setdefault(parent, []).append(found)
            return found

    def remove_sensor(self, name):
        """With its metrics and its children."""
        with self._lock:
            removed = self._sensors.pop(name, None)
            if removed is None:
                return
            for metric in removed.metrics:
                self.remove_metric(metric.metric_name)
            for child in self._children.pop(removed, ()):
                self.remove_sensor(child.name)

    # Metrics

    def add_metric(self, metric_name, measurable, config=None):
        """A value that needs no sensor."""
        self.register_metric(KafkaMetric(metric_name, measurable, config or self._config))

    def register_metric(self, metric):
        with self._lock:
            if metric.metric_name in self._metrics:
                raise ValueError(f"there is a metric {metric.metric_name} already")
            self._metrics[metric.metric_name] = metric
            for reporter in self._reporters:
                reporter.metric_change(metric)

    def remove_metric(self, metric_name):
        """The KafkaMetric that went, or None."""
        with self._lock:
            removed = self._metrics.pop(metric_name, None)
            if removed is not None:
                for reporter in self._reporters:
                    reporter.metric_removal(removed)
            return removed

    def add_reporter(self, reporter):
        with self._lock:
            reporter.init(list(self._metrics.values()))
            self._reporters.append(reporter)

    def close(self):
        """Closes the reporters and forgets the metrics."""
        self._closing.set()
        with self._lock:
            for reporter in self._reporters:
                reporter.close()
            self._reporters = []
            self._metrics.clear()

    def _expire(self):
        while not self._closing.wait(_EXPIRY_LOOK_SECONDS):
            for name, sensor in list(self._sensors.items()):
                if sensor.has_expired():
                    self.remove_sensor(name)
