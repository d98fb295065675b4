"""Rows of CSV files by column, with those refused that have more cells than there are columns.

A decimal comma or a comma within a name parts a cell in two: all that follows then stands in the wrong column.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping

AS_CSV = "save it as CSV UTF-8, parted by commas, with decimal points"
"""What helps where a table cannot be read."""


def checked_rows(reader: csv.DictReader[str]) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a reader; ``reader.line_num`` is the line of the last one.

    Raises:
        ValueError: a row has more cells than the header, or one column's name occurs twice; names the line.
    """
    names = list(reader.fieldnames or ())
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"line 1: the column {twice[0]!r} occurs twice")
    for row in reader:
        more = row.get(None)
        if more and any(more):
            raise ValueError(
                f"line {reader.line_num}: {len(names) + len(more)} cells under {len(names)} columns "
                "(a decimal comma, or a comma in a name that is not quoted?)"
            )
        yield row
