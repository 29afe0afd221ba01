"""One Metadata request over a bare socket: how soon does a broker name leaders?

A client library retries and caches, which blurs the time of the first good answer; this does not.
Metadata version 1 (all topics), as in Kafka's MetadataRequest.json and MetadataResponse.json.
"""

import struct
from dataclasses import dataclass, field

from wire_exchange import exchange

METADATA_KEY = 3
METADATA_VERSION = 1


@dataclass
class Metadata:
    """Answer of a broker: node ids, and per topic the leader of each partition (-1: none)."""

    brokers: list[int] = field(default_factory=list)
    leaders: dict[str, dict[int, int]] = field(default_factory=dict)

    def serves(self, topics) -> bool:
        """True when a broker is named and all of `topics` have a leader in every partition."""
        return bool(self.brokers) and all(
            self.leaders.get(topic) and min(self.leaders[topic].values()) >= 0 for topic in topics
        )


class _Reader:
    def __init__(self, data: bytes):
        self._data, self._at = data, 0

    def take(self, layout: str):
        (value,) = struct.unpack_from(">" + layout, self._data, self._at)
        self._at += struct.calcsize(">" + layout)
        return value

    def text(self):
        size = self.take("h")
        if size < 0:
            return None
        self._at += size
        return self._data[self._at - size : self._at].decode()

    def array(self, element):
        return [element() for _ in range(max(0, self.take("i")))]


def metadata(port: int, timeout_seconds: float = 1.0) -> Metadata:
    """Ask the broker on loopback `port` once. Raises OSError when it does not answer."""
    client = b"probe"
    request = struct.pack(
        f">hhih{len(client)}si", METADATA_KEY, METADATA_VERSION, 1, len(client), client, -1
    )
    return _parse(_Reader(exchange("127.0.0.1", port, request, timeout_seconds)))


def _parse(reader: _Reader) -> Metadata:
    answer = Metadata()
    reader.take("i")  # correlation id

    def broker():
        node = reader.take("i")
        reader.text()
        reader.take("i")
        reader.text()
        return node

    def partition():
        reader.take("h")
        index, leader = reader.take("i"), reader.take("i")
        reader.array(lambda: reader.take("i"))
        reader.array(lambda: reader.take("i"))
        return index, leader

    def topic():
        reader.take("h")
        name = reader.text()
        reader.take("b")
        return name, dict(reader.array(partition))

    answer.brokers = reader.array(broker)
    reader.take("i")  # controller id
    answer.leaders = dict(reader.array(topic))
    return answer
