"""The rows of bench/durable and how their figures become tables."""

import statistics
from dataclasses import dataclass, field

KIB, MIB = 1 << 10, 1 << 20
CONTENDERS = ["ringlog", "sqlite", "lmdb", "rocksdb"]
PARTITIONS = [1, 100, 1_000, 10_000]
JOURNAL_BYTES_MAX = 256 * MIB  # of an embedded log


@dataclass(frozen=True)
class Row:
    section: str
    name: str
    turn: str  # of ringlog_bench_durable
    given: dict = field(default_factory=dict)  # its parameters


def raw_rows(blocks_and_depths) -> list[Row]:
    rows = []
    for block, depth in blocks_and_depths:
        how = f"io_uring, depth {depth}" if depth else "blocking pwritev2"
        name = f"{block // KIB} KiB, {how}"
        rows.append(Row("raw", name, "raw_write", {"block": block, "depth": depth}))
    return rows


def log_rows(blocks_and_depths) -> list[Row]:
    """The log with batches that fill a block, beside the raw loop at the same size and depth."""
    rows = []
    for block, depth in blocks_and_depths:
        given = {"contender": "ringlog", "record": 1024, "records": 0, "batch_bytes": block}
        name = f"{block // KIB} KiB × {depth}"
        rows.append(Row("log", f"raw {name}", "raw_write", {"block": block, "depth": depth}))
        rows.append(Row("log", f"log {name}", "batches", given | {"in_flight": depth}))
    return rows


def journal_rows(blocks_and_depths) -> list[Row]:
    """The journal without segments, beside the raw loop at the same block size and depth."""
    rows = []
    for block, depth in blocks_and_depths:
        given = {"block": block, "depth": depth}
        name = f"{block // KIB} KiB × {depth}"
        rows.append(Row("journal", f"raw {name}", "raw_write", given))
        rows.append(Row("journal", f"journal {name}", "journal", given))
    return rows


def partition_rows(counts) -> list[Row]:
    given = {"record": 1024, "records": 16, "in_flight_bytes": 32 * MIB}
    return [
        Row("partitions", f"{count:,} {mode}", "partitions", given | {"mode": mode} | {
            "partitions": count
        })
        for mode in ("batches", "records")
        for count in counts
    ]


def store_rows() -> list[Row]:
    rows = [
        Row("single", name, "single", {"contender": name, "record": 100}) for name in CONTENDERS
    ]
    batch = {"record": 100, "records": 1000, "in_flight": 16}
    for name in ["ringlog", "ringlog-producer", *CONTENDERS[1:]]:
        rows.append(Row("batches", name, "batches", {"contender": name} | batch))
    return rows


def reopen_rows(counts) -> list[Row]:
    given = {"record": 1024, "records": 16, "in_flight_bytes": 32 * MIB}
    rows = [
        Row("reopen", f"{count:,} partitions after {stop}, cache {cache}", "reopen", given | {
            "partitions": count, "stop": stop, "cache": cache
        })
        for count in counts
        for stop in ("kill", "clean")
        for cache in ("kept", "dropped")
    ]
    return [Row("reopen", "raw read", "raw_read"), *rows]


def all_rows(partitions: list[int]) -> list[Row]:
    blocks = [(block * KIB, depth) for block in (4, 64, 256) for depth in (1, 16)]
    return [
        *raw_rows([(4 * KIB, 0), *blocks]),
        *store_rows(),
        *journal_rows([(4 * KIB, 1), *blocks[2:]]),
        *log_rows([(64 * KIB, 1), (256 * KIB, 1), (64 * KIB, 16), (256 * KIB, 16)]),
        *partition_rows(partitions),
        *reopen_rows([count for count in partitions if count != 100]),
    ]


def smoke_rows() -> list[Row]:
    """A row of each kind, small: shows that the benchmark runs."""
    return [
        *raw_rows([(4 * KIB, 0), (64 * KIB, 16)]),
        *store_rows(),
        *journal_rows([(64 * KIB, 16)]),
        *log_rows([(64 * KIB, 16)]),
        *partition_rows([1, 4]),
        *reopen_rows([4]),
    ]


def slow_rows(rows: list[Row]) -> list[Row]:
    """What is repeated on the disk with the slow flush: the floor, P4, P5, P9."""
    wanted = ("raw", "single", "batches", "partitions")
    return [row for row in rows if row.section in wanted]


# --- tables: (heading, key of the figure, factor, digits) ---------------------------------------

COLUMNS = {
    "raw": [
        ("µs p50", "write_us_p50", 1, 1),
        ("µs p99", "write_us_p99", 1, 1),
        ("writes/s", "records_per_second", 1, 0),
        ("MB/s", "mb_per_second", 1, 0),
        ("CPU-s per GB", "cpu_seconds_per_gb", 1, 2),
    ],
    "single": [
        ("µs p50", "record_us_p50", 1, 1),
        ("µs p99", "record_us_p99", 1, 1),
        ("µs p99.9", "record_us_p999", 1, 1),
        ("p50 ÷ raw flush p50", "over_raw_flush", 1, 2),
        ("system calls per record", "system_calls_per_operation", 1, 1),
    ],
    "batches": [
        ("records/s, thousands", "records_per_second", 1e-3, 0),
        ("MB/s", "mb_per_second", 1, 0),
        ("CPU-s per GB", "cpu_seconds_per_gb", 1, 2),
        ("system calls per MB", "system_calls_per_mb", 1, 1),
        ("batches", "operations", 1, 0),
        ("memory MiB", "memory_bytes_max", 1 / MIB, 0),
    ],
    "log": [
        ("MB/s", "mb_per_second", 1, 0),
        ("÷ raw", "over_raw", 1, 2),
        ("CPU-s per GB", "cpu_seconds_per_gb", 1, 2),
        ("system calls per MB", "system_calls_per_mb", 1, 1),
    ],
    "journal": [
        ("µs p50", "write_us_p50", 1, 1),
        ("MB/s", "mb_per_second", 1, 0),
        ("÷ raw", "over_raw", 1, 2),
        ("CPU-s per GB", "cpu_seconds_per_gb", 1, 2),
        ("system calls per MB", "system_calls_per_mb", 1, 1),
    ],
    "partitions": [
        ("MB/s", "mb_per_second", 1, 0),
        ("loss against 1 partition, %", "loss_percent", 1, 0),
        ("batches per MB", "batches_per_mb", 1, 1),
        ("CPU-s per GB", "cpu_seconds_per_gb", 1, 2),
        ("system calls per MB", "system_calls_per_mb", 1, 1),
        ("memory MiB", "memory_bytes", 1 / MIB, 0),
        ("descriptors", "descriptors", 1, 0),
        ("close s", "close_seconds", 1, 2),
    ],
    "reopen": [
        ("MB/s", "mb_per_second", 1, 0),
        ("filled MiB", "filled_bytes", 1 / MIB, 0),
        ("open ms", "open_ms", 1, 1),
        ("first read ms", "first_read_ms", 1, 1),
        ("target ms", "target_ms", 1, 0),
        ("first durable write ms", "first_write_ms", 1, 1),
        ("memory MiB", "memory_bytes", 1 / MIB, 0),
        ("descriptors", "descriptors", 1, 0),
        ("clean close s", "close_seconds", 1, 2),
    ],
}
RAW_FLUSH = ("raw flush µs p50", "raw_flush_us_p50", 1, 1)
TITLES = {
    "raw": "Floor: durable writes into a prewritten file (O_DIRECT, RWF_DSYNC)",
    "single": "P4: one record of 100 B, durable, one caller",
    "batches": "P5: durable batches of 1,000 records of 100 B, one partition",
    "journal": "Journal alone beside the raw loop at the same block size and depth",
    "log": "Log beside the raw loop at the same block size and depth, records of 1 KiB",
    "partitions": "P9: records of 1 KiB, uniform over partitions, 32 MiB in flight",
    "reopen": "P10: opening what a process left",
}


def measured(turn: dict) -> bool:
    return not {"skipped", "failed"} & turn["figures"].keys()


def derive(turns: list[dict]) -> None:
    """Adds the ratios to each turn, from turns of the same repeat on the same device."""

    def same_round(turn: dict, row: str) -> dict | None:
        keys = ("repeat", "device", "section")
        found = [
            other for other in turns
            if other["row"] == row and all(other[key] == turn[key] for key in keys)
        ]
        return found[0]["figures"] if found and measured(found[0]) else None

    for turn in turns:
        figures = turn["figures"]
        if not measured(turn):
            continue
        if turn["section"] == "single":
            figures["over_raw_flush"] = figures["record_us_p50"] / figures["raw_flush_us_p50"]
        elif turn["section"] in ("log", "journal") and turn["row"].startswith(turn["section"]):
            raw = same_round(turn, turn["row"].replace(turn["section"], "raw"))
            if raw:
                figures["over_raw"] = figures["mb_per_second"] / raw["mb_per_second"]
        elif turn["section"] == "partitions":
            one = same_round(turn, "1 " + turn["given"]["mode"])
            if one:
                kept = figures["mb_per_second"] / one["mb_per_second"]
                figures["loss_percent"] = 100 * (1 - kept)
        elif turn["section"] == "reopen" and turn["given"].get("stop") == "kill":
            raw = same_round(turn, "raw read")
            journal_mb = min(figures["filled_bytes"], JOURNAL_BYTES_MAX) / 1e6
            if raw:
                figures["target_ms"] = 1000 * (journal_mb / raw["mb_per_second"] + 1)


def cell(turns: list[dict], key: str, factor: float, digits: int) -> str:
    figures = sorted(t["figures"][key] * factor for t in turns if key in t["figures"])
    if not figures:
        return ""
    low, middle, high = figures[0], statistics.median(figures), figures[-1]
    text = f"{middle:,.{digits}f}"
    return text if len(figures) == 1 else f"{text} ({low:,.{digits}f}–{high:,.{digits}f})"


def table(section: str, turns: list[dict]) -> str:
    columns = [*COLUMNS[section], RAW_FLUSH]
    lines = [
        "| | " + " | ".join(column[0] for column in columns) + " |",
        "| --- |" + " --- |" * len(columns),
    ]
    for name in dict.fromkeys(turn["row"] for turn in turns):
        mine = [turn for turn in turns if turn["row"] == name]
        reasons = {word: t["figures"][word] for t in mine for word in ("skipped", "failed")
                   if word in t["figures"]}
        if reasons:
            [(word, why), *_] = reasons.items()
            cells = [f"{word}: {why.splitlines()[0][:80]}"] + [""] * (len(columns) - 1)
        else:
            cells = [cell(mine, *column[1:]) for column in columns]
        lines.append("| " + " | ".join([name, *cells]) + " |")
    return "\n".join(lines)


def tables(turns: list[dict]) -> str:
    parts = []
    for device in dict.fromkeys(turn["device"] for turn in turns):
        for section, title in TITLES.items():
            mine = [t for t in turns if t["device"] == device and t["section"] == section]
            if mine:
                where = "" if device == "disk" else f"; {device}"
                parts.append(f"### {title}{where}\n\n{table(section, mine)}")
    return "\n\n".join(parts)
