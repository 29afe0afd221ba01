"""Real DumpLogSegments finds no fault in any file that our storage writes."""

import os
import re
import subprocess
from pathlib import Path

import kafka_oracle
import pytest

TOP = Path(__file__).resolve().parents[2]
KNOWN = (".log", ".index", ".timeindex", ".txnindex", ".snapshot")


@pytest.fixture(scope="module")
def samples(tmp_path_factory) -> tuple[Path, dict[str, int]]:
    """The sample directory and how many records each of its partitions has."""
    build = Path(os.environ.get("RINGLOG_BUILD", TOP / "build"))
    program = build / "tests" / "cpp" / "write_samples"
    if not program.exists():
        pytest.fail(f"{program} is missing: run ./x build first")
    directory = tmp_path_factory.mktemp("samples") / "log"
    done = subprocess.run(
        [program, directory], check=True, capture_output=True, text=True, timeout=120
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    return directory, {name: int(count) for name, count in lines}


def files_of(directory: Path, *suffixes: str) -> list[Path]:
    return sorted(
        file
        for file in directory.glob("*/*")
        if file.suffix in suffixes and file.stat().st_size > 0
    )


def test_no_fault_in_any_file(kafka_class_path, samples):
    directory, counts = samples
    files = files_of(directory, *KNOWN)
    assert {file.suffix for file in files} == set(KNOWN)
    dump = kafka_oracle.dump_log_segments(files, "--deep-iteration", "--print-data-log")
    # "replicated" has gaps between its batches on purpose; the tool counts from -1 in each file.
    gap = re.compile(r"Non-consecutive offsets in |^ +-?\d+ is followed by ")
    assert [line for line in kafka_oracle.dump_faults(dump) if not gap.search(line)] == []
    records = {name: 0 for name in counts}
    name = ""
    for line in dump.splitlines():
        if line.startswith("Dumping "):
            name = Path(line.removeprefix("Dumping ")).parent.name
        elif line.startswith("| offset: "):
            records[name] += 1
    # What lies below the log start is still in the first segment of "retained".
    assert records.pop("retained-0") >= counts.pop("retained-0")
    assert records == counts


def test_indexes_pass_the_sanity_check(kafka_class_path, samples):
    directory, _ = samples
    indexes = files_of(directory, ".index", ".timeindex")
    dump = kafka_oracle.dump_log_segments(indexes, "--index-sanity-check")
    assert kafka_oracle.dump_faults(dump) == []
    assert dump.count("passed sanity check") == len(indexes)
    dump = kafka_oracle.dump_log_segments(indexes, "--verify-index-only")
    assert kafka_oracle.dump_faults(dump) == []
