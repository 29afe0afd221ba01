"""Single requests of Kafka's protocol, and what a broker answers, field by field.

The messages are kafka-python's: its schemas are read from Apache Kafka's.
"""

from types import SimpleNamespace

from kafka.protocol import admin, consumer, metadata, producer
from kafka.protocol.api_message import ApiMessage
from wire_exchange import exchange

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


def ask(bootstrap: str, name: str, version: int, **fields) -> dict:
    """Ask on a connection of its own; ConnectionError when the broker closes it instead."""
    request = _message(f"{name}Request")(
        version=version, **{field: _struct(value) for field, value in fields.items()}
    )
    request.with_header(1, "asker")
    host, port = bootstrap.rsplit(":", 1)
    answer = exchange(host, int(port), request.encode(header=True), ANSWER_SECONDS_MAX)
    response = _message(f"{name}Response").decode(answer, version=version, header=True)
    return response.to_dict()
