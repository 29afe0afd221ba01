"""`ringlog serve` in a process of its own, on loopback, bounded."""

import os
import re
import signal
import subprocess
from pathlib import Path

PROGRAM = Path(__file__).resolve().parents[2] / "build" / "ringlog"

STOP_SECONDS_MAX = 60
HTTP = re.compile(r"HTTP on (\S+?)[,;]")
LISTENS = re.compile(r"listens on (\S+?)[,;].* data in (.*)")


class Served:
    """A context manager: the log of a directory (or "memory:") on a free port.

    Without `data` the options and the environment say what is served and where. Leaving it stops
    the program by SIGTERM, which must be a clean end.
    """

    def __init__(
        self, data: Path | str | None, *options: str, environment: dict[str, str] | None = None
    ):
        place = [] if data is None else ["--data", data, "--listen", "127.0.0.1:0"]
        self._process = subprocess.Popen(
            [PROGRAM, "serve", *place, *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | (environment or {}),
        )
        line = self._process.stdout.readline()
        said = LISTENS.search(line)
        if not said:
            self._process.kill()
            raise RuntimeError(f"ringlog serve did not start: {line}{self._process.stderr.read()}")
        self.bootstrap, self.data = said.groups()
        http = HTTP.search(line)
        self.http = http and f"http://{http[1]}"

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> str:
        """SIGTERM; raises unless it ends cleanly and has told of no error; what it told of."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        try:
            _, said = self._process.communicate(timeout=STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        if self._process.returncode or "error" in said:
            raise RuntimeError(f"ringlog serve ended with {self._process.returncode}: {said}")
        return said

    def kill(self):
        """SIGKILL, as a crash does it."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.communicate(timeout=STOP_SECONDS_MAX)

    def __enter__(self) -> "Served":
        return self

    def __exit__(self, kind, value, trace):
        self.stop() if kind is None else self.kill()
