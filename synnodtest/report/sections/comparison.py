"""Comparison with an earlier record."""

from __future__ import annotations

from synnodtest.record.brief import apart_text
from synnodtest.record.model import Comparison
from synnodtest.record.words import interval, number, value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, code, status


def comparison(context: Context) -> Section:
    """Return what changed against an earlier record."""
    compared = context.record.comparison or Comparison()
    changed = [
        [c.id, status(c.before), status(c.after), f"{number(c.estimate_before)} → {number(c.estimate_after)}"]
        for c in compared.verdicts
    ]
    margins = [[m.id, m.what, value_text(m.before), value_text(m.after)] for m in compared.margins]
    other = [[word, code(i)] for word, keys in (("new", compared.new), ("removed", compared.removed)) for i in keys]
    limits = [[code(one.limit), "yes" if one.kept else "NO", one.sentence] for one in compared.limits]
    data = {
        "compared": compared,
        "margins": Table("Changed margins and parameters", ["Expectation", "What", "Earlier", "Now"], margins),
        "verdicts": Table("Changed verdicts", ["Expectation", "Earlier", "Now", "Estimate"], changed),
        "differences": _differences(compared),
        "apart": f"Of all scenes, {apart_text(compared)}." if compared.apart else "",
        "limits": Table("Limits on what may change", ["Limit", "Kept", "What was found"], limits),
        "other": Table("New and removed expectations", ["Change", "Expectation"], other),
    }
    none = "" if context.record.comparison else "No earlier record was given to compare with."
    return Section("Comparison", "comparison", data, none)


def _differences(made: Comparison) -> Table:
    rows = [
        [
            f"{d.behaviour or 'all scenes'}: {d.title}",
            f"{number(d.n)} / {number(d.clusters)}",
            number(d.before),
            number(d.after),
            number(d.value, "difference"),
            interval(d.lower, d.upper, "difference", bound=0.0),
            "yes" if d.shown else "no",
        ]
        for d in made.differences
    ]
    columns = ["What", "Pairs / clusters", "Earlier", "Now", "Difference", f"{made.level} interval", "Shows a change"]
    title = "Paired differences on scenes that both runs have"
    return Table(title, columns, rows, numeric=columns[1:6])
