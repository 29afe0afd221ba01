"""Numbers of the protocol that have names."""

from enum import Enum, IntEnum

from ringlog import errors


class Named(Enum):
    """An enum that is also built from a name ("read-committed", "READ_COMMITTED") or a value."""

    @classmethod
    def build_from(cls, given):
        for member in cls:
            if given is member or given == member.value or _folded(given) == member.name:
                return member
        names = ", ".join(member.name for member in cls)
        raise errors.InvalidArgumentValueError(f"{given!r} is no {cls.__name__}: one of {names}")

    @classmethod
    def value_for(cls, given):
        return cls.build_from(given).value


def _folded(given):
    return str(given).strip().upper().replace("-", "_")


class IsolationLevel(Named, IntEnum):
    READ_UNCOMMITTED = 0
    READ_COMMITTED = 1


class OffsetSpec(Named, IntEnum):
    """Which offset of a partition to look up; a number from 0 on is a timestamp in ms."""

    LATEST = -1
    EARLIEST = -2
    MAX_TIMESTAMP = -3
    EARLIEST_LOCAL = -4
    LATEST_TIERED = -5


class OffsetTimestamp(int):
    """A timestamp in ms where a plain number would be an offset."""

    __slots__ = ()

    def __repr__(self):
        return f"OffsetTimestamp({int(self)})"
