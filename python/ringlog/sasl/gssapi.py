from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismGSSAPI(RefusedMechanism):
    pass
