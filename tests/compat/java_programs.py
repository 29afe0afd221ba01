"""Our own Java programs, compiled with Kafka's jars into .cache/java, and processes of them.

Compiled sources are kept under a name made from them, so changed ones are compiled anew. A machine
with Java and without its compiler gets `KafkaUnavailable`, whose text says what to install.
"""

import hashlib
import shutil
import signal
import subprocess
import tempfile
import threading
from pathlib import Path

import kafka_jars
import kafka_oracle

CACHE = Path(__file__).resolve().parents[2] / ".cache" / "java"
COMPILE_SECONDS_MAX = 200
WAIT_SECONDS_MAX = 120


def compiled(folder: Path) -> Path:
    """The class files of every source in the folder."""
    sources = sorted(folder.glob("*.java"))
    jars = kafka_jars.class_path()
    stamp = hashlib.sha256(b"".join(source.read_bytes() for source in sources) + jars.encode())
    classes = CACHE / f"{folder.name}-{stamp.hexdigest()[:12]}"
    if not classes.exists():
        compiler = shutil.which("javac")
        if compiler is None:
            raise kafka_jars.KafkaUnavailable(
                "no javac on PATH: install a JDK, e.g. apt-get install openjdk-17-jdk-headless"
            )
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch) / "classes"
            options = ["-Xlint:all", "-Werror", "-cp", jars, "-d", made]
            subprocess.run([compiler, *options, *sources], check=True, timeout=COMPILE_SECONDS_MAX)
            made.rename(classes)
    return classes


class JavaProcess:
    """A Java program that runs until it is stopped. A context manager, which stops it.

    What it prints is kept; `wait_for` waits for a line of it.
    """

    def __init__(self, main_class: str, *arguments, classes: Path | None = None):
        command = kafka_oracle.java(
            main_class, arguments, config="log4j2-tools.properties", classes=classes
        )
        self._name = f"{main_class} {' '.join(map(str, arguments))}"
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
        )
        self._lines: list[str] = []
        self._said_all = False
        self._said_more = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            with self._said_more:
                self._lines.append(line.rstrip("\n"))
                self._said_more.notify_all()
        with self._said_more:
            self._said_all = True
            self._said_more.notify_all()

    def said(self) -> str:
        """Everything printed so far."""
        with self._said_more:
            return "\n".join(self._lines)

    def ended(self) -> bool:
        """Whether it runs no more."""
        return self._process.poll() is not None

    def wait_for(self, part: str):
        """Until a line has this part; an error when the program ends before."""
        with self._said_more:
            self._said_more.wait_for(
                lambda: any(part in line for line in self._lines) or self._said_all,
                WAIT_SECONDS_MAX,
            )
            if not any(part in line for line in self._lines):
                raise RuntimeError(f"{self._name} did not say {part!r}:\n" + "\n".join(self._lines))

    def stop(self):
        """SIGTERM, and wait for the end."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(timeout=WAIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        if self._process.returncode not in (0, 128 + signal.SIGTERM):
            raise RuntimeError(f"{self._name} ended with {self._process.returncode}: {self.said()}")

    def kill(self):
        """SIGKILL, as a crash does it."""
        self._process.kill()
        self._process.wait(timeout=WAIT_SECONDS_MAX)

    def __enter__(self) -> "JavaProcess":
        return self

    def __exit__(self, kind, value, trace):
        if self._process.poll() is None:
            self.stop() if kind is None else self.kill()
