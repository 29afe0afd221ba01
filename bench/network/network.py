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
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import peers
from tables import TABLES

RESULTS = peers.TOP / "bench" / "results"
WRITTEN_BYTES_PER_SECOND_MAX = 1 << 30
MB = 1_000_000
TRIAL_BYTES = 30 * MB
CLIENT_WARM_SHARE = 0.25  # of the server's, at the beginning of each run of the producer's tool
TOOL_SECONDS_MAX = 900
REST_SECONDS = 0.5
TOOL_OPTIONS = ("-Xmx512M", *peers.JAVA_OPTIONS[2:])  # the producer's tool has that heap
#: The last such line is of the steady state, where some records were sent to warm up.
SENT = re.compile(r"^\d+(?: steady state)? records sent, ([\d.]+) records/sec .*?([\d.]+) ms avg "
                  r"latency,.*?([\d.]+) ms 50th, .*?([\d.]+) ms 99th", re.MULTILINE)
RINGLOG = "ringlog"
PERF_PEERS = [RINGLOG, "kafka", "kafka fsync", "ringlog page_cache"]
START_PEERS = [RINGLOG, "redis-server", "nats-server", "kafka"]


def java_tool(main_class: str, *arguments) -> str:
    command = peers.kafka_oracle.java(
        f"org.apache.kafka.tools.{main_class}", arguments,
        config="log4j2-tools.properties", options=TOOL_OPTIONS,
    )
    done = subprocess.run(command, capture_output=True, text=True, timeout=TOOL_SECONDS_MAX)
    if done.returncode:
        raise RuntimeError(f"{main_class} ended with {done.returncode}: {done.stdout[-2000:]}"
                           f"{done.stderr[-2000:]}")
    return done.stdout


def raw_flush_us(folder: Path) -> float | None:
    """Median of a durable 4 KiB write at this minute, without any log (bench/durable)."""
    program = peers.TOP / "build" / "bench" / "durable" / "ringlog_bench_durable"
    if not program.exists():
        return None
    given = ["seconds=0.2", f"file_bytes={8 << 20}", "block=4096", "depth=0"]
    done = subprocess.run([program, "raw_write", f"folder={folder}", *given],
                          capture_output=True, text=True, check=True)
    return json.loads(done.stdout)["raw_flush_us_p50"]


def start_turn(peer: type, folder: Path, _case: dict, _options) -> dict:
    server = peer(folder, {})
    figures = {}
    try:
        for directory in ("new", "existing"):
            figures[f"{directory}_seconds"] = server.start()
            server.stop()
        server.start_untouched()
        try:
            time.sleep(REST_SECONDS)
            figures["at_rest"] = peers.memory_mib(server.pid)
            if not server.answers():
                raise RuntimeError(f"{peer.__name__} does not answer")
            figures["after_first_client"] = peers.memory_mib(server.pid)
        finally:
            server.stop()
    finally:
        server.discard()
    return figures


def produce(server: peers.Peer, topic: str, size: int, count: int, warming: int) -> dict:
    """Sends `warming` records, then `count`; rates and latencies are of those, CPU is of all."""
    before = peers.cpu_seconds(server.pid)
    said = java_tool(
        "ProducerPerformance", "--bootstrap-server", server.bootstrap, "--topic", topic,
        "--num-records", warming + count, "--warmup-records", warming, "--record-size", size,
        "--throughput", -1, "--command-property", "acks=all",
    )
    per_second, average, middle, high = map(float, SENT.findall(said)[-1])
    used = peers.cpu_seconds(server.pid) - before
    return {"records": count, "records_per_second": per_second,
            "mb_per_second": per_second * size / MB,
            "average_ms": average, "p50_ms": middle, "p99_ms": high,
            "cpu_seconds_per_gb": used / ((warming + count) * size / 1e9)}


def consume(server: peers.Peer, topic: str, size: int, count: int) -> dict:
    before = peers.cpu_seconds(server.pid)
    said = java_tool(
        "ConsumerPerformance", "--bootstrap-server", server.bootstrap, "--topic", topic,
        "--num-records", count, "--timeout", 60_000, "--hide-header",
    )
    fields = [field.strip() for field in said.strip().splitlines()[-1].split(",")]
    got, fetch_seconds = int(fields[4]), int(fields[7]) / 1000
    used = peers.cpu_seconds(server.pid) - before
    return {"records": got, "mb_per_second": got * size / MB / fetch_seconds,
            "cpu_seconds_per_gb": used / (got * size / 1e9)}


def warm_up(server: peers.Peer, size: int, seconds: float) -> float:
    """The records that it takes in a second when it has been in use for a while."""
    topic = f"warm-{size}"
    rate = produce(server, topic, size, TRIAL_BYTES // size, 0)["records_per_second"]
    for _ in range(2):  # what was quick when it was cold is little
        count = max(int(rate * seconds / 2), 1)
        rate = max(rate, produce(server, topic, size, count, 0)["records_per_second"])
    consume(server, topic, size, count)
    return rate


def create_topic(server: peers.Peer, topic: str, partitions: int):
    subprocess.run(
        [peers.Ringlog.program, "topics", "--bootstrap-server", server.bootstrap, "--create",
         "--topic", topic, "--partitions", str(partitions), "--replication-factor", "1"],
        check=True, capture_output=True, timeout=60,
    )


def perf_turn(peer: type, folder: Path, case: dict, options) -> dict:
    size = case["record_bytes"]
    figures = {"raw_flush_us_p50": raw_flush_us(folder)}
    server = peer(folder, {})
    try:
        server.start()
        try:
            rate = warm_up(server, size, options.warm)
            for partitions in options.partitions:
                topic = f"perf-{size}-{partitions}"
                create_topic(server, topic, partitions)
                count = max(int(rate * options.seconds), 1)
                warming = int(rate * options.warm * CLIENT_WARM_SHARE)
                figures[f"{partitions} partitions"] = {
                    "produce": produce(server, topic, size, count, warming),
                    "consume": consume(server, topic, size, count),
                }
            figures |= peers.memory_mib(server.pid)
        finally:
            server.stop()
    finally:
        server.discard()
    return figures


def cases(options: argparse.Namespace, section: str) -> list[dict]:
    return [{}] if section == "start" else [{"record_bytes": size} for size in options.sizes]


SECTIONS = {"start": (start_turn, START_PEERS), "perf": (perf_turn, PERF_PEERS)}


def measure(options: argparse.Namespace, turns: list[dict]):
    """Adds a turn after the other; a caller that is interrupted has those so far."""
    for section in options.only:
        work, names = SECTIONS[section]
        chosen = [name for name in names if not options.peers or name in options.peers]
        for name in list(chosen):
            if why := peers.PEERS[name].missing():
                print(f"left out: {name}: {why}")
                chosen.remove(name)
        for case in cases(options, section):
            for repeat in range(options.repeats):
                for name in chosen:
                    folder = Path(tempfile.mkdtemp(prefix="ringlog-bench-", dir=options.folder))
                    try:
                        figures = work(peers.PEERS[name], folder, case, options)
                    finally:
                        shutil.rmtree(folder, ignore_errors=True)
                    turns.append({"section": section, "case": case, "peer": name,
                                  "durability": peers.PEERS[name].durability, "figures": figures})
                    print(f"{section} {case} {repeat + 1}/{options.repeats}: {name}: "
                          f"{json.dumps(figures)}", flush=True)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./x bench network", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(SECTIONS), default=list(SECTIONS))
    parser.add_argument("--peers", nargs="+", choices=list(peers.PEERS), help="instead of all")
    parser.add_argument("--repeats", type=int, default=5, help="turns of each server (5)")
    parser.add_argument("--seconds", type=float, default=10, help="of each measured run (10)")
    parser.add_argument("--warm", type=float, default=20, metavar="SECONDS",
                        help="of producing before a server is measured: Java compiles itself (20)")
    parser.add_argument("--sizes", type=int, nargs="+", default=[100, 1024], help="of records")
    parser.add_argument("--partitions", type=int, nargs="+", default=[1, 3])
    parser.add_argument("--folder", type=Path, default=Path.cwd(), help="on the disk to measure")
    parser.add_argument("--append", type=Path, metavar="FILE",
                        help="a results file of the same machine and build, to go on with")
    options = parser.parse_args()
    options.folder = options.folder.resolve()
    return options


def machine() -> dict:
    return {"cores": os.cpu_count(), "kernel": platform.release(), "load": os.getloadavg()}


def versions() -> dict:
    def first_line(*command: str | Path) -> str:
        done = subprocess.run(command, cwd=peers.TOP, capture_output=True, text=True)
        return (done.stdout + done.stderr).splitlines()[0]

    found = {"ringlog": first_line("git", "describe", "--always", "--dirty"),
             "kafka": "4.3.1", "java": first_line(peers.kafka_oracle.kafka_jars.java_command(),
                                                  "-version")}
    for peer in (peers.Nats, peers.Redis):
        if program := peer.find():
            found[peer.program] = first_line(program, "--version")
    return found


def main() -> None:
    options = arguments()
    wanted = int((1 + options.seconds) * WRITTEN_BYTES_PER_SECOND_MAX)
    if shutil.disk_usage(options.folder).free < wanted:
        raise SystemExit(f"{options.folder}: less than {wanted >> 30} GiB free")
    record = {"pieces": [], "turns": []}
    path = options.append or RESULTS / time.strftime("network-%Y%m%d-%H%M%S.json")
    if path.exists():
        record = json.loads(path.read_text())
    command = [word for word in sys.argv[1:] if word not in ("--append", str(options.append))]
    record["pieces"].append({"machine": machine(), "versions": versions(), "options": command})
    try:
        measure(options, record["turns"])
    finally:
        RESULTS.mkdir(exist_ok=True)
        path.write_text(json.dumps(record, indent=1) + "\n")
    print("\nmedian (minimum–maximum)\n")
    for section, table in TABLES.items():
        if made := [turn for turn in record["turns"] if turn["section"] == section]:
            print("\n".join(table(made)), "\n")
    print(f"all figures: bench/results/{path.name}")


if __name__ == "__main__":
    main()
