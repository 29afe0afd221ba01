"""The golden log directories of Kafka 4.3.1 and what a reader must see in them.

They lie in the shared folder (RINGLOG_SHARED, or ../shared beside the repository). `which` is
"clean", "killed" or "torn"; tests/cpp/golden.h is the same for C++.
"""

import json
import os
import subprocess
from pathlib import Path

UNPACK_SECONDS_MAX = 60


class GoldenMissing(RuntimeError):
    """There is no shared folder on this machine."""


def folder() -> Path:
    """The golden folder; raises GoldenMissing where there is none."""
    repository = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("RINGLOG_SHARED") or repository.parent / "shared")
    if not (shared / "golden" / "README.md").exists():
        raise GoldenMissing(f"no golden data at {shared / 'golden'} (set RINGLOG_SHARED)")
    return shared / "golden"


def unpack(which: str, into) -> Path:
    """Unpack an archive below `into` and return the log directory; index files stay sparse."""
    archive = folder() / f"kafka-4.3.1-{which}.tar.zst"
    Path(into).mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["tar", "-I", "zstd", "-C", str(into), "-xSf", str(archive)],
        check=True,
        timeout=UNPACK_SECONDS_MAX,
    )
    return Path(into) / "data"


def settings() -> dict[str, str]:
    """The broker settings under which the directories were written, without addresses."""
    lines = (folder() / "server.properties").read_text().splitlines()
    pairs = dict(line.split("=", 1) for line in lines if "=" in line)
    return {
        name: value
        for name, value in pairs.items()
        if not any(
            word in name for word in ("listener", "quorum", "log.dirs", "process.roles", "node.id")
        )
    }


def text(which: str, name: str) -> str:
    """One expected file as text, e.g. `text("clean", "index.txt")`."""
    return (folder() / "expected" / which / name).read_text()


def lines(which: str, name: str) -> list[dict]:
    """One expected file of JSON lines, e.g. records.jsonl, offsets_for_times.jsonl."""
    return [json.loads(line) for line in text(which, name).splitlines()]


def document(which: str, name: str):
    """One expected JSON file, e.g. topics.json, offsets.json, producers.json."""
    return json.loads(text(which, name))


def records(which: str, isolation: str = "read_uncommitted") -> dict[tuple[str, int], list[dict]]:
    """Expected records by (topic, partition), in offset order.

    read_committed differs only for topics whose name holds "txn" or "foreign".
    """
    answer: dict[tuple[str, int], list[dict]] = {}
    plain = lines(which, "records.jsonl")
    if isolation == "read_committed":
        plain = [record for record in plain if not has_transactions(record["topic"])]
        plain += lines(which, "records.read_committed.jsonl")
    for record in plain:
        answer.setdefault((record["topic"], record["partition"]), []).append(record)
    for found in answer.values():
        found.sort(key=lambda record: record["offset"])
    return answer


def has_transactions(topic: str) -> bool:
    """True for the topics that are listed in records.read_committed.jsonl."""
    return "txn" in topic or "foreign" in topic
