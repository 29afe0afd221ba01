from ringlog.serializer.abstract import Deserializer, Serializer


class SerializeWrapper(Serializer):
    """A function as a Serializer."""

    def __init__(self, fn):
        self.fn = fn

    def serialize(self, topic, headers, data):
        return data if self.fn is None else self.fn(data)


class DeserializeWrapper(Deserializer):
    """A function as a Deserializer."""

    def __init__(self, fn):
        self.fn = fn

    def deserialize(self, topic, headers, data):
        return data if self.fn is None else self.fn(data)
