"""A directory whose users are killed again and again, and what they had been promised."""

import random
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import ringlog
from ringlog import KafkaConsumer, TopicPartition

VICTIM = Path(__file__).parent / "programs" / "kill_victim.py"
GROUP = "kill-group"
# What each thread of a victim writes to: topic, partition, durability.
DURABLE = [("kill", 0, "fsync"), ("kill", 1, "fsync"), ("kill", 2, "fsync")]
CACHED = [("kill-cached", 0, "page_cache")]  # survives the end of a process, not of the machine
WORK_SECONDS_MAX = 0.15
RECOVERY_EVERY = 7  # lives: one that shall end before it is back in service
SAID_SECONDS_MAX = 60


class Victim:
    """A program that says lines and does not end by itself; killed at the end of the `with`.

    Its standard input ends with this process.
    """

    def __init__(self, command: list[str]):
        self.command = command
        self._lines: list[tuple[float, str]] = []
        self._changed = threading.Condition()

    def __enter__(self):
        self._process = subprocess.Popen(
            [sys.executable, *self.command], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self.pid = self._process.pid
        self._reader = threading.Thread(target=self._read)
        self._reader.start()
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._reader.join()
        self._process.wait()
        self._process.stdout.close()
        self._process.stdin.close()

    def _read(self) -> None:
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                with self._changed:
                    self._lines.append((time.monotonic(), line.decode().rstrip("\n")))
                    self._changed.notify()

    def wait_for(self, word: str) -> float:
        """When it said the first line that begins so."""
        end = time.monotonic() + SAID_SECONDS_MAX
        with self._changed:
            while True:
                for moment, line in self._lines:
                    if line.startswith(word):
                        return moment
                assert self._process.poll() is None, f"{self.command} ended before {word!r}"
                assert time.monotonic() < end, f"{self.command} does not come to {word!r}"
                self._changed.wait(0.05)

    def said(self) -> list[str]:
        """All that it has said by now."""
        with self._changed:
            return [line for _, line in self._lines]

    def kill(self) -> list[str]:
        """Now; all that it had said."""
        assert self._process.poll() is None, f"{self.command} ended by itself"
        self._process.send_signal(signal.SIGKILL)
        self._reader.join()
        return [line for _, line in self._lines]


def said_until_killed(command: list[str], moment: float) -> list[str]:
    """Runs a program until `moment` seconds after its first line; the lines it had said."""
    with Victim(command) as victim:
        victim.wait_for("")
        time.sleep(moment)
        return victim.kill()


class KillLoop:
    """Lives of programs/kill_victim.py on one directory."""

    def __init__(self, directory: Path, dice: random.Random, places: list[tuple]):
        self.places = places
        self.directory = directory
        self.address = f"file:{directory}"
        self.acknowledged: list[list[int]] = []  # by life, by thread: so many
        self.committed = 0
        self.deaths = Counter()  # by what was going on
        self._dice = dice
        self._open_seconds = [0.02]

    def live_and_die(self) -> None:
        """One life, which recovers what the last one left."""
        life = len(self.acknowledged)
        places = [":".join(map(str, place)) for place in self.places]
        with Victim([str(VICTIM), self.address, str(life), *places]) as victim:
            opening = victim.wait_for("opening")
            if life % RECOVERY_EVERY == RECOVERY_EVERY - 1:
                typical = statistics.median(self._open_seconds[-9:])
                time.sleep(self._dice.uniform(0, 0.8 * typical))
            else:
                self._open_seconds.append(victim.wait_for("opened") - opening)
                victim.wait_for("acknowledged")
                time.sleep(self._dice.uniform(0, WORK_SECONDS_MAX))
            said = victim.kill()
        self._note(said)

    def _note(self, said: list[str]) -> None:
        sent, acknowledged = [0] * len(self.places), [0] * len(self.places)
        for line in said:
            kind, *numbers = line.split()
            if kind == "committed":
                self.committed = max(self.committed, int(numbers[0]))
            elif kind in ("sending", "acknowledged"):
                so_far = sent if kind == "sending" else acknowledged
                so_far[int(numbers[0])] = int(numbers[1])
        self.acknowledged.append(acknowledged)
        self.deaths["all"] += 1
        self.deaths["during recovery"] += "opened" not in said
        self.deaths["with batches in flight"] += sent != acknowledged

    def check(self) -> None:
        """What was acknowledged is there, once, in order; committed offsets too."""
        for thread, (topic, partition, _) in enumerate(self.places):
            found = self._read_all(TopicPartition(topic, partition))
            assert [offset for offset, _, _ in found] == list(range(len(found)))
            by_life: dict[int, list[int]] = {}
            for _, life, number in found:
                by_life.setdefault(life, []).append(number)
            assert list(by_life) == sorted(by_life)
            for life, acknowledged in enumerate(self.acknowledged):
                stored = by_life.get(life, [])
                where = f"life {life}, thread {thread}"
                assert stored == list(range(len(stored))), f"{where}: a gap or a duplicate"
                assert acknowledged[thread] <= len(stored), f"{where}: lost what was acknowledged"
        assert self._committed_offset() >= self.committed
        ringlog.close(str(self.directory))

    def check_deaths(self) -> None:
        """They came at moments that matter."""
        print(dict(self.deaths), f"acknowledged: {sum(map(sum, self.acknowledged))}")
        assert sum(map(sum, self.acknowledged)) > self.deaths["all"]
        if self.deaths["all"] >= 100:  # fewer say nothing about shares
            assert self.deaths["with batches in flight"] >= 0.8 * self.deaths["all"]
            assert self.deaths["during recovery"] >= 0.1 * self.deaths["all"]

    def _read_all(self, place: TopicPartition) -> list[tuple[int, int, int]]:
        with KafkaConsumer(
            bootstrap_servers=self.address, auto_offset_reset="earliest", consumer_timeout_ms=200
        ) as consumer:
            consumer.assign([place])
            return [(record.offset, *map(int, record.value.split())) for record in consumer]

    def _committed_offset(self) -> int:
        with KafkaConsumer(bootstrap_servers=self.address, group_id=GROUP) as consumer:
            return consumer.committed(TopicPartition(*self.places[0][:2])) or 0
