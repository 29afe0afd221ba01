import json

from ringlog.serializer.default import DefaultSerializer


class JsonSerializer(DefaultSerializer):
    """JSON; None stays None (a tombstone)."""

    def serialize(self, topic, headers, data):
        return None if data is None else json.dumps(data).encode(self.encoding)

    def deserialize(self, topic, headers, data):
        return None if data is None else json.loads(data.decode(self.encoding))
