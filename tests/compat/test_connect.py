"""`ringlog serve` and Kafka Connect 4.3: lines of a file through a topic into another file."""

import json
import urllib.request
from pathlib import Path

import kafka_clients
import kafka_oracle
import pytest
from java_programs import JavaProcess
from served import Served
from waiting import WAIT_SECONDS_MAX, until

STANDALONE = "org.apache.kafka.connect.cli.ConnectStandalone"
DISTRIBUTED = "org.apache.kafka.connect.cli.ConnectDistributed"
WORKER = {
    "key.converter": "org.apache.kafka.connect.storage.StringConverter",
    "value.converter": "org.apache.kafka.connect.storage.StringConverter",
    "offset.flush.interval.ms": 200,
    "plugin.discovery": "only_scan",
}
GROUP = {
    "group.id": "workers",
    "config.storage.topic": "connect-configs",
    "offset.storage.topic": "connect-offsets",
    "status.storage.topic": "connect-status",
    "config.storage.replication.factor": 1,
    "offset.storage.replication.factor": 1,
    "status.storage.replication.factor": 1,
    "offset.storage.partitions": 5,
    "status.storage.partitions": 3,
    "scheduled.rebalance.max.delay.ms": 0,
}


@pytest.fixture
def bootstrap(kafka_class_path, tmp_path):
    """A server over a log on disk."""
    with Served(tmp_path / "data") as server:
        yield server.bootstrap


def properties(path: Path, settings: dict) -> Path:
    """A file of Java properties."""
    path.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
    return path


def connectors(folder: Path) -> dict[str, dict]:
    """A source of the lines of folder/in, and a sink that writes them to folder/out."""
    return {
        "source": {"connector.class": "FileStreamSource", "file": folder / "in", "topic": "lines"},
        "sink": {"connector.class": "FileStreamSink", "file": folder / "out", "topics": "lines"},
    }


def append(folder: Path, lines: list[str]):
    """To the file that the source reads."""
    with open(folder / "in", "a", encoding="utf-8") as file:
        file.writelines(f"{line}\n" for line in lines)


def wait_for_lines(folder: Path, lines: list[str]):
    """Until the sink has written so many; they have to be these, in order."""
    out = folder / "out"

    def written() -> list[str]:
        return out.read_text(encoding="utf-8").splitlines() if out.exists() else []

    until(f"{len(lines)} lines come out", lambda: len(written()) >= len(lines))
    assert written() == lines


def lines_of_topic(bootstrap: str) -> list[str]:
    """The values of the topic that lies between the files."""
    records = kafka_clients.read_partition(bootstrap, "lines", 0)
    return [value.decode() for _, _, _, value, _ in records]


class Worker(JavaProcess):
    """A distributed worker with its REST API."""

    def __init__(self, bootstrap: str, file: Path):
        (port,) = kafka_oracle.free_ports(1)
        self._url = f"http://127.0.0.1:{port}"
        settings = {"bootstrap.servers": bootstrap, "listeners": self._url, **WORKER, **GROUP}
        super().__init__(DISTRIBUTED, properties(file, settings))

    def ask(self, path: str, settings: dict | None = None):
        """The JSON answered to a GET, or to a PUT of the settings; None while it cannot be."""
        body = None if settings is None else json.dumps(settings, default=str).encode()
        request = urllib.request.Request(
            self._url + path,
            body,
            {"Content-Type": "application/json"},
            method="GET" if body is None else "PUT",
        )
        try:
            with urllib.request.urlopen(request, timeout=WAIT_SECONDS_MAX) as answer:
                return json.load(answer)
        except OSError:  # not listening yet, or 404, or 409 in the middle of a rebalance
            if self.ended():
                raise RuntimeError(f"the worker ended: {self.said()[-4000:]}") from None
            return None

    def workers(self) -> set[str]:
        """The ids of those that run a task now."""
        every = self.ask("/connectors?expand=status") or {}
        tasks = [task for one in every.values() for task in one["status"]["tasks"]]
        return {task["worker_id"] for task in tasks if task["state"] == "RUNNING"}


def test_standalone(bootstrap, tmp_path):
    """Two runs: the second one goes on where the first one ended."""
    settings = {
        "bootstrap.servers": bootstrap,
        "listeners": f"http://127.0.0.1:{kafka_oracle.free_ports(1)[0]}",
        "offset.storage.file.filename": tmp_path / "offsets",
        **WORKER,
    }
    files = [properties(tmp_path / "worker.properties", settings)]
    for name, connector in connectors(tmp_path).items():
        files.append(properties(tmp_path / f"{name}.properties", {"name": name, **connector}))
    # ASCII: FileStreamSource counts characters and skips bytes.
    lines = [f"line {number}" for number in range(100)]
    append(tmp_path, lines)
    with JavaProcess(STANDALONE, *files):
        wait_for_lines(tmp_path, lines)
    more = [f"line {number}" for number in range(100, 150)]
    append(tmp_path, more)
    with JavaProcess(STANDALONE, *files):
        wait_for_lines(tmp_path, lines + more)
    assert lines_of_topic(bootstrap) == lines + more
    assert kafka_clients.committed(bootstrap, "connect-sink")["lines", 0] == 150


def test_distributed(bootstrap, tmp_path):
    """Two workers share the connectors; one ends, and the other takes its work over."""
    lines = [f"line {number}" for number in range(200)]
    append(tmp_path, lines[:100])
    one = Worker(bootstrap, tmp_path / "one.properties")
    with one, Worker(bootstrap, tmp_path / "two.properties") as two:
        for name, settings in connectors(tmp_path).items():
            path = f"/connectors/{name}/config"
            until(f"{name} is made", lambda path=path, s=settings: two.ask(path, s))
        wait_for_lines(tmp_path, lines[:100])
        until("each runs one", lambda: len(two.workers()) == 2)
        one.stop()
        append(tmp_path, lines[100:])
        wait_for_lines(tmp_path, lines)
        until("one runs both", lambda: len(two.workers()) == 1)
    assert lines_of_topic(bootstrap) == lines
