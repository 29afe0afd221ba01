"""The layer table of docs/layers.md and the two rules that follow from it."""

import re

from sources import layer_of


def parse_table(markdown: str) -> dict[str, list[str]]:
    """layer -> what it may include, from the rows `| layer | text | allowed |`."""
    rows = re.findall(r"^\| ([a-z]+) \| .* \| ?([a-z/ ]*) ?\|$", markdown, re.MULTILINE)
    return {name: allowed.split() for name, allowed in rows if name != "layer"}


def allows(allowed: list[str], layer: str, include: str) -> bool:
    """Whether a file of `layer` may include "include" (a path such as model/batch.h)."""
    folder, _, rest = include.partition("/")
    if folder == layer or folder in allowed:
        return True
    parts = [entry.split("/")[1] for entry in allowed if entry.startswith(folder + "/")]
    return bool(parts) and ("/" not in rest or rest.split("/")[0] in parts)


def include_faults(table: dict[str, list[str]], path: str, text: str) -> list[str]:
    """Includes that point up or sideways."""
    layer = layer_of(path)
    if layer is None:
        return []
    if layer not in table:
        return [f"{path}: folder {layer} has no row in docs/layers.md"]
    faults = []
    for number, line in enumerate(text.splitlines(), 1):
        found = re.match(r'\s*#\s*include\s+["<]([a-z_]+/[^">]+)[">]', line)
        if found and found.group(1).split("/")[0] in table:
            if not allows(table[layer], layer, found.group(1)):
                faults.append(f"{path}:{number}: {layer} may not include {found.group(1)}")
    return faults


def depends_faults(table: dict[str, list[str]], cmake: str) -> list[str]:
    """DEPENDS of ringlog_layer() and ringlog_program() that the table does not allow."""
    faults = []
    calls = re.findall(r"ringlog_(?:layer|program)\((\w+)([^)]*)\)", cmake)
    if not calls:
        return ["CMakeLists.txt declares no layer"]
    for layer, arguments in calls:
        if layer not in table:
            faults.append(f"CMakeLists.txt: {layer} has no row in docs/layers.md")
            continue
        for needed in re.findall(r"ringlog_(\w+)", arguments):
            if needed not in [entry.split("/")[0] for entry in table[layer]]:
                faults.append(f"CMakeLists.txt: {layer} may not depend on {needed}")
    return faults
