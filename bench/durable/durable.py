"""What durability costs, side by side in one run: the raw disk, ringlog, embedded stores.

Rows take turns (A-B-C-A-B-C), each turn in a process of its own and an empty folder. Prints tables
of medians with minimum and maximum and writes all figures to bench/results/durable-<time>.json.
What the figures mean, and what they do not: bench/README.md.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import slow_disk
from rows import MIB, PARTITIONS, TITLES, Row, all_rows, derive, slow_rows, smoke_rows, tables

TOP = Path(__file__).resolve().parents[2]
RESULTS = TOP / "bench" / "results"
FREE_BYTES_MIN = 40 << 30
KILL_AFTER_SECONDS = 0.2
TURN_SECONDS_MORE = 600  # for making 10,000 partitions on a slow disk
SLOW = "1 ms more per flush"


class TurnFailedError(Exception):
    """A turn did not come to its figures; says why."""


class Runner:
    """Runs turns of the program in fresh folders.

    A turn's files are emptied after it, and removed only by remove_folders() at the end: for a
    minute ext4 looks at each inode that was just freed before it makes a new one, which would be
    most of what the next turn with thousands of partitions does.
    """

    def __init__(self, build: Path, seconds: float, file_bytes: int):
        self.program = build / "bench" / "durable" / "ringlog_bench_durable"
        self.seconds, self.file_bytes = seconds, file_bytes
        self.folders = []
        if not self.program.exists():
            raise SystemExit(f"{self.program} is not built: ./x bench durable builds it")

    def command(self, turn: str, folder: Path, seconds: float, given: dict) -> list[str]:
        words = {"folder": folder, "seconds": seconds, "file_bytes": self.file_bytes} | given
        return [str(self.program), turn, *(f"{name}={value}" for name, value in words.items())]

    def run(self, row: Row, where: Path, seconds: float) -> dict:
        folder = Path(tempfile.mkdtemp(prefix="ringlog-bench-", dir=where))
        self.folders.append(folder)
        try:
            filled = self.fill(row, folder, seconds) if row.turn == "reopen" else {}
            command = self.command(row.turn, folder, seconds, row.given)
            limit = seconds * 10 + TURN_SECONDS_MORE
            done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
            if done.returncode != 0:
                raise TurnFailedError(done.stderr.strip()[-1000:] or f"exit {done.returncode}")
            return filled | json.loads(done.stdout.splitlines()[-1])
        except (TurnFailedError, subprocess.TimeoutExpired) as failure:
            return {"failed": str(failure)}
        finally:
            for file in folder.rglob("*"):
                if file.is_file():
                    os.truncate(file, 0)

    def remove_folders(self):
        for folder in self.folders:
            shutil.rmtree(folder)

    def fill(self, row: Row, folder: Path, seconds: float) -> dict:
        """Fills a log for `reopen`, up to its clean end or until it is killed under load."""
        command = self.command("fill", folder, seconds, row.given)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as filling:
            try:
                line = filling.stdout.readline()
                if line and row.given["stop"] == "kill":
                    time.sleep(KILL_AFTER_SECONDS)
                    filling.send_signal(signal.SIGKILL)
            except BaseException:
                filling.kill()
                raise
        if not line:
            raise TurnFailedError("it ended before the log was filled")
        figures = json.loads(line)
        kept = ("filled_bytes", "close_seconds")
        return {name: figures[name] for name in kept if name in figures}


def machine() -> dict:
    cpus = Path("/proc/cpuinfo").read_text().splitlines()
    return {
        "cpu": next((c.partition(":")[2].strip() for c in cpus if "model name" in c), "unknown"),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "load_before": os.getloadavg(),
    }


def versions() -> dict:
    commit = subprocess.run(
        ["git", "describe", "--always", "--dirty"], cwd=TOP, capture_output=True, text=True
    )
    packages = ["liburing2", "libsqlite3-0", "liblmdb0", "librocksdb7.8", "libfuse3-3"]
    found = {"ringlog": f"{(TOP / 'VERSION').read_text().strip()} {commit.stdout.strip()}"}
    if shutil.which("dpkg-query"):
        listed = subprocess.run(
            ["dpkg-query", "-W", "-f", "${Package} ${Version}\n", *packages],
            capture_output=True, text=True,
        )
        found |= dict(line.split() for line in listed.stdout.splitlines() if " " in line.strip())
    return found


def devices(options: argparse.Namespace, undo: ExitStack) -> list[tuple[str, Path, float, list]]:
    """(name, folder, seconds per turn, rows) of each device that is measured."""
    rows = smoke_rows() if options.smoke else all_rows(options.partitions)
    sections = [name for name in options.only if name != "slow"] or list(TITLES)
    rows = [row for row in rows if row.section in sections]
    found = [("disk", options.folder, options.seconds, rows)]
    if options.smoke or (options.only and "slow" not in options.only):
        return found
    program = options.build / "bench" / "durable" / "ringlog_bench_slow_disk"
    if why := slow_disk.missing(program):
        print(f"skipped: {SLOW}: {why}")
        return found
    folder = undo.enter_context(slow_disk.slow_disk(program, options.folder))
    return [*found, (SLOW, folder, options.seconds / 2, slow_rows(rows))]


def measure(options: argparse.Namespace) -> Iterator[list[dict]]:
    """All turns so far, after each round. A row that failed is not tried again."""
    turns, given_up = [], set()
    runner = Runner(options.build, options.seconds, options.file_bytes)
    with ExitStack() as undo:
        measured = devices(options, undo)
        undo.callback(runner.remove_folders)
        for repeat in range(options.repeats):
            for device, folder, seconds, rows in measured:
                for row in rows:
                    if (device, row.section, row.name) in given_up:
                        continue
                    figures = runner.run(row, folder, seconds)
                    if "failed" in figures:
                        given_up.add((device, row.section, row.name))
                    turns.append({
                        "repeat": repeat, "device": device, "section": row.section,
                        "row": row.name, "turn": row.turn, "given": row.given,
                        "figures": figures,
                    })
                    print(f"{repeat + 1}/{options.repeats} {device}: {row.section}: {row.name}: "
                          + brief(figures), flush=True)
            derive(turns)
            yield turns


def brief(figures: dict) -> str:
    for word in ("skipped", "failed"):
        if word in figures:
            return f"{word}: {figures[word]}"
    names = ("mb_per_second", "write_us_p50", "record_us_p50", "first_read_ms", "raw_flush_us_p50")
    return ", ".join(f"{name} {figures[name]:,.1f}" for name in names if name in figures)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./x bench durable", description=__doc__)
    parser.add_argument("--seconds", type=float, help="of each turn, half on the slow disk (10)")
    parser.add_argument("--repeats", type=int, help="turns of each row (5)")
    parser.add_argument("--only", nargs="+", choices=[*TITLES, "slow"], default=[],
                        help="these sections; slow: on the disk with the slow flush too")
    parser.add_argument("--partitions", type=int, nargs="+", default=PARTITIONS, metavar="COUNT",
                        help="rows of the section partitions; those of reopen without 100")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--build", type=Path, default=TOP / "build", help="folder of the build")
    parser.add_argument("--smoke", action="store_true", help="only shows that it runs; no results")
    options = parser.parse_args()
    options.folder, options.build = options.folder.resolve(), options.build.resolve()
    options.file_bytes = 8 * MIB if options.smoke else 256 * MIB
    options.seconds = options.seconds or (0.05 if options.smoke else 10)
    options.repeats = options.repeats or (1 if options.smoke else 5)
    return options


def main() -> None:
    options = arguments()
    if not options.smoke and shutil.disk_usage(options.folder).free < FREE_BYTES_MIN:
        raise SystemExit(f"{options.folder}: less than {FREE_BYTES_MIN >> 30} GiB free")
    record = {
        "machine": machine(), "versions": versions(), "engine": os.environ.get("RINGLOG_IO"),
        "options": {
            name: value for name, value in vars(options).items() if not isinstance(value, Path)
        },
    }
    path = RESULTS / time.strftime("durable-%Y%m%d-%H%M%S.json")
    for turns in measure(options):
        if not options.smoke:  # after each round, for the case that something ends the run
            RESULTS.mkdir(exist_ok=True)
            path.write_text(json.dumps(record | {"turns": turns}, indent=1) + "\n")
    print(f"\nmedian (minimum–maximum) of {options.repeats} turns of {options.seconds:g} s each, "
          "half of that on the slow disk\n")
    print(tables(turns))
    if not options.smoke:
        print(f"\nall figures: bench/results/{path.name}")
    if any("failed" in turn["figures"] for turn in turns):
        sys.exit("some turns failed")


if __name__ == "__main__":
    main()
