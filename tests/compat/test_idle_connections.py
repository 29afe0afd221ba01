"""What clients that are connected and quiet cost `ringlog serve`."""

import resource
import socket
import struct
import time
from pathlib import Path

import pytest
import wire_exchange
from served import Served

CONNECTIONS = 10_000
MIB_MAX = 40
SPARE_DESCRIPTORS = 200  # of this process and of the server, beside the connections
AT_ONCE = 500
ANSWER_SECONDS_MAX = 60

NO_CLIENT_ID = struct.pack(">h", -1)
API_VERSIONS = struct.pack(">hhi", 18, 0, 1) + NO_CLIENT_ID
ALL_TOPICS = struct.pack(">i", -1)
METADATA = struct.pack(">hhi", 3, 1, 2) + NO_CLIENT_ID + ALL_TOPICS


@pytest.fixture
def many_descriptors():
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < CONNECTIONS + SPARE_DESCRIPTORS:
        pytest.skip(f"the limit of open files is {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(host: str, port: int, count: int) -> list[socket.socket]:
    """So many clients, each of which has asked ApiVersions and Metadata."""
    clients = [socket.create_connection((host, port), ANSWER_SECONDS_MAX) for _ in range(count)]
    for request in API_VERSIONS, METADATA:
        for client in clients:
            wire_exchange.send(client, request)
        for client in clients:
            wire_exchange.receive(client)
    return clients


def memory_mib(pid: int) -> float:
    """What the process has in memory of its own, when that stands still."""
    before = None
    while True:
        status = Path(f"/proc/{pid}/status").read_text()
        now = int(status.split("RssAnon:")[1].split()[0]) / 1024
        if now == before:
            return now
        before = now
        time.sleep(0.2)


@pytest.mark.parametrize("engine", ["uring", "epoll"])
def test_ten_thousand_cost_little(many_descriptors, tmp_path, engine):
    with Served(tmp_path, environment={"RINGLOG_IO": engine}) as server:
        host, port = server.bootstrap.rsplit(":", 1)
        clients = connect(host, int(port), 1)
        before = memory_mib(server.pid)
        while len(clients) < CONNECTIONS:
            clients += connect(host, int(port), min(AT_ONCE, CONNECTIONS - len(clients)))
        more = memory_mib(server.pid) - before
        print(f"{engine}: {len(clients)} connections take {more:.1f} MiB")
        for client in clients:
            client.close()
    assert 0 < more <= MIB_MAX
