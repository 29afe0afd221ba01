"""The names of kafka-python's SASL mechanisms, at their places of 2.x (`sasl`) and 3.x
(`net.sasl`).

This version connects without authentication: `sasl_mechanism` is refused where hosts are named, and
so is making one of these. `oauth.AbstractTokenProvider` is there to derive from.
"""

from ringlog import errors
from ringlog.sasl.gssapi import SaslMechanismGSSAPI
from ringlog.sasl.msk import SaslMechanismAwsMskIam
from ringlog.sasl.oauth import SaslMechanismOAuth
from ringlog.sasl.plain import SaslMechanismPlain
from ringlog.sasl.scram import SaslMechanismScram
from ringlog.sasl.sspi import SaslMechanismSSPI

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

SASL_MECHANISMS = {}


def register_sasl_mechanism(name, klass, overwrite=False):
    """`klass`: a SaslMechanism, by the name that brokers know it by."""
    if not overwrite and name in SASL_MECHANISMS:
        raise errors.InvalidArgumentValueError(f"the SASL mechanism {name} is registered already")
    SASL_MECHANISMS[name] = klass


def get_sasl_mechanism(name):
    """The class registered under that name."""
    return SASL_MECHANISMS[name]


for _name, _kind in (
    ("AWS_MSK_IAM", SaslMechanismAwsMskIam),
    ("GSSAPI", SaslMechanismGSSAPI),
    ("OAUTHBEARER", SaslMechanismOAuth),
    ("PLAIN", SaslMechanismPlain),
    ("SCRAM-SHA-256", SaslMechanismScram),
    ("SCRAM-SHA-512", SaslMechanismScram),
    ("SSPI", SaslMechanismSSPI),
):
    register_sasl_mechanism(_name, _kind)
