"""Appends numbered lines to a file for ever, and says each number once it thinks it is safe.

Usage: plain_victim.py FILE [--sync]. With --sync it is right. Ends when it is killed, or after a
minute.
"""

import os
import sys
import time


def main(path: str, syncs: bool) -> None:
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    if syncs:
        directory = os.open(os.path.dirname(path), os.O_RDONLY)
        os.fsync(directory)
    end = time.monotonic() + 60
    number = 0
    while time.monotonic() < end:
        os.write(target, f"{number}\n".encode())
        if syncs:
            os.fsync(target)
        os.write(1, f"{number}\n".encode())
        number += 1


if __name__ == "__main__":
    main(sys.argv[1], "--sync" in sys.argv)
