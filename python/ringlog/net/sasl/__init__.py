"""ringlog.sasl, at its place of kafka-python 3.x."""

from ringlog.sasl import (
    SASL_MECHANISMS,
    SaslMechanismAwsMskIam,
    SaslMechanismGSSAPI,
    SaslMechanismOAuth,
    SaslMechanismPlain,
    SaslMechanismScram,
    SaslMechanismSSPI,
    get_sasl_mechanism,
    register_sasl_mechanism,
)

__all__ = [
    "SASL_MECHANISMS",
    "SaslMechanismAwsMskIam",
    "SaslMechanismGSSAPI",
    "SaslMechanismOAuth",
    "SaslMechanismPlain",
    "SaslMechanismSSPI",
    "SaslMechanismScram",
    "get_sasl_mechanism",
    "register_sasl_mechanism",
]
