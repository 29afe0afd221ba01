"""The repository obeys its rules."""

import pytest
from layers import depends_faults, include_faults, parse_table
from rules import EXCEPTIONS, RULES
from sources import TEXT, TOP, is_script, layer_of, read, tracked_files

FILES = [path for path in tracked_files() if any(path.endswith(end) for end in TEXT)]
FILES += [path for path in tracked_files() if is_script(path)]


def layer_table() -> dict[str, list[str]]:
    return parse_table(read("docs/layers.md"))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__.removesuffix("_faults"))
def test_rule(rule):
    faults = [fault for path in FILES for fault in rule(path, read(path))]
    assert not faults, "\n" + "\n".join(faults)


def test_includes_point_down():
    table = layer_table()
    faults = [fault for path in FILES for fault in include_faults(table, path, read(path))]
    assert not faults, "\n" + "\n".join(faults)


def test_libraries_depend_downwards():
    faults = depends_faults(layer_table(), read("CMakeLists.txt"))
    assert not faults, "\n" + "\n".join(faults)


def test_the_table_names_every_layer_and_nothing_else():
    table = layer_table()
    folders = {layer_of(path) for path in FILES if layer_of(path)}
    assert folders <= set(table)
    assert {entry.split("/")[0] for row in table.values() for entry in row} <= set(table)


def test_exceptions_name_files_that_exist():
    assert [path for path in EXCEPTIONS if not (TOP / path).is_file()] == []
