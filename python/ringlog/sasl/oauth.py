from abc import ABC, abstractmethod

from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismOAuth(RefusedMechanism):
    pass


class AbstractTokenProvider(ABC):
    """Gives the token of `sasl_oauth_token_provider` (KIP-768)."""

    def __init__(self, **config):  # noqa: B027, for those who pass options on
        pass

    @abstractmethod
    def token(self):
        """A token as text, good for now; asked before each connection."""

    def extensions(self):
        """{name: text} that goes with the token (KIP-342)."""
        return {}
