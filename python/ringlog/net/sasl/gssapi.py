from ringlog.sasl.gssapi import SaslMechanismGSSAPI

__all__ = ["SaslMechanismGSSAPI"]
