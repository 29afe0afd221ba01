"""ConsumerProtocolSubscription and -Assignment of Kafka's message definitions.

What members of a group of type "consumer" tell its leader, and what the leader answers; the broker
keeps both as bytes.
"""

import struct
from dataclasses import dataclass, field

from ringlog.structs import TopicPartition

ConsumerProtocolType = "consumer"


@dataclass
class ConsumerProtocolSubscription:
    version: int = 0
    topics: list = field(default_factory=list)
    user_data: bytes = b""
    owned_partitions: list = field(default_factory=list)  # (topic, [partition]), since version 1
    generation_id: int = -1  # since version 2
    rack_id: str = None  # since version 3

    @property
    def subscription(self):
        return self.topics

    @classmethod
    def decode(cls, data):
        """Raises struct.error when `data` is not a subscription."""
        reader = Reader(data)
        decoded = cls(reader.number("h"), reader.array(reader.string), reader.bytes())
        if decoded.version >= 1:
            decoded.owned_partitions = reader.array(reader.topic_partitions)
        if decoded.version >= 2:
            decoded.generation_id = reader.number("i")
        if decoded.version >= 3:
            decoded.rack_id = reader.string()
        return decoded

    def encode(self):
        parts = [
            struct.pack(">h", self.version),
            encode_array(self.topics, _string),
            _bytes(self.user_data),
        ]
        if self.version >= 1:
            parts.append(encode_array(self.owned_partitions, encode_topic_partitions))
        if self.version >= 2:
            parts.append(struct.pack(">i", self.generation_id))
        if self.version >= 3:
            parts.append(_string(self.rack_id))
        return b"".join(parts)


@dataclass
class ConsumerProtocolAssignment:
    version: int = 0
    assigned_partitions: list = field(default_factory=list)  # (topic, [partition])
    user_data: bytes = b""

    @property
    def assignment(self):
        return self.assigned_partitions

    def partitions(self):
        """List of TopicPartition."""
        return [
            TopicPartition(topic, partition)
            for topic, partitions in self.assigned_partitions
            for partition in partitions
        ]

    @classmethod
    def decode(cls, data):
        """Raises struct.error when `data` is not an assignment."""
        reader = Reader(data)
        return cls(reader.number("h"), reader.array(reader.topic_partitions), reader.bytes())

    def encode(self):
        return b"".join(
            [
                struct.pack(">h", self.version),
                encode_array(self.assigned_partitions, encode_topic_partitions),
                _bytes(self.user_data),
            ]
        )


ConsumerProtocolMemberMetadata = ConsumerProtocolSubscription  # the names of kafka-python 2.x
ConsumerProtocolMemberAssignment = ConsumerProtocolAssignment


def by_topic(partitions):
    """[TopicPartition] as [(topic, [partition])], both sorted."""
    topics = {}
    for topic, partition in sorted(partitions):
        topics.setdefault(topic, []).append(partition)
    return list(topics.items())


def partitions_of(topics):
    """[(topic, [partition])] as [TopicPartition]."""
    return [TopicPartition(topic, each) for topic, partitions in topics for each in partitions]


class Reader:
    """Big-endian fields from bytes; struct.error where they end too early."""

    def __init__(self, data):
        self._data = data
        self._at = 0

    def bytes_left(self):
        return len(self._data) - self._at

    def number(self, kind):
        (value,) = struct.unpack_from(">" + kind, self._data, self._at)
        self._at += struct.calcsize(kind)
        return value

    def string(self):
        taken = self._take(self.number("h"))
        return None if taken is None else taken.decode()

    def bytes(self):
        return self._take(self.number("i"))

    def array(self, read_item):
        count = self.number("i")
        if count > self.bytes_left():
            raise struct.error(f"an array of {count} items in {len(self._data)} bytes")
        return [read_item() for _ in range(count)]

    def topic_partitions(self):
        return self.string(), self.array(lambda: self.number("i"))

    def _take(self, length):
        if length < 0:
            return None
        if length > self.bytes_left():
            raise struct.error(f"a field of {length} bytes where {self.bytes_left()} are left")
        self._at += length
        return bytes(self._data[self._at - length : self._at])


def _string(text):
    if text is None:
        return struct.pack(">h", -1)
    data = text.encode()
    return struct.pack(">h", len(data)) + data


def _bytes(data):
    return struct.pack(">i", -1) if data is None else struct.pack(">i", len(data)) + data


def encode_array(items, encode_item):
    return struct.pack(">i", len(items)) + b"".join(map(encode_item, items))


def encode_topic_partitions(item):
    topic, partitions = item
    return _string(topic) + encode_array(partitions, lambda partition: struct.pack(">i", partition))
