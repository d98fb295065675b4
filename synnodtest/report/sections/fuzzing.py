"""Searches: their space, their finds, and their settlement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any, TypeGuard

import numpy as np

from synnodtest.decoding import JsonObject
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.model.searched import FailureMap, SearchEntry
from synnodtest.record.words import in_order, number, value_text
from synnodtest.report.cards import by_rule
from synnodtest.report.context import Context
from synnodtest.report.figures.canvas import BLUE, ORANGE, axes, named, short, to_svg
from synnodtest.report.figures.coverage import coverage_figure
from synnodtest.report.figures.kept import drawn
from synnodtest.report.figures.region import region_figure
from synnodtest.report.model import Cell, Figure, Section, Table
from synnodtest.statistics.curves import thinned

FOUND = "Counterexamples"
"""Caption of the table that stands before the pictures."""
MAPPED = "Failing examples by"
"""Caption of a table that says what the failure map says."""
_NONE_SEARCHES = "No behaviour of this run searches for counterexamples (fuzz:)."
_P_VALUES = ("p", "p_holm")
_FIRST = ("example", "says", "holds", "upper_bound", "p", "p_holm", "matters", "found_by", "replay")
"""Columns that stand in this order, before all others; a record's own keys are sorted."""
_FACTS_FIRST = ("space", "examples_tried", "of_them", "scenes_per_example", "search_ended_because")
_NAMES = {
    "p": "p, raw",
    "p_holm": "p, Holm",
    "of_them": "Of them chosen by",
    "seconds": "Seconds of the search",
    "tells_failing_from_finding": "What failing goes with around it (absolute rank correlation)",
}
MOST_POINTS = 400
"""Examples drawn; more only cover each other and make the document larger. The table counts all."""
BINS = 4
"""Parts of either parameter in the table, as in the search's own (``BINS`` of fuzzing/report.py)."""


def fuzzing(context: Context) -> Section:
    """Return searched space, counterexamples and the local failure rate."""
    searches = [_search(context, e) for e in context.record.expectations if e.is_search]
    asked = any(behaviour.resolved.get("fuzz") for behaviour in context.record.behaviours)
    none = "No search of this run came to a verdict." if asked else _NONE_SEARCHES
    return Section("Fuzzing", "fuzzing", {"searches": searches}, "" if searches else none)


def _search(context: Context, e: ExpectationEntry) -> dict[str, object]:
    """Return what is shown of one search."""
    named = context.named_by_search(e)
    facts, tables = _facts_and_tables(_told(e, with_scenes=not named))
    figures = _figures(_entry(context.record.fuzzing, e), context.anchors[e.id])
    return {
        "entry": e,
        "cards": by_rule(context, named.values(), search=True),
        "figures": figures,
        "facts": facts,
        "found": [t for t in tables if t.caption == FOUND],
        "tables": [t for t in tables if t.caption != FOUND and not (figures and MAPPED in t.caption)],
    }


def _told(e: ExpectationEntry, *, with_scenes: bool) -> JsonObject:
    """Return the facts of a search; the scenes that stand beside it as pictures are not told again."""
    figure = e.ruling.figure if e.ruling is not None else {}
    return {k: v for k, v in figure.items() if with_scenes or k != "minimal_typical_and_worst_scene"}


def _entry(searches: Iterable[SearchEntry], e: ExpectationEntry) -> SearchEntry:
    """Return the search of an expectation: by its node id, in older records by behaviour and kind."""
    of_node = [one for one in searches if one.expectation_id == e.id]
    alike = [one for one in searches if (one.behaviour, one.kind) == (e.behaviour, e.kind)]
    return next(iter([*of_node[-1:], *alike[-1:]]), SearchEntry())


def _figures(entry: SearchEntry, anchor: str) -> list[Figure]:
    """Return the region that fails, the failure map and the coverage of a search, those that its entry has data of."""
    points = entry.local.map if entry.local is not None else None
    drawn = [
        region_figure(entry.region, f"f-region-{anchor}"),
        failure_map(points, f"f-map-{anchor}") if points else None,
        coverage_figure(entry.coverage, f"f-coverage-{anchor}") if entry.coverage else None,
    ]
    return [figure for figure in drawn if figure]


def _facts_and_tables(payload: JsonObject) -> tuple[list[tuple[str, Cell]], list[Table]]:
    """Return facts (label, value) and tables (of lists of objects) of plain values that a record holds."""
    facts = [
        (_NAMES.get(key, key.replace("_", " ").capitalize()), Cell(value_text(payload[key])))
        for key in in_order(payload, _FACTS_FIRST)
        if key != "kind" and not _is_table(payload[key]) and payload[key] not in (None, "", [], {})
    ]
    return facts, [_table(k, v) for k, v in payload.items() if _is_table(v)]


def _is_table(value: object) -> TypeGuard[list[JsonObject]]:
    return isinstance(value, list) and bool(value) and all(isinstance(v, Mapping) for v in value)


def _table(title: str, rows: list[JsonObject]) -> Table:
    columns = in_order((str(c) for r in rows for c in r), _FIRST)
    numeric = [_words(c) for c in columns if all(isinstance(r.get(c), float) for r in rows)]
    cells = [[_shown(c, r.get(c)) for c in columns] for r in rows]
    return Table(_words(title), [_words(c) for c in columns], cells, numeric=numeric, most=100)


def _words(name: str) -> str:
    return _NAMES[name] if name in _NAMES else f"{name[:1].upper()}{name[1:]}".replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if name in _P_VALUES and isinstance(value, float):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return number(value) if isinstance(value, float) else value_text(value)


@drawn
def failure_map(points: FailureMap, name: str) -> Figure | None:
    """Draw the points ``[first, second, failed]`` around a counterexample; None where there is nothing to draw."""
    names = [str(n) for n in points.parameters]
    try:
        table = np.array([[float(v) for v in p[:3]] for p in points.points])
    except (TypeError, ValueError):
        return None
    if len(names) < 2 or table.ndim != 2 or table.shape[1] < 3:
        return None
    failed = table[:, 2] > 0
    title = f"Failures by {names[0]} and {names[1]}"
    description = f"{int(failed.sum())} of {len(table)} examples around the counterexample fail."
    keep = thinned(len(table), MOST_POINTS)
    counts, fails = table[keep], failed[keep]
    figure, axis = axes(460, 300)
    axis.plot(*counts[~fails, :2].T, "o", color=BLUE, markersize=4.5, markerfacecolor="none", label="holds")
    axis.plot(*counts[fails, :2].T, "x", color=ORANGE, markersize=5.5, markeredgewidth=1.6, label="fails")
    axis.set(xlabel=short(named(names[0])), ylabel=short(named(names[1])))
    axis.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2)
    columns, rows = _counts(names, table[:, :2], failed)
    return Figure.of(title, description, to_svg(figure, name, title, description), columns, rows)


def _counts(names: list[str], at: FloatArray, failed: BoolArray) -> tuple[list[str], list[list[str]]]:
    """Return columns and rows of how many examples fail in each of 4 x 4 cells."""
    edges = [np.linspace(values.min(), values.max(), BINS + 1) for values in at.T]
    fails, of = (np.histogram2d(at[:, 0], at[:, 1], bins=edges, weights=one)[0].astype(int) for one in (failed, None))
    words = [[f"{number(a)} to {number(b)}" for a, b in pairwise(e.tolist())] for e in edges]
    rows = [[word, *(f"{fails[i, j]} of {of[i, j]}" for j in range(BINS))] for i, word in enumerate(words[0])]
    return [f"{names[0]}, failing", *(f"{names[1]} {word}" for word in words[1])], rows
