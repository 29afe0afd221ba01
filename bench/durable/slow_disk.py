"""A disk whose flush takes a millisecond longer: ext4 on a loop device on a FUSE file.

Needs root, /dev/fuse, loop devices and a build with libfuse3; says by name what is missing.
"""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

DISK_BYTES = 24 << 30  # sparse
FLUSH_MICROSECONDS = 1000
START_SECONDS_MAX = 10


def missing(program: Path) -> str | None:
    """Why there can be no slow disk here; None when there can."""
    if os.geteuid() != 0:
        return "not root"
    for path in (Path("/dev/fuse"), Path("/dev/loop-control")):
        if not path.exists():
            return f"no {path}"
    for name in ("mkfs.ext4", "losetup"):
        if shutil.which(name) is None:
            return f"no {name}"
    return None if program.exists() else "built without libfuse3-dev"


def run(*command) -> str:
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(map(str, command))}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def serving(program: Path, backing: Path, mount_point: Path) -> Iterator[Path]:
    """The FUSE file."""
    command = [str(program), str(backing), str(mount_point), str(FLUSH_MICROSECONDS)]
    server = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + START_SECONDS_MAX
        while not os.path.ismount(mount_point):
            if server.poll() is not None or time.monotonic() > deadline:
                raise SystemExit("the slow disk does not start")
            time.sleep(0.01)
        yield mount_point / "disk"
    finally:
        server.terminate()
        server.wait(timeout=30)


@contextmanager
def slow_disk(program: Path, folder: Path) -> Iterator[Path]:
    """A folder on the slow disk, whose contents are kept in `folder`."""
    with ExitStack() as undo:
        top = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="slow-", dir=folder)))
        backing = top / "backing"
        for name in ("fuse", "mount"):
            (top / name).mkdir()
        with backing.open("wb") as file:
            file.truncate(DISK_BYTES)
        run("mkfs.ext4", "-q", "-F", "-m", "0", "-N", "400000",
            "-E", "lazy_itable_init=0,lazy_journal_init=0", backing)
        file = undo.enter_context(serving(program, backing, top / "fuse"))
        loop = run("losetup", "--find", "--show", "--direct-io=on", file)
        undo.callback(run, "losetup", "--detach", loop)
        run("mount", loop, top / "mount")
        undo.callback(run, "umount", top / "mount")
        yield top / "mount"
