"""kafkajs (kafkajs/package.json and its lock file), installed once by npm into .cache.

The folder is named after the lock file, so a changed one is installed anew. Without Node.js or npm
the caller gets `NodeUnavailable`, whose text says what to install.
"""

import hashlib
import shutil
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "kafkajs"
WANTED = [HERE / "kafkajs" / name for name in ("package.json", "package-lock.json")]
INSTALL_SECONDS_MAX = 300


class NodeUnavailable(RuntimeError):
    """No JavaScript can be run on this machine; the text says why and what to do."""


def program(name: str) -> str:
    """The path of `node` or `npm`."""
    found = shutil.which(name)
    if found is None:
        raise NodeUnavailable(f"no {name} on PATH: install Node.js, e.g. apt-get install npm")
    return found


def node_path() -> Path:
    """The folder that Node.js finds kafkajs in (its NODE_PATH); installed at the first call."""
    npm = program("npm")
    program("node")
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in WANTED)).hexdigest()
    folder = CACHE / stamp[:12]
    if not folder.exists():
        _install(npm, folder)
    return folder / "node_modules"


def _install(npm: str, folder: Path):
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as scratch:
        ready = Path(scratch) / "ready"
        ready.mkdir()
        for path in WANTED:
            shutil.copy(path, ready)
        ran = subprocess.run(
            [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=ready,
            capture_output=True,
            text=True,
            timeout=INSTALL_SECONDS_MAX,
        )
        if ran.returncode:
            raise RuntimeError(
                f"npm could not install kafkajs: {(ran.stdout + ran.stderr)[-2000:]}"
            )
        ready.rename(folder)


if __name__ == "__main__":
    try:
        print(f"kafkajs: in {node_path()}")
    except NodeUnavailable as unavailable:
        print(f"kafkajs: its tests will be skipped: {unavailable}")
