from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismSSPI(RefusedMechanism):
    pass
