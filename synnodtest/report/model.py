"""The words of the view-model: what sections are made of before they become HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
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

    @property
    def words(self) -> str:
        """Text by which its room is measured; a chip is wider than its word by an icon."""
        return f"{self.status}..." if self.status else self.text


_FITS_PHONE, _FITS_TABLET = 50, 90
"""Characters of a table's text that fit into 360 px, and into 700 px."""
_SHORT_WORD = 14
"""Longest word, in characters, of a column that is kept from breaking; set by hand: longer ones would push a table off
a phone."""


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
    rows: Sequence[Sequence[object]]
    numeric: Sequence[str] = ()
    most: int = 400
    """Rows that are shown; how many more there are is said below them."""

    @property
    def left_out(self) -> int:
        """Rows that are only in the record."""
        return max(0, len(self.rows) - self.most)

    @cached_property
    def cells(self) -> list[list[tuple[str, Cell]]]:
        """Rows of (column, cell), those that are shown."""
        return [
            [(c, v if isinstance(v, Cell) else Cell(str(v))) for c, v in zip(self.columns, row, strict=True)]
            for row in self.rows[: self.most]
        ]

    @property
    def look(self) -> str:
        """Below which width its rows become cards: ``stack`` on a phone, ``stack early`` on a tablet, empty never."""
        width = sum(map(self._width, range(len(self.columns)))) if len(self.columns) > 1 else 0
        return "" if width <= _FITS_PHONE else "stack" if width <= _FITS_TABLET else "stack early"

    @property
    def unbroken(self) -> set[str]:
        """Columns of short words alone, which are never parted within a word."""
        cells = [named for row in self.cells for named in row]
        return {*self.columns} - {c for c, cell in cells if any(len(w) > _SHORT_WORD for w in cell.words.split())}

    def _width(self, index: int) -> int:
        """Return about how many characters a column needs: figures do not wrap, text wraps between words."""
        need = max(map(len, self.columns[index].split()), default=0)
        for row in self.cells:
            column, cell = row[index]
            words = [cell.words] if column in self.numeric else cell.words.replace("_", " ").split()
            drawn = 24 if cell.markup else min(len(cell.words), 12)
            need = max(need, drawn, *(min(len(w), 26) for w in words))
        return need + 2


@dataclass(frozen=True)
class Figure:
    """A drawing, as markup in which every text is escaped, its title and description, and the numbers behind it."""

    title: str
    description: str
    svg: str | None
    twin: Table | None = None
    wide: bool = False
    tells: str = ""
    """Title of the table among a ruling's details whose numbers are the figure's."""

    @classmethod
    def of(
        cls,
        title: str,
        description: str,
        svg: str | None,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        numeric: Sequence[str] | None = None,
        wide: bool = False,
    ) -> Figure:
        """Return a figure with its numbers in a table; all columns but the first are numeric by default."""
        twin = Table(title, columns, rows, columns[1:] if numeric is None else numeric)
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


def of_table(title: str, table: Table, empty: str) -> Section:
    """Return a section of one table, or of a sentence where it has no rows."""
    return Section(title, "tables_only", {"tables": [table]}, "" if table.rows else empty)
