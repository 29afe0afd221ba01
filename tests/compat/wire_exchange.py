"""A request to a broker over a socket of its own, and the answer: Kafka's frames, undecoded."""

import socket
import struct

ANSWER_BYTES_MAX = 64 << 20


def exchange(host: str, port: int, request: bytes, timeout_seconds: float) -> bytes:
    """Send one request, header included; the answer from its correlation id on.

    Raises OSError when the broker cannot be reached, closes the connection instead, or answers with
    what is no frame; each wait takes at most `timeout_seconds`.
    """
    with socket.create_connection((host, port), timeout_seconds) as wire:
        send(wire, request)
        return receive(wire)


def send(wire: socket.socket, request: bytes) -> None:
    wire.sendall(struct.pack(">i", len(request)) + request)


def receive(wire: socket.socket) -> bytes:
    """The next answer, as `exchange` has it."""
    (size,) = struct.unpack(">i", _receive(wire, 4))
    if not 4 <= size <= ANSWER_BYTES_MAX:
        port = wire.getpeername()[1]
        raise OSError(f"the broker on port {port} answered with a frame of {size} bytes")
    return _receive(wire, size)


def _receive(wire: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = wire.recv(size - len(data))
        if not part:
            raise ConnectionError("the broker has closed the connection")
        data += part
    return data
