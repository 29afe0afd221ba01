"""The `go` program, bounded. Modules come through Go's ordinary proxy into its usual cache.

Without Go the caller gets `GoUnavailable`, whose text says what to install.
"""

import re
import shutil
import subprocess
from pathlib import Path

COMPILE_SECONDS_MAX = 500
GO_MIN = (1, 21)  # the first that fetches the Go that a module asks for


class GoUnavailable(RuntimeError):
    """Go cannot be had on this machine; the text says why and what to do."""


def path() -> str:
    """Where the program is."""
    go = shutil.which("go")
    if go is None:
        raise GoUnavailable("no go on PATH: install Go 1.21 or later")
    said = subprocess.run([go, "version"], capture_output=True, text=True, timeout=60).stdout
    version = re.search(r"go(\d+)\.(\d+)", said)
    if not version or tuple(map(int, version.groups())) < GO_MIN:
        raise GoUnavailable(f"{said.strip() or go}: install Go 1.21 or later")
    return go


def run(module: Path, *arguments: str) -> str:
    """`go ARGUMENTS` in the module's folder; what it printed, RuntimeError when it failed."""
    ran = subprocess.run(
        [path(), *arguments],
        cwd=module,
        capture_output=True,
        text=True,
        timeout=COMPILE_SECONDS_MAX,
    )
    if ran.returncode:
        raise RuntimeError(f"go {' '.join(arguments)}: {(ran.stdout + ran.stderr)[-2000:]}")
    return ran.stdout
