from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismScram(RefusedMechanism):
    pass
