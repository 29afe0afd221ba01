"""Several processes on the log of one directory, and who of them owns it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from kill_loop import Victim

PEER = Path(__file__).parent / "programs" / "sharing_peer.py"
WAIT_SECONDS_MAX = 60
PARTITIONS = 2


def wait_until(what, holds):
    end = time.monotonic() + WAIT_SECONDS_MAX
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {WAIT_SECONDS_MAX} s"
        time.sleep(0.005)


def owner_of(directory):
    """The pid that holds the log's lock, or None.

    From /proc/locks: a process that closes the lock's file loses its own lock on it.
    """
    about = os.stat(directory / "log" / ".lock")
    name = f"{os.major(about.st_dev):02x}:{os.minor(about.st_dev):02x}:{about.st_ino}"
    for line in Path("/proc/locks").read_text().splitlines():
        fields = line.split()
        if fields[1] == "POSIX" and fields[5] == name:
            return int(fields[4])
    return None


def spawn(program, *arguments):
    """A Python program that goes on beside the test: close its standard input to end it."""
    return subprocess.Popen(
        [sys.executable, "-c", program, *map(str, arguments)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


class Peers:
    """programs/sharing_peer.py in several roles on one directory, and what they have said.

    Leaving it kills them all.
    """

    def __init__(self, directory):
        self.directory = directory
        self.address = f"file:{directory}"
        self.acknowledged = []  # by life of the producer: so many
        self.got = [[] for _ in range(PARTITIONS)]  # (offset, life, number)
        self._running = {}  # by role
        self._taken = {}  # by role: lines that are noted

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for victim in self._running.values():
            victim.__exit__()

    def pid(self, role):
        return self._running[role].pid

    def start(self, role):
        arguments = []
        if role == "produce":
            arguments = [str(len(self.acknowledged))]
            self.acknowledged.append(0)
        if role == "consume":
            arguments = [str(len(records)) for records in self.got]
        victim = Victim([str(PEER), self.address, role, *arguments]).__enter__()
        self._running[role], self._taken[role] = victim, 0
        victim.wait_for("ready")

    def kill(self, role):
        victim = self._running.pop(role)
        self._take(role, victim.kill())
        victim.__exit__()

    def role_of_owner(self):
        owner = owner_of(self.directory)
        return next((role for role in self._running if self.pid(role) == owner), None)

    def wait_for_progress(self):
        """Some more records are acknowledged, and have come to the consumer."""
        self._note()
        life, before = len(self.acknowledged) - 1, self.acknowledged[-1]
        wait_until("progress", lambda: self._note() or self.acknowledged[-1] > before + 50)
        wait_until("records", lambda: self._note() or self._has_got(life, before + 50))

    def wait_for_all(self):
        """Everything that was acknowledged so far has come to the consumer."""
        self._note()
        for life, count in enumerate(self.acknowledged):
            wait_until("the rest", lambda of=life, n=count: self._note() or self._has_got(of, n))

    def check(self):
        """Each acknowledged record has come exactly once, in order in its partition."""
        self.wait_for_all()
        for partition, records in enumerate(self.got):
            assert [offset for offset, _, _ in records] == list(range(len(records)))
            by_life = {}
            for _, life, number in records:
                by_life.setdefault(life, []).append(number)
            for life, numbers in by_life.items():
                expected = range(partition, partition + PARTITIONS * len(numbers), PARTITIONS)
                assert numbers == list(expected), f"life {life}: a gap, a duplicate or disorder"

    def _has_got(self, life, count):
        """The first `count` records of that life."""
        came = [sum(of == life for _, of, _ in records) for records in self.got]
        return all(
            came[partition] >= len(range(partition, count, PARTITIONS))
            for partition in range(PARTITIONS)
        )

    def _note(self):
        for role, victim in self._running.items():
            self._take(role, victim.said())

    def _take(self, role, lines):
        new, self._taken[role] = lines[self._taken[role] :], len(lines)
        for line in new:
            kind, *numbers = line.split()
            if kind == "acknowledged":
                self.acknowledged[-1] = int(numbers[0])
            if kind == "got":
                partition, offset, life, number = map(int, numbers)
                self.got[partition].append((offset, life, number))


def stop(pid):
    """SIGSTOP; back when it has stopped."""
    os.kill(pid, signal.SIGSTOP)
    stat = Path(f"/proc/{pid}/stat")
    wait_until("the stop", lambda: stat.read_text().rpartition(")")[2].split()[0] == "T")
