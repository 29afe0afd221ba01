from abc import abstractmethod

from ringlog.metrics.measurable_stat import AbstractMeasurableStat


class AbstractSampledStat(AbstractMeasurableStat):
    """A statistic of the recent past: the last `samples` of a MetricConfig, each full after its
    time or its number of events (Kafka: SampledStat).
    """

    class Sample:
        def __init__(self, initial_value, now):
            self.initial_value = initial_value
            self.reset(now)

        def reset(self, now):
            self.value = self.initial_value
            self.event_count = 0
            self.last_window_ms = now

        def is_complete(self, time_ms, config):
            return (
                time_ms - self.last_window_ms >= config.time_window_ms
                or self.event_count >= config.event_window
            )

    def __init__(self, initial_value):
        self._initial_value = initial_value
        self._samples = []
        self._current = 0

    @abstractmethod
    def update(self, sample, config, value, time_ms):
        """Takes a value into a sample."""

    @abstractmethod
    def combine(self, samples, config, now):
        """The number that samples stand for."""

    def record(self, config, value, time_ms):
        sample = self.current(time_ms)
        if sample.is_complete(time_ms, config):
            sample = self._advance(config, time_ms)
        self.update(sample, config, float(value), time_ms)
        sample.event_count += 1

    def measure(self, config, now):
        self.purge_obsolete_samples(config, now)
        return float(self.combine(self._samples, config, now))

    def new_sample(self, time_ms):
        return self.Sample(self._initial_value, time_ms)

    def current(self, time_ms):
        """The sample that is being filled."""
        if not self._samples:
            self._samples.append(self.new_sample(time_ms))
        return self._samples[self._current]

    def oldest(self, now):
        """The sample that began first."""
        self.current(now)
        return min(self._samples, key=lambda sample: sample.last_window_ms)

    def purge_obsolete_samples(self, config, now):
        """Empties those that lie too far back."""
        for sample in self._samples:
            if now - sample.last_window_ms >= config.samples * config.time_window_ms:
                sample.reset(now)

    def _advance(self, config, time_ms):
        self._current = (self._current + 1) % config.samples
        if self._current == len(self._samples):
            self._samples.append(self.new_sample(time_ms))
        self._samples[self._current].reset(time_ms)
        return self._samples[self._current]
