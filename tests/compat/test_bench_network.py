"""bench/network runs: our server's start and memory, and Kafka's performance tools against it."""

import json
import subprocess
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]


def test_it_runs(kafka_class_path, tmp_path):
    results, folder = tmp_path / "results.json", tmp_path / "logs"
    folder.mkdir()
    done = subprocess.run(
        [sys.executable, str(TOP / "bench" / "network" / "network.py"), "--peers", "ringlog",
         "--repeats", "1", "--seconds", "0.1", "--warm", "0.1", "--sizes", "1024",
         "--partitions", "3",
         "--folder", str(folder), "--append", str(results)],
        capture_output=True, text=True, timeout=280,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    start, perf = (turn["figures"] for turn in json.loads(results.read_text())["turns"])
    sent, received = perf["3 partitions"]["produce"], perf["3 partitions"]["consume"]
    assert start["new_seconds"] > 0 and start["existing_seconds"] > 0
    assert 0 < start["at_rest"]["pss_mib"] <= start["at_rest"]["rss_mib"]
    assert received["records"] >= sent["records"] > 0
    assert sent["mb_per_second"] > 0 and received["mb_per_second"] > 0
    assert "| 1024 B | 3 | ringlog | fsync before each acknowledgement |" in done.stdout
    assert list(folder.iterdir()) == []
