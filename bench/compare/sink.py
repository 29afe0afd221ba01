"""A Kafka broker that keeps nothing: what a client library costs by itself is measured against it.

It acknowledges every Produce at once without looking into the records, keeps the largest batch that
it saw, and answers every Fetch with as many copies of that batch as fit, with their base offsets
rewritten. One topic, partition 0. Usage: sink.py; prints its port, ends when its input closes.
"""

import contextlib
import socket
import struct
import sys
import threading

# api key -> the versions served: the last ones before the flexible encoding, for short code.
VERSIONS = {0: (3, 3), 1: (4, 4), 2: (1, 1), 3: (1, 1), 18: (0, 3), 22: (0, 1)}
PRODUCE, FETCH, LIST_OFFSETS, METADATA, API_VERSIONS, INIT_PRODUCER_ID = VERSIONS
UNSUPPORTED_VERSION = 35
HIGH_WATERMARK = 1 << 40
RECORD_COUNT_AT = 57  # in a record batch of version 2


class Reader:
    def __init__(self, data: memoryview):
        self.data, self.at = data, 0

    def take(self, form: str):
        values = struct.unpack_from(">" + form, self.data, self.at)
        self.at += struct.calcsize(">" + form)
        return values if len(values) > 1 else values[0]

    def bytes(self, length: int) -> memoryview:
        self.at += max(length, 0)
        return self.data[self.at - max(length, 0) : self.at]

    def string(self) -> str:
        return str(self.bytes(self.take("h")), "utf-8")


def string(text: str) -> bytes:
    return struct.pack(">h", len(text)) + text.encode()


class Sink:
    def __init__(self, port: int):
        self.port = port
        self.next_offset = 0
        self.batch = b""
        self.batch_records = 1

    def answer(self, frame: memoryview) -> bytes:
        request = Reader(frame)
        key, version, correlation = request.take("hhi")
        request.string()  # client id
        if key == API_VERSIONS:
            body = self.api_versions(version)
        else:
            handlers = {
                PRODUCE: self.produce,
                FETCH: self.fetch,
                LIST_OFFSETS: self.list_offsets,
                METADATA: self.metadata,
                INIT_PRODUCER_ID: lambda _: struct.pack(">ihqh", 0, 0, 1, 0),
            }
            body = handlers[key](request)
        return struct.pack(">ii", len(body) + 4, correlation) + body

    def api_versions(self, version: int) -> bytes:
        rows = [(key, low, high) for key, (low, high) in VERSIONS.items()]
        if version < 3 or version > VERSIONS[API_VERSIONS][1]:
            error = UNSUPPORTED_VERSION if version > 3 else 0
            body = struct.pack(">hi", error, len(rows))
            body += b"".join(struct.pack(">hhh", *row) for row in rows)
            return body + (struct.pack(">i", 0) if version in (1, 2) else b"")
        body = struct.pack(">hB", 0, len(rows) + 1)
        body += b"".join(struct.pack(">hhhB", *row, 0) for row in rows)
        return body + struct.pack(">iB", 0, 0)

    def metadata(self, request: Reader) -> bytes:
        topics = [request.string() for _ in range(max(request.take("i"), 0))]
        body = struct.pack(">ii", 1, 0) + string("127.0.0.1") + struct.pack(">ih", self.port, -1)
        body += struct.pack(">ii", 0, len(topics))
        for topic in topics:
            body += struct.pack(">h", 0) + string(topic) + struct.pack(">bi", 0, 1)
            body += struct.pack(">hiiiiii", 0, 0, 0, 1, 0, 1, 0)
        return body

    def produce(self, request: Reader) -> bytes:
        request.string()  # transactional id
        request.take("hi")
        body = b""
        topics = request.take("i")
        for _ in range(topics):
            topic, partitions = request.string(), request.take("i")
            body += string(topic) + struct.pack(">i", partitions)
            for _ in range(partitions):
                partition, length = request.take("ii")
                batch = request.bytes(length)
                (records,) = struct.unpack_from(">i", batch, RECORD_COUNT_AT)
                if length > len(self.batch):
                    self.batch, self.batch_records = bytes(batch), records
                body += struct.pack(">ihqq", partition, 0, self.next_offset, -1)
                self.next_offset += records
        return struct.pack(">i", topics) + body + struct.pack(">i", 0)

    def fetch(self, request: Reader) -> bytes:
        request.take("iiiib")
        body = b""
        topics = request.take("i")
        for _ in range(topics):
            topic, partitions = request.string(), request.take("i")
            body += string(topic) + struct.pack(">i", partitions)
            for _ in range(partitions):
                partition, offset, limit = request.take("iqi")
                records = self.batches_from(offset, limit)
                body += struct.pack(">ihqqi", partition, 0, HIGH_WATERMARK, HIGH_WATERMARK, 0)
                body += struct.pack(">i", len(records)) + records
        return struct.pack(">ii", 0, topics) + body

    def batches_from(self, offset: int, limit: int) -> bytes:
        size = len(self.batch)
        copies = max(1, limit // size)
        batches = bytearray(self.batch * copies)
        first = offset // self.batch_records
        for i in range(copies):
            struct.pack_into(">q", batches, i * size, (first + i) * self.batch_records)
        return bytes(batches)

    def list_offsets(self, request: Reader) -> bytes:
        request.take("i")
        body = b""
        topics = request.take("i")
        for _ in range(topics):
            topic, partitions = request.string(), request.take("i")
            body += string(topic) + struct.pack(">i", partitions)
            for _ in range(partitions):
                partition, timestamp = request.take("iq")
                offset = 0 if timestamp == -2 else HIGH_WATERMARK
                body += struct.pack(">ihqq", partition, 0, -1, offset)
        return struct.pack(">i", topics) + body


def receive(connection: socket.socket, buffer: bytearray, length: int) -> memoryview | None:
    if len(buffer) < length:
        buffer.extend(bytes(length - len(buffer)))
    view = memoryview(buffer)[:length]
    got = 0
    while got < length:
        count = connection.recv_into(view[got:])
        if count == 0:
            return None
        got += count
    return view


def serve(connection: socket.socket, sink: Sink) -> None:
    head = bytearray(4)
    with connection, contextlib.suppress(ConnectionError):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while receive(connection, head, 4) is not None:
            # A fresh buffer per frame: a view of the last one may still be alive.
            frame = receive(connection, bytearray(), struct.unpack(">i", head)[0])
            if frame is None:
                return
            connection.sendall(sink.answer(frame))


def main() -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    sink = Sink(listener.getsockname()[1])

    def accept() -> None:
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, sink), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    print(sink.port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
