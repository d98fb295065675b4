"""Rows of CSV files by column, written, and read with those refused that have more cells than there are columns.

A decimal comma or a comma within a name parts a cell in two: all that follows then stands in the wrong column.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from synnodtest.files import replacing
from synnodtest.text_files import decoded

AS_CSV = "save it as CSV UTF-8, parted by commas, with decimal points"
"""Remedy where a table cannot be read."""


_DELIMITERS = (",", ";", "\t", "|")
_PREAMBLE = re.compile(r"sep=.\s*$|\s*#", re.IGNORECASE)
"""Lines before the header: ``sep=;`` for Excel, comments."""


def rows_of(data: bytes) -> csv.DictReader[str]:
    """Return a reader of a table in any encoding and with any delimiter, without blanks before cells and around names.

    A quote that is never closed, which would take in all rows that follow, is an error of the reader.

    Raises:
        UnicodeDecodeError: it is no text that is read.
        csv.Error: its first lines cannot be read.
    """
    lines = list(io.StringIO(decoded(data), newline=""))
    before = next((n for n, line in enumerate(lines) if line.strip() and not _PREAMBLE.match(line)), 0)
    delimiter = max(_DELIMITERS, key="".join(lines[before : before + 1]).count)
    shown = ["\n"] * before + lines[before:]  # quotes of a comment are no cell's
    reader = csv.DictReader(iter(shown), delimiter=delimiter, skipinitialspace=True, strict=True)
    for _ in range(before):
        next(reader.reader)
    reader.fieldnames = [name.strip() for name in reader.fieldnames or ()]
    return reader


def write_rows(path: Path, columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table of these columns, whole or not at all; what a row has beside them is left out."""
    with replacing(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as stream:
        table = csv.DictWriter(stream, columns, extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows(rows)


def checked_rows(reader: csv.DictReader[str]) -> Iterator[Mapping[str, str]]:
    """Yield the rows of a reader; ``reader.line_num`` is the line of the last one.

    Raises:
        ValueError: a row has more cells than the header, or one column's name occurs twice; names the line.
    """
    names = list(reader.fieldnames or ())
    if twice := [name for name in names if name and names.count(name) > 1]:
        raise ValueError(f"line 1: the column {twice[0]!r} occurs twice")
    for row in reader:
        more = row.pop(None, None)  # a comma at the end of a row leaves an empty cell of no column
        if more and any(map(str.strip, more)):
            raise ValueError(
                f"line {reader.line_num}: {len(names) + len(more)} cells under {len(names)} columns "
                "(a decimal comma, or a comma in a name that is not quoted?)"
            )
        yield row
