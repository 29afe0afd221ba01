"""The servers that are compared: how each is started, and what of it is measured."""

import os
import random
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
import wire_probe  # noqa: E402

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60
#: Below those that the kernel gives to clients: one that asks for a port of that range again and
#: again while nobody listens is connected to itself one day.
PORTS = range(20_000, 30_000)
LISTENS = "0A"  # a state in /proc/net/tcp
#: As Kafka's own start script has it, instead of the quick start that tests want.
JAVA_OPTIONS = ("-Xms1g", "-Xmx1g", "-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-Xshare:auto")


def cpu_seconds(pid: int) -> float:
    """Of the process with all its threads, the kernel's io_uring workers among them."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def memory_mib(pid: int) -> dict[str, float]:
    """Resident memory, and the same with each shared page divided by those who share it."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) / 1024 for line in lines}
    return {"rss_mib": sizes["Rss"], "pss_mib": sizes["Pss"]}


def free_port() -> int:
    while True:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", random.choice(PORTS)))
                return one.getsockname()[1]
            except OSError:
                continue


class Peer:
    """A server on a folder and a free port of loopback. It can be started many times."""

    durability = "not compared"
    ask_again_seconds = 0.0005

    def __init__(self, folder: Path, settings: dict):
        """`settings`: more of them, for servers that have Kafka's."""
        self.folder, self.settings = folder, settings
        self.port = free_port()
        self._process: subprocess.Popen | None = None

    @classmethod
    def missing(cls) -> str | None:
        """Why it cannot be measured here."""
        return None

    def command(self) -> list[str]:
        raise NotImplementedError

    def answers(self) -> bool:
        """A client connects, asks once, and has the answer."""
        raise NotImplementedError

    def spawn(self):
        self._process = subprocess.Popen(
            self.command(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    def start(self) -> float:
        """Seconds from before its process is made until after its first answer."""
        began = time.monotonic()
        self.spawn()
        self._await(self.answers, self.ask_again_seconds)
        return time.monotonic() - began

    def start_untouched(self):
        """Until it listens; nobody has connected."""
        self.spawn()
        self._await(self._listens, 0.05)

    def stop(self):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            raise

    def discard(self):
        """Removes what it keeps outside of its folder."""

    def _await(self, condition, again_seconds: float):
        deadline = time.monotonic() + START_SECONDS_MAX
        while not condition():
            if time.monotonic() > deadline:
                self.stop()
                raise TimeoutError(f"{type(self).__name__} does not answer")
            time.sleep(again_seconds)

    def _listens(self) -> bool:
        tables = [Path(f"/proc/net/{name}").read_text() for name in ("tcp", "tcp6")]
        rows = [line.split() for table in tables for line in table.splitlines()[1:]]
        return any(row[1].endswith(f":{self.port:04X}") and row[3] == LISTENS for row in rows)


class _SpeaksKafka(Peer):
    def answers(self) -> bool:
        try:
            return bool(wire_probe.metadata(self.port).brokers)
        except OSError:
            return False


class Ringlog(_SpeaksKafka):
    """`ringlog serve` as it is without any setting."""

    durability = "fsync before each acknowledgement"
    program = TOP / "build" / "ringlog"

    def command(self) -> list[str]:
        settings = [f"--set={name}={value}" for name, value in self.settings.items()]
        return [str(self.program), "serve", "--data", str(self.folder / "data"),
                "--listen", self.bootstrap, *settings]


class RinglogPageCache(Ringlog):
    """The same where a topic's records are left to the kernel, as Kafka leaves them."""

    durability = "page cache"

    def __init__(self, folder: Path, settings: dict):
        super().__init__(folder, settings | {"ringlog.durability": "page_cache"})


class Kafka(_SpeaksKafka):
    """Apache Kafka 4.3.1 with its own defaults, formatted before its start is timed."""

    durability = "page cache"
    ask_again_seconds = 0.02

    def __init__(self, folder: Path, settings: dict):
        super().__init__(folder, settings)
        self._server = kafka_oracle.KafkaServer(
            folder / "data", settings=settings, java_options=JAVA_OPTIONS
        )
        self._server.format()
        self.port = self._server.port

    def spawn(self):
        self._server.spawn()

    @property
    def pid(self) -> int:
        return self._server.pid

    def stop(self):
        self._server.stop()

    def discard(self):
        self._server.discard()


class KafkaFsync(Kafka):
    """The same with an fsync per batch."""

    durability = "fsync per batch"

    def __init__(self, folder: Path, settings: dict):
        super().__init__(folder, settings | {"log.flush.interval.messages": 1})


class _SpeaksLines(Peer):
    """A server that answers `ask` with something that holds `answer`, or begins with `refusal`."""

    program, ask, answer, refusal = "", b"", b"", b"-"

    @classmethod
    def find(cls) -> str | None:
        own = TOP / ".cache" / cls.program / "bin"  # where tools/setup puts it
        return shutil.which(cls.program) or shutil.which(cls.program, path=str(own))

    @classmethod
    def missing(cls) -> str | None:
        return None if cls.find() else f"{cls.program} is not installed"

    def answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1) as wire:
                wire.sendall(self.ask)
                said = b""
                while self.answer not in said:
                    part = wire.recv(4096)
                    said += part
                    if not part or said.startswith(self.refusal):
                        return False
                return True
        except OSError:
            return False


class Nats(_SpeaksLines):
    """nats-server with JetStream on the folder."""

    program, ask, answer = "nats-server", b"CONNECT {}\r\nPING\r\n", b"PONG"

    def command(self) -> list[str]:
        return [self.find(), "-a", "127.0.0.1", "-p", str(self.port), "-js", "-sd",
                str(self.folder)]


class Redis(_SpeaksLines):
    """redis-server with an append-only file that is synced before each answer."""

    program, ask, answer = "redis-server", b"PING\r\n", b"+PONG"

    def command(self) -> list[str]:
        return [self.find(), "--bind", "127.0.0.1", "--port", str(self.port),
                "--dir", str(self.folder), "--appendonly", "yes", "--appendfsync", "always"]


PEERS = {"ringlog": Ringlog, "ringlog page_cache": RinglogPageCache, "kafka": Kafka,
         "kafka fsync": KafkaFsync, "nats-server": Nats, "redis-server": Redis}
