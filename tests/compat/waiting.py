"""Waiting for what another program does, bounded."""

import time
from collections.abc import Callable

WAIT_SECONDS_MAX = 120


def until(what: str, happened: Callable):
    """Waits, and gives what was not false."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while time.monotonic() < deadline:
        if found := happened():
            return found
        time.sleep(0.1)
    raise TimeoutError(f"not in {WAIT_SECONDS_MAX} s: {what}")
