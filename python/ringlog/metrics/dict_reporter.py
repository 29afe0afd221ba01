import threading

from ringlog.metrics.metrics_reporter import AbstractMetricsReporter


class DictReporter(AbstractMetricsReporter):
    """Keeps the metrics as {category: {name: metric}}.

    A category is the reporter's prefix, the metric's group and its tags, as far as there are any:
    "prefix.producer-metrics.client-id=orders".
    """

    def __init__(self, prefix=""):
        self._prefix = prefix or ""
        self._lock = threading.Lock()
        self._store = {}

    def snapshot(self):
        """{category: {name: value}} as of now."""
        with self._lock:
            kept = {category: dict(metrics) for category, metrics in self._store.items()}
        return {
            category: {name: metric.value() for name, metric in metrics.items()}
            for category, metrics in kept.items()
        }

    def init(self, metrics):
        for metric in metrics:
            self.metric_change(metric)

    def configure(self, configs):
        pass

    def metric_change(self, metric):
        with self._lock:
            category = self._store.setdefault(self.get_category(metric), {})
            category[metric.metric_name.name] = metric

    def metric_removal(self, metric):
        """The metric that went, or None."""
        category = self.get_category(metric)
        with self._lock:
            kept = self._store.get(category, {})
            removed = kept.pop(metric.metric_name.name, None)
            if not kept:
                self._store.pop(category, None)
        return removed

    def get_category(self, metric):
        name = metric.metric_name
        tags = ",".join(f"{key}={value}" for key, value in sorted((name.tags or {}).items()))
        return ".".join(filter(None, (self._prefix, name.group, tags)))

    def close(self):
        pass
