"""Access control lists: who may do what to which resources."""

from enum import IntEnum

from ringlog import errors


class ResourceType(IntEnum):
    UNKNOWN = 0
    ANY = 1
    TOPIC = 2
    GROUP = 3
    CLUSTER = 4
    TRANSACTIONAL_ID = 5
    DELEGATION_TOKEN = 6
    USER = 7


class ACLOperation(IntEnum):
    UNKNOWN = 0
    ANY = 1
    ALL = 2
    READ = 3
    WRITE = 4
    CREATE = 5
    DELETE = 6
    ALTER = 7
    DESCRIBE = 8
    CLUSTER_ACTION = 9
    DESCRIBE_CONFIGS = 10
    ALTER_CONFIGS = 11
    IDEMPOTENT_WRITE = 12
    CREATE_TOKENS = 13
    DESCRIBE_TOKENS = 14


class ACLPermissionType(IntEnum):
    UNKNOWN = 0
    ANY = 1
    DENY = 2
    ALLOW = 3


class ACLResourcePatternType(IntEnum):
    """How a resource's name is matched (KIP-290)."""

    UNKNOWN = 0
    ANY = 1
    MATCH = 2
    LITERAL = 3
    PREFIXED = 4


class _Value:
    """Equal by its attributes; wrong ones are refused with IllegalArgumentError."""

    def __eq__(self, other):
        return isinstance(other, _Value) and vars(self) == vars(other)

    def __hash__(self):
        return hash(tuple(vars(self).values()))

    def __repr__(self):
        named = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({named})"

    def _want(self, attribute, kind):
        if not isinstance(getattr(self, attribute), kind):
            raise errors.IllegalArgumentError(
                f"{attribute}={getattr(self, attribute)!r}: {kind.__name__} is wanted"
            )

    def _refuse(self, attribute, *values):
        if getattr(self, attribute) in values:
            raise errors.IllegalArgumentError(
                f"{attribute}={getattr(self, attribute)!r} is for filters only"
            )


class ResourcePatternFilter(_Value):
    """Resources to look for; `resource_name` None: any."""

    def __init__(self, resource_type, resource_name, pattern_type):
        self.resource_type = resource_type
        self.resource_name = resource_name
        self.pattern_type = pattern_type
        self.validate()

    def validate(self):
        self._want("resource_type", ResourceType)
        self._want("pattern_type", ACLResourcePatternType)


class ResourcePattern(ResourcePatternFilter):
    """The resources that an ACL is about."""

    def __init__(self, resource_type, resource_name, pattern_type=ACLResourcePatternType.LITERAL):
        super().__init__(resource_type, resource_name, pattern_type)

    def validate(self):
        super().validate()
        self._refuse("resource_type", ResourceType.ANY)
        self._refuse("pattern_type", ACLResourcePatternType.ANY, ACLResourcePatternType.MATCH)


class ACLFilter(_Value):
    """ACLs to look for; `principal` and `host` None: any."""

    def __init__(self, principal, host, operation, permission_type, resource_pattern):
        self.principal = principal
        self.host = host
        self.operation = operation
        self.permission_type = permission_type
        self.resource_pattern = resource_pattern
        self.validate()

    def validate(self):
        self._want("operation", ACLOperation)
        self._want("permission_type", ACLPermissionType)
        self._want("resource_pattern", ResourcePatternFilter)


class ACL(ACLFilter):
    """One access control entry: `principal` such as "User:anna", `host` such as "*"."""

    def validate(self):
        super().validate()
        self._refuse("operation", ACLOperation.ANY)
        self._refuse("permission_type", ACLPermissionType.ANY)
        self._want("resource_pattern", ResourcePattern)


def valid_acl_operations(int_vals):
    """Set of ACLOperation, without those that only filters know."""
    return {ACLOperation(value) for value in int_vals if value > ACLOperation.ALL}
