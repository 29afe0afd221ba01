import struct

import pytest
from ringlog.coordinator.protocol import ConsumerProtocolAssignment, ConsumerProtocolSubscription


def test_subscription_bytes_are_kafkas():
    data = ConsumerProtocolSubscription(0, ["ab"], b"u").encode()
    assert data == b"\0\0\0\0\0\1\0\2ab\0\0\0\1u"


@pytest.mark.parametrize(
    "message",
    [
        ConsumerProtocolSubscription(0, ["orders", "é"], None),
        ConsumerProtocolSubscription(1, ["a"], b"", [("a", [0, 2])]),
        ConsumerProtocolSubscription(2, ["a"], b"x", [], 7),
        ConsumerProtocolSubscription(3, [], b"", [("a", [])], 0, "rack"),
        ConsumerProtocolAssignment(0, [("a", [0, 1]), ("b", [5])], None),
    ],
)
def test_messages_survive_encoding(message):
    assert type(message).decode(message.encode()) == message


def test_assignment_lists_its_partitions():
    assignment = ConsumerProtocolAssignment(0, [("a", [1, 0])])
    assert assignment.partitions() == [("a", 1), ("a", 0)]


@pytest.mark.parametrize("kind", [ConsumerProtocolSubscription, ConsumerProtocolAssignment])
def test_cut_off_bytes_are_refused(kind):
    whole = ConsumerProtocolAssignment(0, [("topic", [1, 2])], b"data").encode()
    for length in range(len(whole) - 1):
        with pytest.raises(struct.error):
            ConsumerProtocolAssignment.decode(whole[:length])
    with pytest.raises(struct.error):
        kind.decode(b"\0\0\x7f\xff\xff\xff")
