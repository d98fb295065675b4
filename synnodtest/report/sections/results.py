"""Each expectation with its estimate, interval and figure; multiplicity."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from synnodtest.record import words
from synnodtest.record.model import ComponentEntry, ExpectationEntry, RulingEntry
from synnodtest.report.context import Context
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.figures.strip import domain_of, strip
from synnodtest.report.model import Cell, Section, Table, status
from synnodtest.report.sections.curves import is_curve

_ROLES = {"decides": "", "gate": "gate: can only withhold a pass", "shown": "shown only, decides nothing"}


def results(context: Context) -> Section:
    """Return every expectation in full."""
    groups = [{"behaviour": b, "items": [_item(context, e) for e in items]} for b, items in context.grouped() if items]
    return Section("Results", "results", {"groups": groups}, "" if groups else "No expectation was tested.")


def _item(context: Context, e: ExpectationEntry) -> dict[str, object]:
    ruling, curve = e.ruling, is_curve(e)
    figure = None if curve or not ruling else figure_of(e, f"f-{context.anchors[e.id]}", context.record.scenes)
    drawn = figure.tells if figure else ""
    return {
        "entry": e,
        "components": _components(ruling) if ruling and ruling.components else None,
        "details": [_detail(t, rows) for t, rows in ruling.details.items() if t != drawn] if ruling else [],
        "figure": figure,
        "curve": bool(ruling and curve),
    }


def _components(ruling: RulingEntry) -> Table:
    level = f"{100 * (1 - 2 * (ruling.alpha or 0.05)):g}% interval"
    columns = ["Estimate", "Value", level, "95% interval", "Required", "Interval against bound", "Method", "Says"]
    rows = [_component(part) for part in ruling.components]
    return Table("Estimates against their bounds", columns, rows, numeric=columns[1:5])


def _component(part: ComponentEntry) -> list[object]:
    value, ends = words.estimate(part)
    return [
        Cell(part.label, note=_ROLES[part.role]),
        value,
        ends,
        words.interval(part.lower95, part.upper95, part.unit, bound=part.bound),
        words.bound_text(part),
        Cell(markup=strip(part, domain_of([part]))),
        part.method,
        status(part.status) if part.role != "shown" else Cell("–"),
    ]


def _detail(title: str, rows: Any) -> Table:
    """Return a table of a ruling's details, whatever its columns are."""
    caption = title[:1].upper() + title[1:]
    if not (isinstance(rows, list) and rows and all(isinstance(r, Mapping) for r in rows)):
        return Table(caption, ["value"], [[words.value_text(rows)]])
    there = dict.fromkeys(str(c) for r in rows for c in r)
    numeric = [c for c in there if all(isinstance(r.get(c), (int, float)) for r in rows)]
    columns = [*(c for c in there if c not in numeric), *numeric]
    body = [[_plain(r.get(c)) for c in columns] for r in rows]
    return Table(caption, columns, body, numeric=numeric, most=60)


def _plain(value: Any) -> str:
    numeric = isinstance(value, (int, float)) and not isinstance(value, bool)
    return words.number(value) if numeric else words.value_text(value)
