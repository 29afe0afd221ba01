from abc import ABC, abstractmethod

from ringlog import errors


class SaslMechanism(ABC):
    """One side of a SASL conversation."""

    @abstractmethod
    def __init__(self, **config):
        """`config`: the client's options."""

    @abstractmethod
    def auth_bytes(self):
        """What to send next."""

    @abstractmethod
    def receive(self, auth_bytes):
        """What was answered."""

    @abstractmethod
    def is_done(self):
        pass

    @abstractmethod
    def is_authenticated(self):
        pass

    def auth_details(self):
        """A sentence for the log."""
        if not self.is_authenticated():
            raise errors.IllegalStateError("not authenticated")
        return f"Authenticated via {type(self).__name__}"


class RefusedMechanism(SaslMechanism):
    """A mechanism that this version has only the name of."""

    def __init__(self, **config):
        raise errors.NotYetSupportedError(
            f"{type(self).__name__}: this version connects without authentication"
        )

    def auth_bytes(self):
        raise NotImplementedError

    def receive(self, auth_bytes):
        raise NotImplementedError

    def is_done(self):
        return False

    def is_authenticated(self):
        return False
