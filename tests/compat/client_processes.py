"""client_program.py in fresh processes, bounded."""

import json
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

PROGRAM = Path(__file__).resolve().parent / "client_program.py"
ACTION_SECONDS_MAX = 240


def command(module: str, address: str, action: str, *names: str) -> list[str]:
    return [sys.executable, str(PROGRAM), module, address, action, *names]


def run(module: str, address: str, action: str, *names: str):
    """What the action printed, as JSON; RuntimeError with its words when it failed."""
    ran = subprocess.run(
        command(module, address, action, *names),
        capture_output=True,
        text=True,
        timeout=ACTION_SECONDS_MAX,
    )
    if ran.returncode:
        said = (ran.stdout[-500:] + ran.stderr[-4000:]).strip()
        raise RuntimeError(f"{action} through {module} ended with {ran.returncode}:\n{said}")
    return json.loads(ran.stdout)


@contextmanager
def holding(module: str, address: str):
    """A process that has the log open for as long as the block runs; its Popen."""
    process = subprocess.Popen(
        command(module, address, "hold"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        if process.stdout.readline().strip() != "ready":
            process.kill()
            raise RuntimeError(f"the holder did not open the log: {process.stderr.read()[-4000:]}")
        yield process
        process.communicate(timeout=ACTION_SECONDS_MAX)
        if process.returncode:
            raise RuntimeError(f"the holder ended with {process.returncode}")
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
