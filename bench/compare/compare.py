"""Send and iterate, side by side in one run: ringlog, other Kafka clients, stores used as a log.

Contenders take turns (A-B-C-A-B-C), each in a process of its own for each turn. Prints a table
of medians with minimum and maximum and writes all figures to bench/results/compare-<time>.json.
What the figures mean, and what they do not: bench/README.md.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from contenders import CHUNK, CONTENDERS

RESULTS = Path(__file__).resolve().parents[1] / "results"
FREE_BYTES_MIN = 12 << 30


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def bytes_on_disk(folder: Path) -> int:
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def timed(work) -> tuple[int, float, float]:
    """(what `work` returned, wall seconds, CPU seconds of this process and its threads)."""
    start, start_cpu = time.monotonic(), cpu_seconds()
    result = work()
    return result, time.monotonic() - start, cpu_seconds() - start_cpu


def turn(name: str, folder: Path, size: int, seconds: float, seed: int) -> dict:
    """One turn of one contender: send for `seconds`, then read from the start for `seconds`."""
    generator = random.Random(seed)
    values = [generator.randbytes(size) for _ in range(CHUNK)]
    contender = CONTENDERS[name](folder, values)
    begun = time.monotonic()
    sent, send_seconds, send_cpu = timed(lambda: contender.send(begun + seconds))

    def read_until() -> int:
        count, begun = 0, time.monotonic()
        while time.monotonic() < begun + seconds:
            last = contender.read(sent)
            assert len(last) == size and last in values, "what was read is not what was sent"
            count += sent
        return count

    read, read_seconds, read_cpu = timed(read_until)
    disk = bytes_on_disk(folder)
    contender.close()
    return {
        "contender": name,
        "record_bytes": size,
        "sent": sent,
        "send_per_second": sent / send_seconds,
        "send_cpu_us_per_record": send_cpu / sent * 1e6,
        "read": read,
        "read_per_second": read / read_seconds,
        "read_cpu_us_per_record": read_cpu / read * 1e6,
        "disk_bytes": disk,
        "memory_bytes_max": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    }


def run_turn(name: str, size: int, options: argparse.Namespace, seed: int) -> dict:
    """Runs `turn` in a fresh process and folder."""
    folder = Path(tempfile.mkdtemp(prefix="ringlog-bench-", dir=options.folder))
    try:
        command = [sys.executable, __file__, "--turn", name, "--seconds", str(options.seconds)]
        command += ["--folder", str(folder), "--sizes", str(size), "--seed", str(seed)]
        limit = options.seconds * 10 + 120
        done = subprocess.run(command, capture_output=True, text=True, timeout=limit)
        if done.returncode != 0:
            raise SystemExit(f"{name} failed:\n{done.stderr[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])
    finally:
        shutil.rmtree(folder)


def spread(turns: list[dict], key: str, unit: float = 1.0, digits: int = 0) -> str:
    figures = sorted(turn[key] / unit for turn in turns)
    low, middle, high = figures[0], statistics.median(figures), figures[-1]
    return f"{middle:,.{digits}f} ({low:,.{digits}f}–{high:,.{digits}f})"


def table(turns: list[dict], sizes: list[int], names: list[str]) -> str:
    lines = [
        "| record | contender | sends/s, thousands | CPU µs per send | reads/s, thousands "
        "| CPU µs per read | disk bytes per record | memory MiB | durability |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for size in sizes:
        for name in names:
            mine = [t for t in turns if t["contender"] == name and t["record_bytes"] == size]
            per_record = statistics.median(t["disk_bytes"] / t["sent"] for t in mine)
            memory = statistics.median(t["memory_bytes_max"] for t in mine) / (1 << 20)
            cells = [
                f"{size} B",
                name,
                spread(mine, "send_per_second", 1000),
                spread(mine, "send_cpu_us_per_record", digits=2),
                spread(mine, "read_per_second", 1000),
                spread(mine, "read_cpu_us_per_record", digits=2),
                f"{per_record:,.0f}",
                f"{memory:,.0f}",
                CONTENDERS[name].durability,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines)


def machine() -> dict:
    cpu = next(
        (line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line),
        "unknown",
    )
    packages = ("kafka-python", "confluent-kafka", "lmdb")
    return {
        "cpu": cpu.partition(":")[2].strip(),
        "cores": os.cpu_count(),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "versions": {name: importlib.metadata.version(name) for name in packages},
    }


def compare(options: argparse.Namespace) -> None:
    if shutil.disk_usage(options.folder).free < FREE_BYTES_MIN:
        raise SystemExit(f"{options.folder}: less than {FREE_BYTES_MIN >> 30} GiB free")
    names = options.only or list(CONTENDERS)
    turns = []
    for repeat in range(options.repeats):
        for size in options.sizes:
            for name in names:
                turns.append(run_turn(name, size, options, options.seed + repeat))
                last = turns[-1]
                print(
                    f"{repeat + 1}/{options.repeats} {size:5} B {name:16}"
                    f"{last['send_per_second']:12,.0f} sends/s"
                    f"{last['read_per_second']:12,.0f} reads/s",
                    flush=True,
                )
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("compare-%Y%m%d-%H%M%S.json")
    settings = {name: CONTENDERS[name].setting for name in names}
    record = {
        "machine": machine(),
        "command": ["compare.py", *sys.argv[1:]],
        "settings": settings,
        "turns": turns,
    }
    path.write_text(json.dumps(record, indent=1) + "\n")
    print(f"\nmedian (minimum–maximum) of {options.repeats} turns of {options.seconds:g} s each\n")
    print(table(turns, options.sizes, names))
    print("\n" + "\n".join(f"{name}: {text}" for name, text in settings.items()))
    print(f"\nall figures: bench/results/{path.name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each send and each read")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1024], metavar="BYTES")
    parser.add_argument("--only", nargs="+", choices=CONTENDERS, metavar="NAME")
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("RINGLOG_SEED", 1)))
    parser.add_argument("--turn", choices=CONTENDERS, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.turn:
        [size] = options.sizes
        print(json.dumps(turn(options.turn, options.folder, size, options.seconds, options.seed)))
    else:
        compare(options)


if __name__ == "__main__":
    main()
