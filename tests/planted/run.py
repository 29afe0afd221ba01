"""Plants each bug of bugs.py in a copy of the tree, builds what its check needs, and runs that.

A check that still passes has missed the bug: it is called a survivor, and the exit status is 1.
The copy and its build folder stay in build/planted, so that a second round compiles little.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

from bugs import BUGS, Bug

TOP = Path(__file__).resolve().parents[2]
FOLDER = TOP / "build" / "planted"
TREE = FOLDER / "tree"
BUILD = FOLDER / "build"
HARNESSES = ("storage", "broker")
CHECK_SECONDS_MAX = 300
LEFT_OVER = ("unused-parameter", "unused-variable", "unused-but-set-variable", "unused-function")
SEED = "1"


def copy_tree() -> None:
    TREE.mkdir(parents=True, exist_ok=True)
    tracked = subprocess.run(
        ["git", "ls-files", "-z", "--", "."], cwd=TOP, check=True, capture_output=True
    ).stdout.split(b"\0")
    names = set(filter(None, map(os.fsdecode, tracked)))
    for file in TREE.rglob("*"):  # that was removed since an earlier round
        if file.is_file() and str(file.relative_to(TREE)) not in names:
            file.unlink()
    for name in names:
        source, target = TOP / name, TREE / name
        if not source.is_file():
            continue
        content = source.read_bytes()
        if target.is_file() and target.read_bytes() == content:
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        target.chmod(source.stat().st_mode)


def targets_of(checks: set[str]) -> list[str]:
    programs = {check.split()[0] for check in checks}
    return sorted({"simulate" if name in HARNESSES else name for name in programs})


def compile_targets(targets: list[str], jobs: int) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["ninja", "-C", str(BUILD), "-j", str(jobs), *targets], capture_output=True, text=True
    )


def command_of(check: str, jobs: int) -> list[str]:
    program, rest = check.split(maxsplit=1)
    if program in HARNESSES:
        simulate = str(BUILD / "tests" / "sim" / "simulate")
        return [simulate, rest, "--seed", SEED, "--only", program, "--jobs", str(jobs)]
    return [str(BUILD / "tests" / "cpp" / program), f"--gtest_filter={rest}"]


def fails(check: str, jobs: int) -> bool:
    try:
        outcome = subprocess.run(
            command_of(check, jobs), capture_output=True, cwd=TREE, timeout=CHECK_SECONDS_MAX
        )
    except subprocess.TimeoutExpired:
        return True
    return outcome.returncode != 0


def plant(bug: Bug, jobs: int) -> str:
    """Killed, survived, or why it could not be planted."""
    file = TREE / bug.file
    original = file.read_text()
    if original.count(bug.text) != 1:
        return "its text does not stand there exactly once"
    file.write_text(original.replace(bug.text, bug.planted))
    try:
        built = compile_targets(targets_of({bug.check}), jobs)
        if built.returncode != 0:
            return "does not compile:\n" + built.stdout[-2000:]
        return "killed" if fails(bug.check, jobs) else "SURVIVED"
    finally:
        file.write_text(original)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", help="parts of the names of the bugs to plant")
    given = parser.parse_args()
    chosen = [
        bug for bug in BUGS if not given.names or any(name in bug.name for name in given.names)
    ]
    copy_tree()
    subprocess.run(
        ["cmake", "--log-level=WARNING", "-G", "Ninja", "-S", str(TREE), "-B", str(BUILD)]
        + ["-DCMAKE_CXX_FLAGS=" + " ".join(f"-Wno-error={kind}" for kind in LEFT_OVER)],
        check=True,
    )
    checks = {bug.check for bug in chosen}
    whole = compile_targets(targets_of(checks), given.jobs)
    if whole.returncode != 0:
        print(whole.stdout[-4000:])
        return 2
    for check in sorted(checks):
        if fails(check, given.jobs):
            print(f"without any bug, '{check}' fails", flush=True)
            return 2
    missed = []
    for bug in chosen:
        start = time.monotonic()
        outcome = plant(bug, given.jobs)
        print(f"{outcome:>9}  {time.monotonic() - start:4.0f} s  {bug.name}  ({bug.check})")
        sys.stdout.flush()
        if outcome != "killed":
            missed.append(bug.name)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} bugs killed")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
