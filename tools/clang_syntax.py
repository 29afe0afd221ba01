"""Compiles with clang 16 (-fsyntax-only, all warnings as errors) every source of a build folder.

Usage: clang_syntax.py BUILD_FOLDER JOBS
"""

import json
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

# Warnings of g++ that clang does not know by name must not stop it.
CLANG = ["clang++-16", "-Wno-unknown-warning-option", "-fsyntax-only"]
DROPPED = {"-c", "-MD", "-fno-fat-lto-objects"}
DROPPED_WITH_VALUE = {"-o", "-MT", "-MF"}


def syntax_command(command: str) -> list[str]:
    """The compile command of one source, for clang, with its outputs taken out."""
    words = shlex.split(command)
    compiler = next(i for i, word in enumerate(words) if "++" in Path(word).name)
    kept = []
    rest = iter(words[compiler + 1 :])
    for word in rest:
        if word in DROPPED_WITH_VALUE:
            next(rest)
        elif word not in DROPPED and not word.startswith("-flto"):
            kept.append(word)
    return CLANG + kept


def main(build_folder: str, jobs: str) -> int:
    entries = json.loads((Path(build_folder) / "compile_commands.json").read_text())
    entries = [entry for entry in entries if entry["file"].endswith((".cc", ".cpp"))]
    if not entries:
        print(f"{build_folder} has no C++ source to check")
        return 1

    def check(entry: dict) -> str:
        done = subprocess.run(
            syntax_command(entry["command"]),
            cwd=entry["directory"],
            capture_output=True,
            text=True,
            timeout=300,
        )
        return done.stderr if done.returncode else ""

    with ThreadPoolExecutor(int(jobs)) as pool:
        faults = [fault for fault in pool.map(check, entries) if fault]
    print("".join(faults), end="")
    print(f"clang: {len(entries)} sources, {len(faults)} with faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:3]))
