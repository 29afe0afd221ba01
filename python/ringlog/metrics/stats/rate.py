from ringlog.metrics.measurable_stat import AbstractMeasurableStat
from ringlog.metrics.stats.sampled_stat import AbstractSampledStat


class TimeUnit:
    NANOSECONDS = 0
    MICROSECONDS = 1
    MILLISECONDS = 2
    SECONDS = 3
    MINUTES = 4
    HOURS = 5
    DAYS = 6

    _MILLISECONDS_EACH = (1e-6, 1e-3, 1.0, 1e3, 60e3, 3_600e3, 86_400e3)
    _NAMES = ("nanosecond", "microsecond", "millisecond", "second", "minute", "hour", "day")

    @staticmethod
    def get_name(time_unit):
        return TimeUnit._NAMES[time_unit]


class SampledTotal(AbstractSampledStat):
    """The sum of the recent values."""

    def __init__(self, initial_value=None):
        if initial_value is not None:
            raise ValueError("a sum begins at 0")
        super().__init__(0.0)

    def update(self, sample, config, value, time_ms):
        sample.value += value

    def combine(self, samples, config, now):
        return sum(sample.value for sample in samples)


class Rate(AbstractMeasurableStat):
    """A sampled statistic (a sum, if none is given) by the time that its samples stand for.

    All samples but the one that is being filled count as full, so that the first moments do not
    show a rate out of proportion (Kafka: Rate).
    """

    def __init__(self, time_unit=TimeUnit.SECONDS, sampled_stat=None):
        if not 0 <= time_unit <= TimeUnit.DAYS:
            raise ValueError(f"{time_unit!r} is no TimeUnit")
        self._stat = sampled_stat or SampledTotal()
        self._unit = time_unit

    def unit_name(self):
        return TimeUnit.get_name(self._unit)

    def record(self, config, value, time_ms):
        self._stat.record(config, value, time_ms)

    def measure(self, config, now):
        window = self.convert(self.window_size(config, now))
        return self._stat.measure(config, now) / window if window else 0.0

    def window_size(self, config, now):
        """In ms."""
        self._stat.purge_obsolete_samples(config, now)
        elapsed = now - self._stat.oldest(now).last_window_ms
        lacking = config.samples - 1 - int(elapsed / config.time_window_ms)
        return elapsed + max(0, lacking) * config.time_window_ms

    def convert(self, time_ms):
        """ms in this rate's unit."""
        return time_ms / TimeUnit._MILLISECONDS_EACH[self._unit]
