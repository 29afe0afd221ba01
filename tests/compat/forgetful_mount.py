"""Mounts tests/compat/forgetful_fs, the file system that forgets what was not synced."""

import os
import subprocess
import time
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
WAIT_SECONDS_MAX = 20


class MountUnavailable(Exception):
    """This machine cannot mount it; the message says why."""


class ForgetfulMount:
    """A fresh, empty one on `directory`; gone with all it holds at the end of the `with` block."""

    def __init__(self, directory: Path, *options: str):
        self.directory = directory
        self._options = options

    def __enter__(self):
        build = Path(os.environ.get("RINGLOG_BUILD", TOP / "build"))
        program = build / "tests" / "compat" / "forgetful_fs" / "forgetful_fs"
        if not program.exists():
            raise MountUnavailable("forgetful_fs was not built: libfuse3-dev was missing")
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            raise MountUnavailable("no usable /dev/fuse")
        self.directory.mkdir(parents=True, exist_ok=True)
        self._server = subprocess.Popen(
            [program, *self._options, self.directory], stderr=subprocess.PIPE, text=True
        )
        end = time.monotonic() + WAIT_SECONDS_MAX
        while not os.path.ismount(self.directory):
            if self._server.poll() is not None:
                said = self._server.stderr.read()
                if "not permitted" in said or "ermission denied" in said:
                    raise MountUnavailable(f"mounting is not allowed here: {said.strip()}")
                raise RuntimeError(f"forgetful_fs ended with {self._server.returncode}: {said}")
            assert time.monotonic() < end, "forgetful_fs does not mount"
            time.sleep(0.01)
        return self

    def __exit__(self, *_):
        self._server.terminate()
        try:
            self._server.wait(WAIT_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._server.kill()
            self._server.wait()
        self._server.stderr.close()
        if os.path.ismount(self.directory):
            subprocess.run(["umount", "-l", self.directory], check=True)

    def __truediv__(self, name: str) -> Path:
        return self.directory / name

    def forget(self, seed: int | None = None) -> None:
        """The power fails: all that is not synced is gone; with a seed, a part of it."""
        command = "all" if seed is None else str(seed)
        os.setxattr(self.directory, "user.forget", command.encode())

    def events(self) -> dict[str, int]:
        """How often each thing happened so far."""
        lines = os.getxattr(self.directory, "user.events").decode().splitlines()
        return {name: int(count) for name, count in (line.split("\t") for line in lines)}
