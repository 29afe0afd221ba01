from ringlog.sasl.sspi import SaslMechanismSSPI

__all__ = ["SaslMechanismSSPI"]
