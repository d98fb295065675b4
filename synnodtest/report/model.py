"""The words of the view-model: what sections are made of before they become HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup


@dataclass(frozen=True)
class Cell:
    """One table cell.

    Args:
        text: What it says.
        href: Where it leads within the report (``#id``) or the run's folder.
        status: A status word, shown as a chip instead of the text.
        code: Set in a fixed-width face; may break anywhere.
        markup: A drawing instead of the text.
        note: A remark in small print below.
    """

    text: str = ""
    href: str = ""
    status: str = ""
    code: bool = False
    markup: Markup | None = None
    note: str = ""


_FITS_PHONE, _FITS_TABLET = 50, 90
"""Characters of a table's text that fit into 360 px, and into 700 px."""
_SHORT_WORD = 14
"""Longest word, in characters, of a column that is kept from breaking; set by hand: longer ones would push a table off
a phone."""


def _text(value: Cell | str) -> str:
    if isinstance(value, Cell):
        return f"{value.status}..." if value.status else value.text
    return str(value)


def code(text: Any) -> Cell:
    """Return a cell in fixed width; a dash for nothing."""
    return Cell(str(text), code=True) if text else Cell("–")


def link(text: str, href: str) -> Cell:
    """Return a cell that leads somewhere."""
    return Cell(text, href=href)


def status(word: str) -> Cell:
    """Return a cell that shows a status."""
    return Cell(word, status=word)


@dataclass(frozen=True)
class Table:
    """A table. Columns whose title stands in ``numeric`` are set to the right; the first column heads its row."""

    caption: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell | str]]
    numeric: frozenset[str] = frozenset()
    left_out: int = 0
    """Rows that are only in the record."""

    @property
    def look(self) -> str:
        """Below which width its rows become cards: ``stack`` on a phone, ``stack early`` on a tablet, empty never."""
        width = sum(self._width(k) for k in range(len(self.columns))) if len(self.columns) > 1 else 0
        return "" if width <= _FITS_PHONE else "stack" if width <= _FITS_TABLET else "stack early"

    @property
    def unbroken(self) -> frozenset[str]:
        """Columns of short words alone, which are never parted within a word."""
        return frozenset(
            column
            for index, column in enumerate(self.columns)
            if max((len(w) for row in self.rows for w in _text(row[index]).split()), default=0) <= _SHORT_WORD
        )

    def _width(self, index: int) -> int:
        """Return about how many characters a column needs: figures do not wrap, text wraps between words."""
        numeric = self.columns[index] in self.numeric
        need = max((len(w) for w in self.columns[index].split()), default=0)
        for row in self.rows:
            cell = row[index]
            text = _text(cell)
            words = [text] if numeric else text.replace("_", " ").split()
            drawn = 24 if isinstance(cell, Cell) and cell.markup else min(len(text), 12)
            need = max(need, drawn, *(min(len(w), 26) for w in words))
        return need + 2

    def cells(self) -> list[list[tuple[str, Cell]]]:
        """Return rows of (column, cell)."""
        return [
            [(c, v if isinstance(v, Cell) else Cell(str(v))) for c, v in zip(self.columns, row, strict=True)]
            for row in self.rows
        ]


def table_of(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[Cell | str]],
    *,
    numeric: Sequence[str] = (),
    most: int = 400,
) -> Table:
    """Return a table of at most ``most`` rows; how many are left out is said below it."""
    return Table(caption, columns, rows[:most], frozenset(numeric), max(0, len(rows) - most))


@dataclass(frozen=True)
class Figure:
    """A drawing, its title and description, and the numbers behind it."""

    title: str
    description: str
    svg: Markup | None
    twin: Table | None = None
    wide: bool = False
    tells: str = ""
    """Title of the table among a ruling's details whose numbers are the figure's."""

    @classmethod
    def of(
        cls,
        title: str,
        description: str,
        svg: Markup | None,
        columns: Sequence[str],
        rows: Sequence[Sequence[Cell | str]],
        *,
        numeric: Sequence[str] | None = None,
        wide: bool = False,
    ) -> Figure:
        """Return a figure with its numbers in a table; all columns but the first are numeric by default."""
        twin = table_of(title, columns, rows, numeric=columns[1:] if numeric is None else numeric)
        return cls(title, description, svg, twin, wide)


@dataclass(frozen=True)
class Section:
    """One numbered section of the report.

    Args:
        title: Heading.
        template: Name of its template below ``templates/sections``.
        data: What the template shows.
        empty: The line that stands for a section without data; empty text if there are data.
        number: ``0``, ``1``, .., ``A``, by its place in the order.
    """

    title: str
    template: str
    data: Mapping[str, object] = field(default_factory=dict)
    empty: str = ""
    number: str = ""

    @property
    def anchor(self) -> str:
        """Its id in the document."""
        return f"section-{self.number.lower()}"


def of_table(title: str, table: Table, empty: str) -> Section:
    """Return a section of one table, or of a sentence where it has no rows."""
    return Section(title, "tables_only", {"tables": [table]}, "" if table.rows else empty)
