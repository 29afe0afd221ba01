"""Tables of what network.py measured: medians with minimum and maximum."""

import statistics
from itertools import product


def spread(values: list[float], digits: int) -> str:
    middle = statistics.median(values)
    return f"{middle:,.{digits}f} ({min(values):,.{digits}f}–{max(values):,.{digits}f})"


def names(turns: list[dict]) -> list[str]:
    return list(dict.fromkeys(turn["peer"] for turn in turns))


def of(turns: list[dict], name: str) -> list[dict]:
    return [turn["figures"] for turn in turns if turn["peer"] == name]


def start_table(turns: list[dict]) -> list[str]:
    lines = ["| server | start on a new folder, ms | on an existing one, ms | at rest, RSS MiB | "
             "PSS | after the first client, RSS MiB | PSS |", "| --- " * 7 + "|"]
    for name in names(turns):
        mine = of(turns, name)
        cells = [spread([one[key] * 1000 for one in mine], 1)
                 for key in ("new_seconds", "existing_seconds")]
        cells += [spread([one[when][what] for one in mine], 1)
                  for when in ("at_rest", "after_first_client") for what in ("rss_mib", "pss_mib")]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return lines


PERF_COLUMNS = {  # title: (work, figure, digits)
    "produce MB/s": ("produce", "mb_per_second", 1),
    "p50 ms": ("produce", "p50_ms", 0),
    "p99 ms": ("produce", "p99_ms", 0),
    "CPU-s per GB": ("produce", "cpu_seconds_per_gb", 1),
    "consume MB/s": ("consume", "mb_per_second", 1),
    "consume CPU-s per GB": ("consume", "cpu_seconds_per_gb", 1),
}


def perf_table(turns: list[dict]) -> list[str]:
    titles = ["record", "partitions", "server", "durability", *PERF_COLUMNS, "RSS after, MiB",
              "raw flush, µs"]
    lines = [f"| {' | '.join(titles)} |", "| --- " * len(titles) + "|"]
    for size in sorted({turn["case"]["record_bytes"] for turn in turns}):
        here = [turn for turn in turns if turn["case"]["record_bytes"] == size]
        cases = [key for key in here[0]["figures"] if key.endswith(" partitions")]
        for case, name in product(cases, names(here)):
            mine = of(here, name)
            (durability,) = {turn["durability"] for turn in here if turn["peer"] == name}
            cells = [f"{size} B", case.split()[0], name, durability]
            cells += [spread([one[case][work][what] for one in mine], digits)
                      for work, what, digits in PERF_COLUMNS.values()]
            cells += [spread([one["rss_mib"] for one in mine], 0)]
            flushes = [one["raw_flush_us_p50"] for one in mine if one["raw_flush_us_p50"]]
            cells += [spread(flushes, 0) if flushes else "–"]
            lines.append(f"| {' | '.join(cells)} |")
    return lines


TABLES = {"start": start_table, "perf": perf_table}
