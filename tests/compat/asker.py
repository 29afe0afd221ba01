"""Single requests of Kafka's protocol, and what a broker answers, field by field.

The messages are kafka-python's: its schemas are read from Apache Kafka's.
"""

import socket
import struct
from types import SimpleNamespace

from kafka.protocol import admin, consumer, metadata, producer
from kafka.protocol.api_message import ApiMessage

ANSWER_SECONDS_MAX = 60


class _Struct(SimpleNamespace):
    """A structure of a request."""

    def __getattr__(self, name):
        if name.startswith("_"):  # what kafka-python keeps in its own structures
            return None
        raise AttributeError(name)


def _struct(value):
    if isinstance(value, dict):
        return _Struct(**{name: _struct(one) for name, one in value.items()})
    if isinstance(value, list):
        return [_struct(one) for one in value]
    return value


def _message(name: str):
    for module in (admin, metadata, consumer, producer):
        if hasattr(module, name):
            return getattr(module, name)
    return type(ApiMessage)(name, (ApiMessage,), {"__module__": __name__})


def _receive(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = wire.recv(size - len(data))
        if not more:
            raise EOFError("the broker has closed the connection")
        data += more
    return data


def ask(bootstrap: str, name: str, version: int, **fields) -> dict:
    """Ask on a connection of its own; EOFError when the broker closes it instead."""
    request = _message(f"{name}Request")(
        version=version, **{field: _struct(value) for field, value in fields.items()}
    )
    request.with_header(1, "asker")
    host, port = bootstrap.rsplit(":", 1)
    with socket.create_connection((host, int(port)), ANSWER_SECONDS_MAX) as wire:
        wire.sendall(request.encode(framed=True, header=True))
        (size,) = struct.unpack(">i", _receive(wire, 4))
        answer = _receive(wire, size)
    response = _message(f"{name}Response").decode(answer, version=version, header=True)
    return response.to_dict()
