"""`ringlog serve` beside other servers, in one run: start, memory, Kafka's own performance tools.

Servers take turns (A-B-C-A-B-C), each a fresh process on an empty folder for each turn. Prints
tables of medians with minimum and maximum and writes all figures to
bench/results/network-<time>.json. What the figures mean, and what they do not: bench/README.md.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import peers

RESULTS = peers.TOP / "bench" / "results"
FREE_BYTES_MIN = 20 << 30
MB = 1_000_000
TOOL_SECONDS_MAX = 900
SENT = re.compile(r"^\d+ records sent, ([\d.]+) records/sec .*?([\d.]+) ms avg latency,"
                  r".*?([\d.]+) ms 50th, .*?([\d.]+) ms 99th", re.MULTILINE)


def java_tool(main_class: str, *arguments) -> str:
    command = peers.kafka_oracle.java(main_class, arguments, config="log4j2-tools.properties",
                                      options=peers.JAVA_OPTIONS)
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX)
    if done.returncode:
        raise RuntimeError(f"{main_class} ended with {done.returncode}: {done.stdout[-2000:]}"
                           f"{done.stderr[-2000:]}")
    return done.stdout


def start_turn(peer, folder: Path, _options) -> dict:
    running = peer(folder)
    try:
        return {"seconds_to_answer": running.seconds_to_answer,
                "memory_mib": peers.memory_mib(running.pid)}
    finally:
        running.stop()


def produce(running, topic: str, size: int, partitions: int, seconds: float) -> dict:
    peers.kafka_oracle.topics(running.bootstrap, "--create", "--topic", topic,
                              "--partitions", str(partitions), "--replication-factor", "1")

    def send(count: int) -> dict:
        before = peers.cpu_seconds(running.pid)
        said = java_tool(
            "org.apache.kafka.tools.ProducerPerformance", "--bootstrap-server", running.bootstrap,
            "--topic", topic, "--num-records", count, "--record-size", size, "--throughput", -1,
            "--command-property", "acks=all",
        )
        per_second, average, middle, high = map(float, SENT.findall(said)[-1])
        used = peers.cpu_seconds(running.pid) - before
        return {"records": count, "mb_per_second": per_second * size / MB,
                "average_ms": average, "p50_ms": middle, "p99_ms": high,
                "cpu_seconds_per_gb": used / (count * size / 1e9)}

    trial = send(50_000)  # which also says how many records take about that long
    count = int(trial["mb_per_second"] * MB / size * seconds)
    return send(max(count, 50_000))


def consume(running, topic: str, size: int, count: int) -> dict:
    before = peers.cpu_seconds(running.pid)
    said = java_tool(
        "org.apache.kafka.tools.ConsumerPerformance", "--bootstrap-server", running.bootstrap,
        "--topic", topic, "--num-records", count, "--timeout", 60_000, "--hide-header",
    )
    fields = [field.strip() for field in said.strip().splitlines()[-1].split(",")]
    got, fetch_seconds = int(fields[4]), int(fields[7]) / 1000
    used = peers.cpu_seconds(running.pid) - before
    return {"records": got, "mb_per_second": got * size / MB / fetch_seconds,
            "cpu_seconds_per_gb": used / (got * size / 1e9)}


def perf_turn(peer, folder: Path, options) -> dict:
    running = peer(folder)
    figures = {}
    try:
        for size in options.sizes:
            for partitions in options.partitions:
                topic = f"perf-{size}-{partitions}"
                sent = produce(running, topic, size, partitions, options.seconds)
                case = f"{size} B, {partitions} partition{'s' if partitions > 1 else ''}"
                figures[case] = {"produce": sent,
                                 "consume": consume(running, topic, size, sent["records"])}
        figures["memory_mib"] = peers.memory_mib(running.pid)
    finally:
        running.stop()
    return figures


SECTIONS = {"start": (start_turn, list(peers.PEERS)),
            "perf": (perf_turn, ["ringlog", "kafka", "kafka fsync"])}


def spread(values: list[float], digits: int) -> str:
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def start_table(turns: list[dict]) -> list[str]:
    lines = ["| server | start to first answer, ms | memory then, MiB |", "| --- | --- | --- |"]
    for name in dict.fromkeys(turn["peer"] for turn in turns):
        mine = [turn["figures"] for turn in turns if turn["peer"] == name]
        lines.append(f"| {name} | {spread([1000 * one['seconds_to_answer'] for one in mine], 0)} | "
                     f"{spread([one['memory_mib'] for one in mine], 0)} |")
    return lines


def perf_table(turns: list[dict]) -> list[str]:
    lines = ["| records | server | durability | produce MB/s | p50 ms | p99 ms | CPU-s per GB | "
             "consume MB/s | CPU-s per GB |", "| --- " * 9 + "|"]
    for case in (case for case in turns[0]["figures"] if case != "memory_mib"):
        for name in dict.fromkeys(turn["peer"] for turn in turns):
            mine = [turn["figures"][case] for turn in turns if turn["peer"] == name]

            def of(work: str, what: str, digits: int, mine=mine) -> str:
                return spread([one[work][what] for one in mine], digits)

            lines.append(
                f"| {case} | {name} | {peers.PEERS[name].durability} | "
                f"{of('produce', 'mb_per_second', 1)} | {of('produce', 'p50_ms', 0)} | "
                f"{of('produce', 'p99_ms', 0)} | {of('produce', 'cpu_seconds_per_gb', 1)} | "
                f"{of('consume', 'mb_per_second', 1)} | "
                f"{of('consume', 'cpu_seconds_per_gb', 1)} |")
    return lines


TABLES = {"start": start_table, "perf": perf_table}


def measure(options: argparse.Namespace) -> dict[str, list[dict]]:
    turns: dict[str, list[dict]] = {section: [] for section in options.only}
    for section in options.only:
        work, names = SECTIONS[section]
        chosen = [name for name in names if not options.peers or name in options.peers]
        for name in list(chosen):
            if why := peers.missing(peers.PEERS[name]):
                print(f"left out: {name}: {why}")
                chosen.remove(name)
        for repeat in range(options.repeats):
            for name in chosen:
                folder = Path(tempfile.mkdtemp(prefix="ringlog-bench-", dir=options.folder))
                try:
                    figures = work(peers.PEERS[name], folder, options)
                finally:
                    shutil.rmtree(folder, ignore_errors=True)
                turns[section].append({"repeat": repeat, "peer": name, "figures": figures})
                print(f"{section} {repeat + 1}/{options.repeats}: {name}: {json.dumps(figures)}",
                      flush=True)
    return turns


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./x bench network", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--peers", nargs="+", choices=list(peers.PEERS), help="instead of all")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each server (5)")
    parser.add_argument("--seconds", type=float, default=10, help="of producing (10)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1000], help="of records")
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    return parser.parse_args()


def main() -> None:
    options = arguments()
    if shutil.disk_usage(options.folder).free < FREE_BYTES_MIN:
        raise SystemExit(f"{options.folder}: less than {FREE_BYTES_MIN >> 30} GiB free")
    machine = {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}
    turns = measure(options)
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / time.strftime("network-%Y%m%d-%H%M%S.json")
    given = {name: value for name, value in vars(options).items() if not isinstance(value, Path)}
    path.write_text(json.dumps({"machine": machine, "options": given, "turns": turns}, indent=1)
                    + "\n")
    print(f"\nmedian (minimum–maximum) of {options.repeats} turns\n")
    for section, made in turns.items():
        if made:
            print("\n".join(TABLES[section](made)), "\n")
    print(f"all figures: bench/results/{path.name}")


if __name__ == "__main__":
    main()
