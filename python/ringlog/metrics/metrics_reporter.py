from abc import ABC, abstractmethod


class AbstractMetricsReporter(ABC):
    """Told of metrics as they come and go; asks them for their values when it likes.

    A class of these is given as `metric_reporters=[...]` and made without arguments.
    """

    @abstractmethod
    def init(self, metrics):
        """First of all: the list of the KafkaMetrics that are there."""

    @abstractmethod
    def configure(self, configs):
        """The options of the client."""

    @abstractmethod
    def metric_change(self, metric):
        """A KafkaMetric came, or took the place of another."""

    @abstractmethod
    def metric_removal(self, metric):
        """A KafkaMetric went."""

    @abstractmethod
    def close(self):
        """The client was closed."""
