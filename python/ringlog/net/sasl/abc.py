from ringlog.sasl.abc import SaslMechanism

__all__ = ["SaslMechanism"]
