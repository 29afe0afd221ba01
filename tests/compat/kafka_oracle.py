"""Apache Kafka 4.3.1 as an oracle: its server on a directory, and its command-line tools.

Everything listens on loopback, is bounded in time, and ends only processes that it started, by pid.
"""

import atexit
import base64
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import uuid
from pathlib import Path

import kafka_jars
import wire_probe

HERE = Path(__file__).resolve().parent
TOOL_SECONDS_MAX = 120
START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 60

#: Settings that keep one node small and quiet. A caller's settings win.
SMALL_NODE = {
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 50,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 5,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    "log.cleaner.dedupe.buffer.size": 4 << 20,
}

#: A server's log lines that tell of a fault or of recovery ...
COMPLAINT = re.compile(
    r" (WARN|ERROR|FATAL) |no clean shutdown file was found|"
    r"Recovering unflushed segment|Corruption found|marked stray|Loaded stray"
)
#: ... except these, which every start and stop of an untroubled node gives: the metadata log,
#: which has no clean-shutdown mark, is always rescanned.
ORDINARY = re.compile(
    r"Performing controller activation|NetworkClient that has already been closed|"
    r" INFO \[LogLoader partition=__cluster_metadata-0, "
)


#: What DumpLogSegments says of a batch, an index or a snapshot that is not as it should be.
#: (It counts from -1, so that every later segment begins with "-1 is followed by".)
FAULT = re.compile(
    r"isvalid: false|Mismatches in|^  [0-9]+ is followed by|timestamp mismatch|"
    r"Found out of order timestamp|"
    r"invalid bytes at the end|not found in the log|Exception|[Cc]orrupt|CRC|Ignoring unknown file"
)


def new_id() -> str:
    """A random uuid as Kafka writes it: 22 characters of base64url, the first no dash."""
    while True:
        text = base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")
        if not text.startswith("-"):  # its tools would take it for an option
            return text


def free_ports(count: int) -> list[int]:
    """Loopback ports that are free now."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


#: What programs that run for seconds want of the Java machine.
QUICK_START = ("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto")


def java(
    main_class: str, arguments, *, config: str, classes: Path | None = None, options=QUICK_START
) -> list[str]:
    """The command of a Java program among Kafka's jars, and `classes` of one's own."""
    jars = kafka_jars.class_path()
    return [
        kafka_jars.java_command(),
        *options,
        f"-Dlog4j2.configurationFile={HERE / config}",
        "-cp",
        f"{classes}:{jars}" if classes else jars,
        main_class,
        *map(str, arguments),
    ]


class ToolFailed(RuntimeError):
    """A Kafka tool ended with an error; the text holds all that it said."""


def tool(
    main_class: str,
    *arguments,
    stdin: str | None = None,
    timeout_seconds: float = TOOL_SECONDS_MAX,
) -> str:
    """Run one of Kafka's programs to its end; its standard output, then its standard error."""
    run = subprocess.run(
        java(main_class, arguments, config="log4j2-tools.properties"),
        input=stdin,
        capture_output=True,
        text=True,
        timeout=timeout_seconds,
    )
    if run.returncode:
        raise ToolFailed(
            f"{main_class} {' '.join(map(str, arguments))} ended with {run.returncode}:\n"
            f"{run.stdout}{run.stderr}"
        )
    return run.stdout + run.stderr


def configs(bootstrap: str, *arguments) -> str:
    """kafka-configs."""
    return tool("kafka.admin.ConfigCommand", "--bootstrap-server", bootstrap, *arguments)


def topics(bootstrap: str, *arguments) -> str:
    """kafka-topics."""
    return tool("org.apache.kafka.tools.TopicCommand", "--bootstrap-server", bootstrap, *arguments)


def consumer_groups(bootstrap: str, *arguments) -> str:
    """kafka-consumer-groups."""
    return tool(
        "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "--bootstrap-server",
        bootstrap,
        *arguments,
    )


def dump_log_segments(files, *options) -> str:
    """kafka-dump-log over many files in one Java process, e.g. options `--deep-iteration`.

    Damage can make the program itself fail; what it said then is returned too (`dump_faults`).
    """
    names = ",".join(map(str, files))
    try:
        return tool("org.apache.kafka.tools.DumpLogSegments", "--files", names, *options)
    except ToolFailed as failed:
        return f"Exception: {failed}"


def dump_faults(dump: str) -> list[str]:
    """The lines of a dump that tell of a fault in a file; a good file gives none."""
    return [line for line in dump.splitlines() if FAULT.search(line)]


class KafkaServer:
    """One combined broker and controller on a log directory.

    `quorum`: "static" names the voter in controller.quorum.voters; "bootstrap" uses
    controller.quorum.bootstrap.servers, as a directory formatted with --standalone wants it.
    A context manager: leaving it stops the server (SIGTERM, then SIGKILL when it hangs).
    """

    def __init__(
        self,
        log_dir,
        *,
        quorum: str = "static",
        node_id: int = 1,
        settings: dict | None = None,
        java_options=QUICK_START,
    ):
        if quorum not in ("static", "bootstrap"):
            raise ValueError(f"quorum is 'static' or 'bootstrap', not {quorum!r}")
        self.log_dir = Path(log_dir)
        self.node_id = node_id
        self.port, self.controller_port = free_ports(2)
        self.bootstrap = f"127.0.0.1:{self.port}"
        self.seconds_to_leaders: float | None = None
        self._quorum, self._settings = quorum, settings or {}
        self._java_options = java_options
        self._work = Path(tempfile.mkdtemp(prefix="kafka-oracle-"))
        self.log_file = self._work / "server.log"
        self.properties_file = self._work / "server.properties"
        self._process: subprocess.Popen | None = None
        self._write_properties()

    def properties(self) -> dict:
        """The settings of the server, as in server.properties."""
        controller = f"127.0.0.1:{self.controller_port}"
        quorum = (
            {"controller.quorum.voters": f"{self.node_id}@{controller}"}
            if self._quorum == "static"
            else {"controller.quorum.bootstrap.servers": controller}
        )
        listeners = f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://{controller}"
        return {
            "process.roles": "broker,controller",
            "node.id": self.node_id,
            **quorum,
            "listeners": listeners,
            "advertised.listeners": listeners,
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "PLAINTEXT",
            "listener.security.protocol.map": "CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT",
            "log.dirs": self.log_dir,
            **SMALL_NODE,
            **self._settings,
        }

    def _write_properties(self):
        lines = [f"{name}={value}\n" for name, value in self.properties().items()]
        self.properties_file.write_text("".join(lines))

    def format(self, *options, cluster_id: str | None = None) -> str:
        """kafka-storage format of the directory; for "bootstrap" pass --standalone."""
        self.log_dir.mkdir(parents=True, exist_ok=True)
        return tool(
            "kafka.tools.StorageTool",
            "format",
            "--cluster-id",
            cluster_id or new_id(),
            "--config",
            self.properties_file,
            *options,
        )

    @property
    def pid(self) -> int | None:
        """Process id while the server runs."""
        return self._process.pid if self._process and self._process.poll() is None else None

    def log(self) -> str:
        """Everything that the server has logged so far."""
        return self.log_file.read_text(errors="replace") if self.log_file.exists() else ""

    def complaints(self) -> list[str]:
        """Log lines about faults or recovery; none after an orderly shutdown."""
        return [
            line
            for line in self.log().splitlines()
            if COMPLAINT.search(line) and not ORDINARY.search(line)
        ]

    def spawn(self) -> "KafkaServer":
        """Start the Java process and return at once."""
        if self.pid:
            raise RuntimeError("the server already runs")
        command = java(
            "kafka.Kafka",
            [self.properties_file],
            config="log4j2.properties",
            options=self._java_options,
        )
        with open(self.log_file, "ab") as sink:
            self._process = subprocess.Popen(
                command,
                stdout=sink,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                cwd=self._work,
                start_new_session=True,
            )
        atexit.register(self.kill)
        return self

    def start(self, topics=(), timeout_seconds: float = START_SECONDS_MAX) -> "KafkaServer":
        """Start and wait until Metadata names a broker and leaders for all partitions of `topics`.

        The time that took is in `seconds_to_leaders`. With `__consumer_offsets` among them, wait
        for its groups, too: until they are loaded, Kafka lists none.
        """
        began = time.monotonic()
        logged_before = len(self.log())
        self.spawn()
        answer = self._wait_for_metadata(topics, began + timeout_seconds)
        self.seconds_to_leaders = time.monotonic() - began
        to_load = len(answer.leaders["__consumer_offsets"]) if "__consumer_offsets" in topics else 0
        while self._groups_loaded(logged_before) < to_load:
            self._go_on_waiting(began + timeout_seconds, "loaded no groups")
        return self

    def _wait_for_metadata(self, topics, deadline: float) -> wire_probe.Metadata:
        while True:
            try:
                answer = wire_probe.metadata(self.port)
                if answer.serves(topics):
                    return answer
            except OSError:
                pass
            self._go_on_waiting(deadline, "named no leaders")

    def _groups_loaded(self, log_from: int) -> int:
        done = re.findall(r"Finished loading of metadata from (\S+)", self.log()[log_from:])
        return len(set(done))

    def _go_on_waiting(self, deadline: float, missing: str):
        if not self.pid:
            raise RuntimeError(f"Kafka ended by itself:\n{self.log()[-6000:]}")
        if time.monotonic() > deadline:
            log = self.log()
            self.kill()
            raise TimeoutError(f"Kafka {missing} in time:\n{log[-6000:]}")
        time.sleep(0.02)

    def wait_ended(self, timeout_seconds: float = STOP_SECONDS_MAX) -> int:
        """Wait for the process to end; its exit code."""
        return self._process.wait(timeout=timeout_seconds)

    def stop(self, timeout_seconds: float = STOP_SECONDS_MAX):
        """Orderly shutdown by SIGTERM; a server that hangs gets SIGKILL and an error is raised."""
        if not self.pid:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise TimeoutError(
                f"Kafka did not stop within {timeout_seconds} s:\n{self.log()[-6000:]}"
            ) from None

    def kill(self):
        """SIGKILL, as a crash does it."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            self._process.wait(timeout=STOP_SECONDS_MAX)

    def discard(self):
        """Remove the server's own scratch files: its settings and its log."""
        shutil.rmtree(self._work, ignore_errors=True)

    def __enter__(self) -> "KafkaServer":
        return self

    def __exit__(self, kind, value, trace):
        self.stop() if kind is None else self.kill()
