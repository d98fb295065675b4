"""Plain values of a record as facts and tables, where a section knows no more of them than their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeGuard

from synnodtest.decoding import JsonObject
from synnodtest.record.words import in_order, number, value_text
from synnodtest.report.model import Cell, Table

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


def facts_and_tables(payload: JsonObject) -> tuple[list[tuple[str, Cell]], list[Table]]:
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
    cells: list[list[Cell | str]] = [[_shown(c, r.get(c)) for c in columns] for r in rows]
    return Table(_words(title), [_words(c) for c in columns], cells, numeric=numeric, most=100)


def _words(name: str) -> str:
    return _NAMES[name] if name in _NAMES else f"{name[:1].upper()}{name[1:]}".replace("_", " ")


def _shown(name: str, value: Any) -> str:
    if name in _P_VALUES and isinstance(value, float):
        return "< 0.001" if value < 0.001 else f"{value:.3f}"
    return number(value) if isinstance(value, float) else value_text(value)
