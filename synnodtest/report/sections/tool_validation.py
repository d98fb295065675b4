"""Tool validation: the tool's self-test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from synnodtest.decoding import JsonObject
from synnodtest.record.model.run import SelfTest
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import date, in_order, value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, Table, status

_FIRST = ("mutant", "fault", "killed_by", "what", "source", "n", "expected", "got", "difference", "lower", "upper",
          "holds")  # fmt: skip
"""Columns of a self-test that stand in this order, before all others; a record's own keys are sorted."""


def tool_validation(context: Context) -> Section:
    """Return what the tool's self-test found."""
    data = context.record.tool_validation or SelfTest()
    parts = (
        ("Analytic check values", data.analytic),
        ("A/A run: a detector against itself", data.aa),
        ("Seeded faulty detectors and what catches them", data.kill_table),
        ("Seeded faults as new versions, and what the change control plan says of them", data.change_control),
    )
    tables = [_found(title, [rows] if isinstance(rows, Mapping) else rows) for title, rows in parts if rows]
    lead = _selftest(data, context.record.identification.synnodtest)
    empty = "" if tables else "No self-test accompanies this run; make one with: synnodtest selftest"
    return Section("Tool validation", "tables_only", {"lead": lead, "tables": tables}, empty)


def _found(title: str, rows: Sequence[JsonObject]) -> Table:
    """Return a table of rows that name their columns themselves."""
    columns = in_order((str(c) for r in rows for c in r), _FIRST)
    body = [[_cell(c, r.get(c)) for c in columns] for r in rows]
    heads = {c: c.replace("_", " ").capitalize() for c in columns}
    numeric = [heads[c] for c in columns if any(isinstance(r.get(c), float) for r in rows)]
    return Table(title, list(heads.values()), body, numeric=numeric)


def _selftest(data: SelfTest, used: str) -> str:
    text = f"Self-test of synnodtest {data.synnodtest}, {date(data.when)}."
    text += f" Its mutants were made of {data.base}." if data.base else ""
    text += "" if data.holds else " Something in it does NOT hold."
    if data.synnodtest == used:
        return text
    return f"{text} The run was made with another version, {used}: repeat the self-test."


def _cell(column: str, value: Any) -> Cell | str:
    if isinstance(value, str) and value in STATUSES:
        return status(value)
    if column == "holds" and value is False:
        return "NO"
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else value_text(value)
