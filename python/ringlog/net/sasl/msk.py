from ringlog.sasl.msk import SaslMechanismAwsMskIam

__all__ = ["SaslMechanismAwsMskIam"]
