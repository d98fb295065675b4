"""Deviations: planned against actual."""

from __future__ import annotations

from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, of_table


def deviations(context: Context) -> Section:
    """Return planned against actual."""
    rows = [
        [d.expectation or "the run", d.what, value_text(d.planned), value_text(d.actual)]
        for d in context.record.deviations
    ]
    table = Table("What was planned and what was done", ["Expectation", "What", "Planned", "Actual"], rows)
    return of_table("Deviations", table, "No deviation from the plan is recorded.")
