"""kill -9 again and again on one directory: what was acknowledged is there, once, in order.

SIGKILL proves recovery, not syncing: the page cache survives it (tests/compat/test_forgetful_fs.py
takes that away, too). RINGLOG_KILLS sets the number of kills, RINGLOG_SEED the moments.
"""

import os
import random

import pytest
from kill_loop import KillLoop

KILLS = int(os.environ.get("RINGLOG_KILLS", "100"))
SEED = int(os.environ.get("RINGLOG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)


@pytest.mark.parametrize("engine", ["uring", "epoll"])
def test_acknowledged_survives(tmp_path, monkeypatch, engine):
    monkeypatch.setenv("RINGLOG_IO", engine)
    print(f"RINGLOG_SEED={SEED} RINGLOG_KILLS={KILLS}")
    moments = random.Random(SEED)
    loop = KillLoop(tmp_path / "log")
    lives = KILLS // 2
    for life in range(lives):
        loop.live_and_die(moments.uniform(0.0, 0.15))
        if life % 10 == 9 or life == lives - 1:
            loop.check()
    assert sum(map(len, loop.acknowledged)) > lives
