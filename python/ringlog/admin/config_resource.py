"""What a configuration belongs to, and what is known about each of its values."""

from enum import IntEnum

from ringlog.enums import Named


class ConfigResourceType(Named, IntEnum):
    UNKNOWN = 0
    TOPIC = 2
    BROKER = 4
    BROKER_LOGGER = 8
    CLIENT_METRICS = 16
    GROUP = 32


class ConfigResource:
    """A topic or a broker by name.

    `configs`: names to look up; {name: value} or {name: (operation, value)} to alter.
    """

    def __init__(self, resource_type, name, configs=None):
        self.resource_type = ConfigResourceType.build_from(resource_type)
        self.name = name
        self.configs = configs

    def __repr__(self):
        return f"ConfigResource({self.resource_type.name}, {self.name!r}, {self.configs!r})"


class AlterConfigOp(Named, IntEnum):
    SET = 0
    DELETE = 1
    APPEND = 2
    SUBTRACT = 3


class ConfigType(Named, IntEnum):
    UNKNOWN = 0
    BOOLEAN = 1
    STRING = 2
    INT = 3
    SHORT = 4
    LONG = 5
    DOUBLE = 6
    LIST = 7
    CLASS = 8
    PASSWORD = 9


class ConfigSourceType(Named, IntEnum):
    UNKNOWN = 0
    DYNAMIC_TOPIC_CONFIG = 1
    DYNAMIC_BROKER_CONFIG = 2
    DYNAMIC_DEFAULT_BROKER_CONFIG = 3
    STATIC_BROKER_CONFIG = 4
    DEFAULT_CONFIG = 5
    DYNAMIC_BROKER_LOGGER_CONFIG = 6
    DYNAMIC_CLIENT_METRICS_CONFIG = 7
    DYNAMIC_GROUP_CONFIG = 8

    def is_modified(self):
        return self not in (
            ConfigSourceType.DYNAMIC_DEFAULT_BROKER_CONFIG,
            ConfigSourceType.STATIC_BROKER_CONFIG,
            ConfigSourceType.DEFAULT_CONFIG,
        )


class ConfigFilterType(Named, IntEnum):
    """Which values describe_configs returns."""

    ALL = 0
    DYNAMIC = 1
    MODIFIED = 2
    DEFAULT = 3
    STATIC = 4

    def takes(self, source, read_only):
        """`source`: a ConfigSourceType."""
        return {
            ConfigFilterType.ALL: True,
            ConfigFilterType.DYNAMIC: not read_only,
            ConfigFilterType.MODIFIED: source.is_modified(),
            ConfigFilterType.DEFAULT: not source.is_modified(),
            ConfigFilterType.STATIC: source is ConfigSourceType.STATIC_BROKER_CONFIG,
        }[self]
