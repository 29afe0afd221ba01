"""bench/durable runs: every kind of turn once, for a moment, with plausible figures."""

import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).resolve().parents[2]


def test_smoke(tmp_path):
    program = TOP / "build" / "bench" / "durable" / "ringlog_bench_durable"
    if not program.exists():
        pytest.skip("ringlog_bench_durable is not built")
    command = [sys.executable, str(TOP / "bench" / "durable" / "durable.py"), "--smoke"]
    done = subprocess.run(
        [*command, "--folder", str(tmp_path)], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    rows = [line for line in done.stdout.splitlines() if line.startswith("| ")]
    for name in ("blocking pwritev2", "ringlog", "log 64 KiB", "4 batches", "4 records"):
        figures = [line for line in rows if name in line]
        assert figures and not any("skipped" in line for line in figures), name
    for stop in ("kill", "clean"):
        for cache in ("kept", "dropped"):
            [line] = [line for line in rows if f"after {stop}, cache {cache}" in line]
            first_read_ms = float(line.split("|")[5].replace(",", ""))
            assert 0 < first_read_ms < 10_000
    assert list(tmp_path.iterdir()) == []
