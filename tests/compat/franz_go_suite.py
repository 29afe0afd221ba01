"""franz-go's test suite (franz_go/go.mod and go.sum), compiled once by Go into .cache.

The program is named after the two files, so changed ones are compiled anew. Without Go the caller
gets `GoUnavailable`, whose text says what to install.
"""

import hashlib
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
MODULE = HERE / "franz_go"
CACHE = HERE.parents[1] / ".cache" / "franz-go"
PACKAGE = "github.com/twmb/franz-go/pkg/kgo"
COMPILE_SECONDS_MAX = 500
GO_MIN = (1, 21)  # the first that fetches the Go that a module asks for


class GoUnavailable(RuntimeError):
    """Go cannot be had on this machine; the text says why and what to do."""


@dataclass
class Suite:
    """A test program, and the folder of its sources, where it has to run."""

    program: Path
    folder: Path


def suite() -> Suite:
    """Compiled at the first call."""
    go = _command()
    stamp = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum")))
    program = CACHE / f"kgo-{stamp.hexdigest()[:12]}.test"
    folder = _run(go, "list", "-f", "{{.Dir}}", PACKAGE).strip()
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch) / "kgo.test"
            _run(go, "test", "-c", "-o", str(made), PACKAGE)
            made.rename(program)
    return Suite(program, Path(folder))


def _command() -> str:
    go = shutil.which("go")
    if go is None:
        raise GoUnavailable("no go on PATH: install Go 1.21 or later")
    said = subprocess.run([go, "version"], capture_output=True, text=True, timeout=60).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    if not version or tuple(map(int, version.groups())) < GO_MIN:
        raise GoUnavailable(f"{said.strip() or go}: install Go 1.21 or later")
    return go


def _run(*command: str) -> str:
    ran = subprocess.run(
        command, cwd=MODULE, capture_output=True, text=True, timeout=COMPILE_SECONDS_MAX
    )
    if ran.returncode:
        raise RuntimeError(f"{' '.join(command)}: {(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout


if __name__ == "__main__":
    try:
        print(f"franz-go: its tests are {suite().program}")
    except GoUnavailable as unavailable:
        print(f"franz-go: its tests will be skipped: {unavailable}")
