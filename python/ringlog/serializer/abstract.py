from abc import ABC, abstractmethod


class Serializer(ABC):
    @abstractmethod
    def serialize(self, topic, headers, data):
        """`data` as bytes, or None."""

    def close(self):  # noqa: B027, an optional hook
        pass


class Deserializer(ABC):
    @abstractmethod
    def deserialize(self, topic, headers, data):
        """What the bytes `data` (or None) stand for."""

    def close(self):  # noqa: B027, an optional hook
        pass
