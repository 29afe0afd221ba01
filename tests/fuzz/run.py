"""Runs every fuzzer of this folder for some seconds; the canary must fail, all others must not.

Usage: run.py BUILD_FOLDER SECONDS [NAME...]

A fuzzer may name its seeds in a comment line, `// seeds: *.log *.index`: files of the golden Kafka
directories (in RINGLOG_SHARED) whose names match, cut to 16 KiB; recorded frames are there as
Fetch-18.request and Fetch-18.response. What a fuzzer finds is written to
BUILD_FOLDER/fuzzers/<name>-<crash>; run the program with that file to see it again.
"""

import json
import os
import random
import re
import subprocess
import sys
import tarfile
from concurrent.futures import ThreadPoolExecutor
from fnmatch import fnmatch
from pathlib import Path

HERE = Path(__file__).parent
CANARY = "canary_fuzz"
SEED_BYTES_MAX = 16 * 1024
SEEDS_PER_FUZZER_MAX = 200


def golden_files() -> list[tuple[str, bytes]]:
    """The (name, first bytes) of every file of the clean golden directory; none without it."""
    archive = Path(os.environ.get("RINGLOG_SHARED", "")) / "golden/kafka-4.3.1-clean.tar.zst"
    if not archive.is_file():
        return []
    unpacked = subprocess.Popen(["zstd", "-dcq", str(archive)], stdout=subprocess.PIPE)
    files = []
    with tarfile.open(fileobj=unpacked.stdout, mode="r|") as tar:
        for member in tar:
            if member.isfile():
                files.append((Path(member.name).name, tar.extractfile(member).read(SEED_BYTES_MAX)))
    unpacked.wait()
    return files + golden_frames()


def golden_frames() -> list[tuple[str, bytes]]:
    """A request and a response of each API and version; four bytes before a response say which."""
    found = {}
    for file in sorted((Path(os.environ["RINGLOG_SHARED"]) / "golden/frames").glob("*.jsonl")):
        for frame in map(json.loads, file.read_text().splitlines()):
            name = f"{frame.get('api_name')}-{frame['api_version']}"
            request = bytes.fromhex(frame["request_hex"])
            found[f"{name}.request"] = request
            if frame["response_hex"] is not None:
                found[f"{name}.response"] = request[:4] + bytes.fromhex(frame["response_hex"])
    return list(found.items())


def write_seeds(source: Path, folder: Path, files: list[tuple[str, bytes]]) -> int:
    """Writes the seeds that `source` asks for; returns how many."""
    line = re.search(r"^// seeds: (.+)$", source.read_text(), re.MULTILINE)
    patterns = line.group(1).split() if line else []
    # A pattern that no golden file matches is a mistake, not a choice.
    unmatched = [p for p in patterns if files and not any(fnmatch(name, p) for name, _ in files)]
    if unmatched:
        raise SystemExit(f"{source.name}: no golden file matches {unmatched}")
    wanted = {data for name, data in files if data and any(fnmatch(name, p) for p in patterns)}
    for i, data in enumerate(sorted(wanted, key=len)[:SEEDS_PER_FUZZER_MAX]):
        (folder / f"golden-{i}").write_bytes(data)
    return min(len(wanted), SEEDS_PER_FUZZER_MAX)


def run(source: Path, build: Path, seconds: int, seed: int, files) -> str:
    """Runs one fuzzer; returns what is wrong with its outcome, or nothing."""
    name = source.stem
    program = build / "fuzzers" / name
    if not program.is_file():
        return f"{name}: not built ({program})"
    corpus = build / "fuzzers" / f"corpus-{name}"
    corpus.mkdir(exist_ok=True)
    seeds = write_seeds(source, corpus, files)
    options = [
        f"-max_total_time={seconds}",
        f"-seed={seed}",
        f"-max_len={SEED_BYTES_MAX}",
        "-timeout=10",
        "-rss_limit_mb=1024",
        f"-artifact_prefix={build}/fuzzers/{name}-",
    ]
    done = subprocess.run(
        [str(program), *options, str(corpus)],
        capture_output=True,
        text=True,
        errors="replace",
        timeout=seconds + 120,
    )
    ended = re.findall(r"^Done (\d+) runs", done.stderr, re.MULTILINE)
    if name == CANARY:
        found = "heap-buffer-overflow" in done.stderr
        print(f"{name}: {'failed, as it must' if found else 'DID NOT FAIL'}")
        return "" if found else f"{name} did not fail: no alarm works\n{done.stderr[-2000:]}"
    if done.returncode != 0 or not ended:
        print(f"{name}: FAILED")
        return f"{name} failed with {done.returncode}\n{done.stderr[-6000:]}"
    print(f"{name}: {ended[0]} runs, {seeds} golden seeds")
    return ""


def main() -> int:
    build, seconds, names = Path(sys.argv[1]).resolve(), int(sys.argv[2]), sys.argv[3:]
    seed = int(os.environ.get("RINGLOG_SEED", random.randrange(1, 2**31)))
    sources = sorted(HERE.glob("*_fuzz.cc"))
    sources = [s for s in sources if not names or s.stem in names or s.stem == CANARY]
    files = golden_files()
    print(f"{len(sources)} fuzzers, {seconds} s each, RINGLOG_SEED={seed}")
    with ThreadPoolExecutor(2) as pool:
        faults = list(pool.map(lambda s: run(s, build, seconds, seed, files), sources))
    faults = [fault for fault in faults if fault]
    print("\n".join(faults), end="")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
