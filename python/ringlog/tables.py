"""Tables for people: what IPython and Jupyter show of records, partitions and lag.

`Table(records)` shows many: a list of records or of other named tuples, or what `poll()` returned.
"""

import html

#: Longer texts are cut: a cell is to be read at a glance.
CELL_CHARACTERS_MAX = 80


class Table:
    """Rows with named columns: as text by `str()`, as HTML in a notebook."""

    def __init__(self, rows, columns=None):
        rows = list(_flat(rows))
        self.columns = list(columns or (rows[0]._fields if rows else ()))
        self.rows = [list(row) for row in rows]

    def __len__(self):
        return len(self.rows)

    def __str__(self):
        lines = [self.columns, *([_cell(value) for value in row] for row in self.rows)]
        widths = [max(map(len, column)) for column in zip(*lines)]
        return "\n".join(
            "  ".join(value.ljust(width) for value, width in zip(line, widths)).rstrip()
            for line in lines
        )

    __repr__ = __str__

    def _repr_html_(self):
        head = "".join(f"<th>{html.escape(name)}</th>" for name in self.columns)
        body = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(value))}</td>" for value in row) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def row_html(row):
    """A named tuple as a table of one row."""
    return Table([row])._repr_html_()


def _flat(rows):
    if isinstance(rows, dict):  # of poll(): lists of records by partition
        for records in rows.values():
            yield from records
    else:
        yield from rows


def _cell(value):
    text = value if isinstance(value, str) else repr(value)
    cut = CELL_CHARACTERS_MAX
    return text if len(text) <= cut else text[: cut - 1] + "…"
