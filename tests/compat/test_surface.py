"""What kafka-python 2.x and 3.x offer, held against what `import kafka` offers as ringlog.

Names by module, parameters and their defaults, classes above a class, fields of tuples, values of
enums, options and their defaults. Every difference stands in surface_differences.txt with its
reason, and every line there still differs.
"""

import json
import os
import subprocess
import sys
from fnmatch import fnmatchcase
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
CACHE = HERE.parents[1] / ".cache" / "kafka-python"
VERSIONS = {"2": "2.3.2", "3": "3.0.11"}
SECONDS_MAX = 300

#: How kafka-python is put together inside; nobody asks for these.
INSIDE = {"ABC", "EnumHelper", "ReprEnum", "Object"}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS_MAX)
    assert done.returncode == 0, done.stderr
    return done.stdout


def released(version):
    """The folder where that kafka-python stands, installed at the first use."""
    folder = CACHE / version
    if not (folder / "kafka").exists():
        made = CACHE / f".{version}.{os.getpid()}"
        package = f"kafka-python=={version}"
        run(sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", made, package)
        made.rename(folder)
    return folder


@pytest.fixture(scope="module", params=VERSIONS)
def line(request):
    return request.param


@pytest.fixture(scope="module")
def found(line, tmp_path_factory):
    """{place: what differs there}."""
    program = str(HERE / "kafka_surface.py")
    theirs = run(sys.executable, "-I", program, str(released(VERSIONS[line])))
    given = tmp_path_factory.mktemp("surface") / "theirs.json"
    given.write_text(theirs)
    ours = run(sys.executable, program, "--ringlog", str(given))
    return dict(differences(json.loads(theirs), json.loads(ours)))


@pytest.fixture(scope="module")
def listed(line):
    """[(pattern, reason)] of the lines for this version."""
    table = []
    for row in (HERE / "surface_differences.txt").read_text().splitlines():
        if row and not row.startswith("#"):
            lines, pattern, reason = row.split(None, 2)
            assert reason.strip(), row
            if line in lines.split(","):
                table.append((pattern, reason))
    return table


def test_every_difference_has_its_reason(found, listed):
    unlisted = {
        place: what
        for place, what in found.items()
        if not any(fnmatchcase(place, pattern) for pattern, _ in listed)
    }
    assert not unlisted, "\n".join(f"{place}: {what}" for place, what in unlisted.items())


def test_what_is_listed_still_differs(found, listed):
    stale = [
        pattern for pattern, _ in listed if not any(fnmatchcase(place, pattern) for place in found)
    ]
    assert not stale


def differences(theirs, ours):
    for module, names in theirs.items():
        if module not in ours:
            yield module, "there is no such module"
            continue
        for name, entry in names.items():
            yield from compare(f"{module}:{name}", entry, ours[module].get(name))


def compare(place, theirs, ours):
    if ours is None:
        yield place, "missing"
    elif theirs["kind"] == "class" and ours["kind"] == "class":
        yield from compare_classes(place, theirs, ours)
    elif "parameters" in theirs and "parameters" in ours:
        yield from compare_parameters(place, theirs["parameters"], ours["parameters"])
    elif theirs["kind"] != ours["kind"]:
        yield place, f"{theirs['kind']}, here {ours['kind']}"
    elif isinstance(theirs.get("value"), dict):
        for key, value in theirs["value"].items():
            if key not in ours["value"]:
                yield f"{place}.{key}", "missing"
            elif ours["value"][key] != value:
                yield f"{place}.{key}", f"{value}, here {ours['value'][key]}"
    elif theirs.get("value") != ours.get("value"):
        yield place, f"{theirs.get('value')}, here {ours.get('value')}"


def compare_classes(place, theirs, ours):
    if "bases" not in theirs:
        return
    above = {*ours["bases"], *INSIDE, place.split(":")[1]}
    lacking = [each for each in theirs["bases"] if each not in above and not each.endswith("Mixin")]
    if lacking:
        yield f"{place}(bases)", f"not below {', '.join(lacking)}"
    for part in ("fields", "defaults", "values"):
        if theirs.get(part) != ours.get(part) and part in theirs:
            yield f"{place}({part})", f"{theirs[part]}, here {ours.get(part)}"
    for name, entry in theirs["members"].items():
        yield from compare(f"{place}.{name}", entry, ours["members"].get(name))


def compare_parameters(place, theirs, ours):
    if ours is None:
        if theirs is not None:
            yield place, "no signature"
        return
    ours_by_name = {name: (position, default) for position, (name, _, default) in enumerate(ours)}
    kinds = {kind for _, kind, _ in ours}
    for position, (name, kind, default) in enumerate(theirs or ()):
        if kind in ("VAR_POSITIONAL", "VAR_KEYWORD"):
            if kind not in kinds:
                yield place, f"takes no *{name}"
        elif name not in ours_by_name:
            yield place, f"no parameter {name}"
        elif kind != "KEYWORD_ONLY" and ours_by_name[name][0] != position:
            yield place, f"{name} is at another place"
        elif default is not None and ours_by_name[name][1] != default:
            yield place, f"{name}={default}, here {ours_by_name[name][1]}"
    names = {name for name, _, _ in theirs or ()}
    for name, kind, default in ours:
        if name not in names and default is None and not kind.startswith("VAR"):
            yield place, f"{name} has to be given"
