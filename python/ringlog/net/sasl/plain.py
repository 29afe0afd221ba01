from ringlog.sasl.plain import SaslMechanismPlain

__all__ = ["SaslMechanismPlain"]
