"""Serializers and deserializers; all three contracts of kafka-python are taken wherever one is
given.

- a function: `f(value) -> bytes`, `f(bytes) -> value`;
- 2.x: an object with `serialize(topic, value)`, `deserialize(topic, bytes)`;
- 3.x: an object with `serialize(topic, headers, value)`, `deserialize(topic, headers, bytes)`.

They are called for None too, as kafka-python does.
"""

import inspect
import json
from abc import ABC, abstractmethod

from ringlog import errors


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


class JsonSerializer(DefaultSerializer):
    """JSON; None stays None (a tombstone)."""

    def serialize(self, topic, headers, data):
        return None if data is None else json.dumps(data).encode(self.encoding)

    def deserialize(self, topic, headers, data):
        return None if data is None else json.loads(data.decode(self.encoding))


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


def as_function(converter, method, option):
    """What the core calls for a (de)serializer: (function or None, 1 or 3 arguments).

    `method` is "serialize" or "deserialize"; `option` names the option in an error.
    """
    if converter is None:
        return None, 1
    if isinstance(converter, type) and hasattr(converter, method):
        raise errors.InvalidOptionError(
            f"{option} is the class {converter.__name__}: give an instance of it"
        )
    if isinstance(converter, (SerializeWrapper, DeserializeWrapper)):
        return converter.fn, 1
    bound = getattr(converter, method, None)
    if bound is None:
        if not callable(converter):
            raise errors.InvalidOptionError(
                f"{option} is {converter!r}: give a function of one argument, "
                f"or an object with {method}()"
            )
        return converter, 1
    if _takes_headers(bound):
        return bound, 3
    return lambda topic, headers, data: bound(topic, data), 3


def _takes_headers(bound):
    try:
        inspect.signature(bound).bind("topic", [], b"")
    except TypeError:
        return False
    except ValueError:  # a built-in without a signature
        return True
    return True
