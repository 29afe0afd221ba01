"""StickyAssignorUserData of Kafka's message definitions: what a member of a group with the sticky
assignor held, and in which generation.
"""

import struct
from dataclasses import dataclass, field

from ringlog.coordinator import protocol


@dataclass
class StickyAssignorUserData:
    previous_assignment: list = field(default_factory=list)  # (topic, [partition])
    generation: int = -1

    @classmethod
    def decode(cls, data):
        """Without a generation, as version 0 is, it is -1; what cannot be read is no claim."""
        try:
            reader = protocol.Reader(data)
            held = reader.array(reader.topic_partitions)
            return cls(held, reader.number("i") if reader.bytes_left() else -1)
        except (struct.error, UnicodeDecodeError):
            return cls()

    def encode(self):
        held = protocol.encode_array(self.previous_assignment, protocol.encode_topic_partitions)
        return held + struct.pack(">i", self.generation)
