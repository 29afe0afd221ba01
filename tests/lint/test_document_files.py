"""What the documents of the repository point at is there."""

import re
import subprocess

import pytest
from sources import TOP, read, tracked_files

DOCUMENTS = [path for path in tracked_files() if path.endswith(".md")]
QUOTED = re.compile(r"`([^`\n]+)`")
NAMED = re.compile(r"(?<![\w/.])(?:tests|docs|bench|examples|tools|cpp|python|cmake)/[\w/.-]*\w")
LINKED = re.compile(r"\]\((?!https?:|#)([^)#]+)[^)]*\)")


def missing(path: str, text: str) -> list[str]:
    """Files that a document names or links to and that are not there."""
    folder = (TOP / path).parent
    names = [name for quoted in QUOTED.findall(text) for name in NAMED.findall(quoted)]
    named = [name for name in names if not (TOP / name).exists()]
    return named + [name for name in LINKED.findall(text) if not (folder / name).exists()]


@pytest.mark.parametrize("path", DOCUMENTS)
def test_files_that_a_document_names_exist(path):
    assert missing(path, read(path)) == []


def test_a_name_or_link_to_nothing_is_found():
    assert missing("README.md", "see `pytest tests/none.py` and `docs/no.md:3`") == [
        "tests/none.py",
        "docs/no.md",
    ]
    assert missing("docs/limits.md", "[a](no.md) [b](building.md#x) [c](https://x.y/)") == ["no.md"]


def test_help_tells_of_every_sub_command():
    told = subprocess.run([TOP / "x", "help"], capture_output=True, text=True, check=True).stdout
    commands = set(re.findall(r"^cmd_(\w+)\(\)", read("x"), re.MULTILINE))
    assert len(commands) > 8
    assert commands == set(re.findall(r"^\./x (\w+)", told, re.MULTILINE))


def test_an_unknown_sub_command_is_refused():
    done = subprocess.run([TOP / "x", "no-such"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "no-such" in done.stderr
