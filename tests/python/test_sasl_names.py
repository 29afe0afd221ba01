"""The SASL names that scripts import: there, and refused when they are made."""

import pytest
from ringlog import errors, sasl
from ringlog.net import sasl as sasl_of_3x
from ringlog.sasl.oauth import AbstractTokenProvider


def test_mechanisms_are_known_by_name_and_refused_when_made():
    for name in ("PLAIN", "GSSAPI", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "AWS_MSK_IAM"):
        kind = sasl_of_3x.get_sasl_mechanism(name)
        assert kind is sasl.get_sasl_mechanism(name)
        with pytest.raises(errors.UnsupportedVersionError, match="without authentication"):
            kind(sasl_plain_username="anna")


def test_ones_own_mechanism_is_registered_once():
    sasl.register_sasl_mechanism("OWN", sasl.SaslMechanismPlain)
    try:
        with pytest.raises(ValueError):
            sasl.register_sasl_mechanism("OWN", sasl.SaslMechanismPlain)
        sasl.register_sasl_mechanism("OWN", sasl.SaslMechanismScram, overwrite=True)
        assert sasl_of_3x.SASL_MECHANISMS["OWN"] is sasl.SaslMechanismScram
    finally:
        del sasl.SASL_MECHANISMS["OWN"]


def test_a_token_provider_is_derived_from():
    class Provider(AbstractTokenProvider):
        def token(self):
            return "secret"

    assert Provider(option=1).token() == "secret" and Provider().extensions() == {}
