"""franz-go's test suite (franz_go/go.mod and go.sum), compiled once by Go into .cache.

The program is named after the two files, so changed ones are compiled anew.
"""

import hashlib
import tempfile
from dataclasses import dataclass
from pathlib import Path

import go_command

HERE = Path(__file__).resolve().parent
MODULE = HERE / "franz_go"
CACHE = HERE.parents[1] / ".cache" / "franz-go"
PACKAGE = "github.com/twmb/franz-go/pkg/kgo"


@dataclass
class Suite:
    """A test program, and the folder of its sources, where it has to run."""

    program: Path
    folder: Path


def suite() -> Suite:
    """Compiled at the first call."""
    stamp = hashlib.sha256(b"".join((MODULE / name).read_bytes() for name in ("go.mod", "go.sum")))
    program = CACHE / f"kgo-{stamp.hexdigest()[:12]}.test"
    folder = go_command.run(MODULE, "list", "-f", "{{.Dir}}", PACKAGE).strip()
    if not program.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
            made = Path(scratch) / "kgo.test"
            go_command.run(MODULE, "test", "-c", "-o", str(made), PACKAGE)
            made.rename(program)
    return Suite(program, Path(folder))


if __name__ == "__main__":
    try:
        print(f"franz-go: its tests are {suite().program}")
    except go_command.GoUnavailable as unavailable:
        print(f"franz-go: its tests will be skipped: {unavailable}")
