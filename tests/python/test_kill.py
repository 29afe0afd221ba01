"""kill -9 again and again on one directory: what was acknowledged is there, once, in order.

SIGKILL proves recovery, not syncing: the page cache survives it. RINGLOG_KILLS sets the number of
kills, RINGLOG_SEED the moments.
"""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import ringlog
from ringlog import KafkaConsumer, TopicPartition

KILLS = int(os.environ.get("RINGLOG_KILLS", "100"))
SEED = int(os.environ.get("RINGLOG_SEED", "0")) or random.SystemRandom().randrange(1, 1 << 32)
VICTIM = Path(__file__).parent / "programs" / "kill_victim.py"
TOPIC, GROUP = "kill", "kill-group"


def live_and_die(address: str, life: int, moment: float) -> tuple[list[int], int]:
    """Runs the victim until `moment` seconds after its first acknowledgement; what it had said."""
    with subprocess.Popen(
        [sys.executable, str(VICTIM), address, str(life)], stdout=subprocess.PIPE
    ) as victim:
        said = victim.stdout.readline()
        assert said, f"life {life} ended before its first acknowledgement: {victim.wait()}"
        time.sleep(moment)
        victim.send_signal(signal.SIGKILL)
        said += victim.stdout.read()
    records, committed = [], 0
    for line in said.decode().splitlines():
        kind, *numbers = line.split()
        if kind == "r":
            assert int(numbers[0]) == life
            records.append(int(numbers[1]))
        else:
            committed = int(numbers[0])
    return records, committed


def read_all(address: str) -> list[tuple[int, int, int]]:
    with KafkaConsumer(
        bootstrap_servers=address, auto_offset_reset="earliest", consumer_timeout_ms=200
    ) as consumer:
        consumer.assign([TopicPartition(TOPIC, 0)])
        return [(record.offset, *map(int, record.value.split())) for record in consumer]


def committed_offset(address: str) -> int:
    with KafkaConsumer(bootstrap_servers=address, group_id=GROUP) as consumer:
        return consumer.committed(TopicPartition(TOPIC, 0)) or 0


@pytest.mark.parametrize("engine", ["uring", "epoll"])
def test_acknowledged_survives(tmp_path, monkeypatch, engine):
    monkeypatch.setenv("RINGLOG_IO", engine)
    print(f"RINGLOG_SEED={SEED} RINGLOG_KILLS={KILLS}")
    moments = random.Random(SEED)
    address = f"file:{tmp_path / 'log'}"
    acknowledged: dict[int, list[int]] = {}
    committed = 0
    lives = KILLS // 2
    for life in range(lives):
        records, last_commit = live_and_die(address, life, moments.uniform(0.0, 0.15))
        acknowledged[life] = records
        committed = max(committed, last_commit)
        if life % 10 != 9 and life != lives - 1:
            continue  # the next victim recovers what this one left

        found = read_all(address)
        assert [offset for offset, _, _ in found] == list(range(len(found)))
        by_life: dict[int, list[int]] = {}
        for _, of_life, number in found:
            by_life.setdefault(of_life, []).append(number)
        assert list(by_life) == sorted(by_life)
        for of_life, numbers in acknowledged.items():
            stored = by_life.get(of_life, [])
            assert stored == list(range(len(stored))), f"life {of_life}: a gap or a duplicate"
            assert set(numbers) <= set(stored), f"life {of_life}: lost what was acknowledged"
        assert committed_offset(address) >= committed
        ringlog.close(str(tmp_path / "log"))
    assert sum(map(len, acknowledged.values())) > lives
