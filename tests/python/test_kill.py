"""kill -9 again and again on one directory: what was acknowledged is there, once, in order.

SIGKILL proves recovery, not syncing: the page cache survives it (tests/compat/test_forgetful_fs.py
takes that away, too). RINGLOG_KILLS sets the number of kills, RINGLOG_SEED the moments.
"""

import os
import random

import pytest
from kill_loop import CACHED, DURABLE, KillLoop

KILLS = int(os.environ.get("RINGLOG_KILLS", "100"))
SEED = int(os.environ.get("RINGLOG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
SECONDS_MAX = 6  # of a life and its part of the checks


@pytest.mark.timeout(60 + KILLS * SECONDS_MAX)
def test_acknowledged_survives(tmp_path, monkeypatch):
    print(f"RINGLOG_SEED={SEED} RINGLOG_KILLS={KILLS}")
    loop = KillLoop(tmp_path / "log", random.Random(SEED), DURABLE + CACHED)
    for life in range(KILLS):
        monkeypatch.setenv("RINGLOG_IO", ("uring", "epoll")[life % 2])
        loop.live_and_die()
        if life % 10 == 9 or life == KILLS - 1:
            loop.check()
    loop.check_deaths()
