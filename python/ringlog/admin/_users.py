import hashlib
import os
from enum import IntEnum

from ringlog import errors

_SALT_BYTES = 16


class ScramMechanism(IntEnum):
    UNKNOWN = 0
    SCRAM_SHA_256 = 1
    SCRAM_SHA_512 = 2

    @property
    def hash_name(self):
        """As hashlib has it."""
        if self is ScramMechanism.UNKNOWN:
            raise errors.IllegalArgumentError("mechanism UNKNOWN has no hash")
        return "sha256" if self is ScramMechanism.SCRAM_SHA_256 else "sha512"


class UserScramCredentialDeletion:
    """That a user has no password for a mechanism any more."""

    def __init__(self, user, mechanism):
        self.user = user
        self.mechanism = _mechanism(mechanism)

    def __repr__(self):
        return f"UserScramCredentialDeletion({self.user}, {self.mechanism.name})"


class UserScramCredentialUpsertion:
    """A user's password for a mechanism: text or bytes, of which only a salted hash is kept.

    `iterations`: 4096 if None; `salt`: 16 random bytes if None.
    """

    DEFAULT_ITERATIONS = 4096

    def __init__(self, user, mechanism, password, iterations=None, salt=None):
        self.user = user
        self.mechanism = _mechanism(mechanism)
        self.iterations = iterations or self.DEFAULT_ITERATIONS
        self.salt = os.urandom(_SALT_BYTES) if salt is None else salt
        secret = password.encode() if isinstance(password, str) else password
        self.salted_password = hashlib.pbkdf2_hmac(
            self.mechanism.hash_name, secret, self.salt, self.iterations
        )

    def __repr__(self):
        return (
            f"UserScramCredentialUpsertion({self.user}, {self.mechanism.name}, "
            f"iterations={self.iterations})"
        )


class UserAdmin:
    """Passwords of users; part of KafkaAdminClient. Refused: this version has no authentication."""

    def describe_user_scram_credentials(self, users=None):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("describe_user_scram_credentials", "DescribeUserScramCredentials")

    def alter_user_scram_credentials(self, alterations):
        """Refused with NotYetSupportedError, an UnsupportedVersionError."""
        _refuse("alter_user_scram_credentials", "AlterUserScramCredentials")


def _mechanism(given):
    if isinstance(given, str):
        return ScramMechanism[given.upper().replace("-", "_")]
    return ScramMechanism(given)


def _refuse(call, api):
    raise errors.NotYetSupportedError(
        f"{call}: needs {api}, which this version neither serves nor asks: it has no SASL"
    )
