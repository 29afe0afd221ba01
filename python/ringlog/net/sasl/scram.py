from ringlog.sasl.scram import SaslMechanismScram

__all__ = ["SaslMechanismScram"]
