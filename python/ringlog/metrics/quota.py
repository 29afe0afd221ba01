class Quota:
    """A bound for a metric: the most it may be, or the least."""

    def __init__(self, bound, is_upper):
        self._bound = bound
        self._upper = is_upper

    @staticmethod
    def upper_bound(upper_bound):
        return Quota(upper_bound, True)

    @staticmethod
    def lower_bound(lower_bound):
        return Quota(lower_bound, False)

    @property
    def bound(self):
        return self._bound

    def is_upper_bound(self):
        return self._upper

    def is_acceptable(self, value):
        return value <= self._bound if self._upper else value >= self._bound

    def __eq__(self, other):
        return isinstance(other, Quota) and vars(self) == vars(other)

    def __hash__(self):
        return hash((self._bound, self._upper))
