from ringlog.serializer.abstract import Deserializer, Serializer


class DefaultSerializer(Serializer, Deserializer):
    """Text to bytes and back; bytes and None pass unchanged on their way in."""

    def __init__(self, encoding="utf-8"):
        self.encoding = encoding

    def serialize(self, topic, headers, data):
        if data is None or isinstance(data, (bytes, bytearray, memoryview)):
            return data
        return data.encode(self.encoding)

    def deserialize(self, topic, headers, data):
        return None if data is None else data.decode(self.encoding)
