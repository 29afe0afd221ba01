"""Serializers and deserializers; all three contracts of kafka-python are taken wherever one is
given.

- a function: `f(value) -> bytes`, `f(bytes) -> value`;
- 2.x: an object with `serialize(topic, value)`, `deserialize(topic, bytes)`;
- 3.x: an object with `serialize(topic, headers, value)`, `deserialize(topic, headers, bytes)`.

They are called for None too, as kafka-python does.
"""

import inspect

from ringlog import errors
from ringlog.serializer.abstract import Deserializer, Serializer
from ringlog.serializer.default import DefaultSerializer
from ringlog.serializer.json import JsonSerializer
from ringlog.serializer.wrapper import DeserializeWrapper, SerializeWrapper

__all__ = [
    "DefaultSerializer",
    "DeserializeWrapper",
    "Deserializer",
    "JsonSerializer",
    "SerializeWrapper",
    "Serializer",
]


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
