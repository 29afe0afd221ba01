from ringlog.sasl.abc import RefusedMechanism


class SaslMechanismAwsMskIam(RefusedMechanism):
    pass
