import math


class Histogram:
    """Counts of values by bins. `value(quantile)` is where its bin begins; the first bin takes what
    lies below the scheme's range, the last what lies above.
    """

    def __init__(self, bin_scheme):
        self._scheme = bin_scheme
        self.clear()

    def record(self, value):
        self._counts[self._scheme.to_bin(value)] += 1.0

    def value(self, quantile):
        total = sum(self._counts)
        if not total:
            return math.nan
        so_far = 0.0
        for number, count in enumerate(self._counts[:-1]):
            so_far += count
            if so_far / total > quantile:
                return self._scheme.from_bin(number)
        return math.inf

    @property
    def counts(self):
        return self._counts

    def clear(self):
        self._counts = [0.0] * self._scheme.bins

    def __str__(self):
        shown = (
            f"{self._scheme.from_bin(number):.10f}:{count:.0f}"
            for number, count in enumerate(self._counts)
        )
        return "{" + ",".join(shown) + "}"

    class ConstantBinScheme:
        """Bins of equal width."""

        def __init__(self, bins, min_val, max_val):
            if bins < 2:
                raise ValueError(f"bins={bins}: at least 2 are needed")
            self.bins = int(bins)
            self._least = float(min_val)
            self._most = float(max_val)
            self._width = (self._most - self._least) / max(self.bins - 2, 1)

        def from_bin(self, b):
            if b == 0:
                return -math.inf
            return math.inf if b == self.bins - 1 else self._least + (b - 1) * self._width

        def to_bin(self, x):
            if x < self._least:
                return 0
            if x > self._most:
                return self.bins - 1
            return min(int((x - self._least) / self._width) + 1, self.bins - 1)

    class LinearBinScheme:
        """Bins whose width grows with their number, from 0 on."""

        def __init__(self, num_bins, max_val):
            self.bins = int(num_bins)
            self._most = max_val
            self._scale = max_val / (self.bins * (self.bins - 1) / 2)

        def from_bin(self, b):
            return math.inf if b == self.bins - 1 else b * (b + 1) / 2 * self._scale

        def to_bin(self, x):
            if x < 0.0:
                raise ValueError(f"{x} is below 0")
            if x > self._most:
                return self.bins - 1
            return min(int(math.sqrt(2 * x / self._scale + 0.25) - 0.5), self.bins - 1)
