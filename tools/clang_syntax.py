"""Compiles with clang 16 (-fsyntax-only, all warnings as errors) the sources of a build folder.

Usage: clang_syntax.py BUILD_FOLDER JOBS [CLANG_BUILD_FOLDER]

Sources that CLANG_BUILD_FOLDER, a build made by clang itself, compiles too are left out.
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


def sources_of(build_folder: str) -> dict[str, dict]:
    """source file -> its entry of compile_commands.json; generated sources by their name alone."""
    folder = Path(build_folder).resolve()
    entries = json.loads((folder / "compile_commands.json").read_text())
    return {entry["file"].removeprefix(str(folder)): entry for entry in entries}


def main(build_folder: str, jobs: str, clang_build_folder: str | None = None) -> int:
    sources = sources_of(build_folder)
    if not sources:
        print(f"{build_folder} has no C++ source to check")
        return 1
    compiled = sources_of(clang_build_folder) if clang_build_folder else {}
    entries = [entry for file, entry in sources.items() if file not in compiled]

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
    others = len(sources) - len(entries)
    print(f"clang: {len(entries)} sources, {len(faults)} with faults; {others} compiled elsewhere")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
