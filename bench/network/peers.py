"""The servers that are compared: how each is started, and what of it is measured."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "compat"))

import kafka_oracle  # noqa: E402
import served  # noqa: E402
import wire_probe  # noqa: E402

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
#: As Kafka's own start script has it, instead of the quick start that tests want.
JAVA_OPTIONS = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Xshare:auto")


def cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in status if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024


class Ringlog:
    """`ringlog serve`, every acknowledgement after an fsync."""

    durability = "fsync before each acknowledgement"

    def __init__(self, folder: Path):
        began = time.monotonic()
        self._served = served.Served(folder / "data")
        self.bootstrap = self._served.bootstrap
        wire_probe.metadata(int(self.bootstrap.rpartition(":")[2]))
        self.seconds_to_answer = time.monotonic() - began
        self.pid = self._served.pid

    def stop(self):
        self._served.stop()


class Kafka:
    """Apache Kafka 4.3.1, formatted before its start is timed."""

    durability = "page cache"
    settings: dict = {}

    def __init__(self, folder: Path):
        self._server = kafka_oracle.KafkaServer(
            folder / "data", settings=self.settings, java_options=JAVA_OPTIONS
        )
        self._server.format()
        self._server.start()
        self.seconds_to_answer = self._server.seconds_to_leaders
        self.bootstrap, self.pid = self._server.bootstrap, self._server.pid

    def stop(self):
        self._server.stop()
        self._server.discard()


class KafkaFsync(Kafka):
    """The same with an fsync per batch."""

    durability = "fsync per batch"
    settings = {"log.flush.interval.messages": 1}


class _Plain:
    """A server that answers `ask` on its port with a line that begins with `answer`."""

    program, ask, answer = "", b"", b""
    durability = "not compared"

    def __init__(self, folder: Path):
        (port,) = kafka_oracle.free_ports(1)
        began = time.monotonic()
        self._process = subprocess.Popen(
            [find(self.program), *self.options(port, folder)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.pid = self._process.pid
        while not self._answers(port):
            if time.monotonic() - began > START_SECONDS_MAX:
                self._process.kill()
                raise TimeoutError(f"{self.program} does not answer")
            time.sleep(0.001)
        self.seconds_to_answer = time.monotonic() - began

    def options(self, port: int, folder: Path) -> list[str]:
        raise NotImplementedError

    def _answers(self, port: int) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as wire:
                wire.sendall(self.ask)
                return wire.recv(64).startswith(self.answer)
        except OSError:
            return False

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        self._process.wait(timeout=STOP_SECONDS_MAX)


class Nats(_Plain):
    """nats-server with JetStream on a folder."""

    program, ask, answer = "nats-server", b"PING\r\n", b"INFO"

    def options(self, port: int, folder: Path) -> list[str]:
        return ["-a", "127.0.0.1", "-p", str(port), "-js", "-sd", str(folder)]


class Redis(_Plain):
    """redis-server with an append-only file."""

    program, ask, answer = "redis-server", b"PING\r\n", b"+PONG"

    def options(self, port: int, folder: Path) -> list[str]:
        return ["--bind", "127.0.0.1", "--port", str(port), "--dir", str(folder),
                "--appendonly", "yes", "--appendfsync", "always"]


def find(program: str) -> str | None:
    return shutil.which(program) or shutil.which(program, path=str(Path(sys.executable).parent))


def missing(peer: type) -> str | None:
    """Why the peer cannot be measured here."""
    if issubclass(peer, _Plain) and not find(peer.program):
        return f"{peer.program} is not installed"
    return None


PEERS = {"ringlog": Ringlog, "kafka": Kafka, "kafka fsync": KafkaFsync,
         "nats-server": Nats, "redis-server": Redis}
