class MetricName:
    """What a metric is called; hashable, equal by name, group and tags.

    `tags`: {text: text}, such as {"client-id": "orders"}.
    """

    def __init__(self, name, group, description=None, tags=None):
        if not (name and group):
            raise ValueError(f"a metric has a name and a group: {name!r}, {group!r}")
        if tags is not None and not isinstance(tags, dict):
            raise ValueError(f"tags={tags!r}: a dict is wanted")
        self._name = name
        self._group = group
        self._description = description
        self._tags = None if tags is None else dict(tags)

    @property
    def name(self):
        return self._name

    @property
    def group(self):
        return self._group

    @property
    def description(self):
        return self._description

    @property
    def tags(self):
        return None if self._tags is None else dict(self._tags)

    def _key(self):
        return self._group, self._name, frozenset((self._tags or {}).items())

    def __hash__(self):
        return hash(self._key())

    def __eq__(self, other):
        return isinstance(other, MetricName) and self._key() == other._key()

    def __repr__(self):
        return (
            f"MetricName(name={self._name}, group={self._group}, "
            f"description={self._description}, tags={self._tags})"
        )
