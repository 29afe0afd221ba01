"""A directory whose users are killed again and again, and what they had been promised."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import ringlog
from ringlog import KafkaConsumer, TopicPartition

VICTIM = Path(__file__).parent / "programs" / "kill_victim.py"
TOPIC, GROUP = "kill", "kill-group"


def said_until_killed(command: list[str], moment: float) -> list[str]:
    """Runs a program until `moment` seconds after its first line; the lines it had said."""
    with subprocess.Popen([sys.executable, *command], stdout=subprocess.PIPE) as victim:
        said = victim.stdout.readline()
        assert said, f"{command} ended before its first acknowledgement: {victim.wait()}"
        time.sleep(moment)
        assert victim.poll() is None, f"{command} ended by itself: {victim.returncode}"
        victim.send_signal(signal.SIGKILL)
        said += victim.stdout.read()
    return said.decode().splitlines()


class KillLoop:
    """Lives of programs/kill_victim.py on one directory."""

    def __init__(self, directory: Path):
        self.directory = directory
        self.address = f"file:{directory}"
        self.acknowledged: list[list[int]] = []  # by life
        self.committed = 0

    def live_and_die(self, moment: float) -> None:
        """One life, which recovers what the last one left; `moment` in seconds."""
        life = len(self.acknowledged)
        records = []
        for line in said_until_killed([str(VICTIM), self.address, str(life)], moment):
            kind, *numbers = line.split()
            if kind == "r":
                assert int(numbers[0]) == life
                records.append(int(numbers[1]))
            else:
                self.committed = max(self.committed, int(numbers[0]))
        self.acknowledged.append(records)

    def check(self) -> None:
        """What was acknowledged is there, once, in order; committed offsets too."""
        found = self._read_all()
        assert [offset for offset, _, _ in found] == list(range(len(found)))
        by_life: dict[int, list[int]] = {}
        for _, life, number in found:
            by_life.setdefault(life, []).append(number)
        assert list(by_life) == sorted(by_life)
        for life, numbers in enumerate(self.acknowledged):
            stored = by_life.get(life, [])
            assert stored == list(range(len(stored))), f"life {life}: a gap or a duplicate"
            assert set(numbers) <= set(stored), f"life {life}: lost what was acknowledged"
        assert self._committed_offset() >= self.committed
        ringlog.close(str(self.directory))

    def _read_all(self) -> list[tuple[int, int, int]]:
        with KafkaConsumer(
            bootstrap_servers=self.address, auto_offset_reset="earliest", consumer_timeout_ms=200
        ) as consumer:
            consumer.assign([TopicPartition(TOPIC, 0)])
            return [(record.offset, *map(int, record.value.split())) for record in consumer]

    def _committed_offset(self) -> int:
        with KafkaConsumer(bootstrap_servers=self.address, group_id=GROUP) as consumer:
            return consumer.committed(TopicPartition(TOPIC, 0)) or 0
