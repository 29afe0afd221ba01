from ringlog.sasl.oauth import AbstractTokenProvider, SaslMechanismOAuth

__all__ = ["AbstractTokenProvider", "SaslMechanismOAuth"]
