"""The table of planted bugs fits the sources: what it replaces stands there, once."""

import sys

import pytest
from sources import TOP, read

sys.path.insert(0, str(TOP / "tests" / "planted"))
from bugs import BUGS  # noqa: E402


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_its_text_stands_exactly_once_in_its_file(bug):
    assert read(bug.file).count(bug.text) == 1
    assert bug.planted != bug.text


def test_there_are_at_least_thirty_with_names_of_their_own():
    assert len({bug.name for bug in BUGS}) == len(BUGS) >= 30
