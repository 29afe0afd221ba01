class Percentile:
    """A percentile (0 to 100) and the MetricName that it is to have."""

    def __init__(self, metric_name, percentile):
        self._name = metric_name
        self._percentile = float(percentile)

    @property
    def name(self):
        return self._name

    @property
    def percentile(self):
        return self._percentile
