from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismPlain(RefusedMechanism):
    pass
