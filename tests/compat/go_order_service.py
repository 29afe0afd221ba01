"""The order service of examples/go-order-service: its programs, compiled by Go, and instances.

Go's own build cache makes a second build one of milliseconds, so nothing is kept here.
"""

import json
import os
import re
import signal
import subprocess
import urllib.request
from pathlib import Path
from urllib.error import HTTPError

import go_command
from waiting import WAIT_SECONDS_MAX, until

MODULE = Path(__file__).resolve().parents[2] / "examples" / "go-order-service"
LISTENS = re.compile(r"listens on (http://\S+)")


def build(folder: Path):
    """Programs `server` and `producer` in the folder."""
    go_command.run(MODULE, "build", "-o", f"{folder}/", "./cmd/...")


class Instance:
    """A running service. A context manager: leaving it stops it by SIGTERM, a clean end."""

    def __init__(self, program: Path, log: Path, settings: dict[str, str]):
        self._log = log
        with open(log, "wb") as sink:
            self._process = subprocess.Popen(
                [program],
                env={**os.environ, "HTTP_ADDRESS": "127.0.0.1:0", **settings},
                stdout=sink,
                stderr=subprocess.STDOUT,
            )
        self._url = until(f"{program} listens", self._listens).group(1)

    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text()

    def get(self, path: str):
        """The JSON that the API answers; None where it answers 404."""
        try:
            with urllib.request.urlopen(self._url + path, timeout=WAIT_SECONDS_MAX) as answer:
                return json.load(answer)
        except HTTPError as error:
            if error.code == 404:
                return None
            raise

    def order_ids(self) -> list[str]:
        """Of the orders that it shows."""
        return [order["order_id"] for order in self.get("/orders")]

    def stop(self):
        """SIGTERM: it leaves its group and ends."""
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
        if self._process.wait(timeout=WAIT_SECONDS_MAX):
            raise RuntimeError(f"the order service ended badly: {self.log()[-4000:]}")

    def kill(self):
        """SIGKILL, as a crash does it."""
        self._process.kill()
        self._process.wait(timeout=WAIT_SECONDS_MAX)

    def _listens(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"the order service did not start: {self.log()}")
        return LISTENS.search(self.log())

    def __enter__(self) -> "Instance":
        return self

    def __exit__(self, kind, value, trace):
        if self._process.poll() is None:
            self.stop() if kind is None else self.kill()


if __name__ == "__main__":
    try:
        go_command.run(MODULE, "mod", "download")
        print(f"the order service: {MODULE} can be built")
    except go_command.GoUnavailable as unavailable:
        print(f"the order service will not be tested: {unavailable}")
