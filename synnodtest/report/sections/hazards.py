"""Hazards, and the expectations that control them."""

from __future__ import annotations

from synnodtest.counted import counted, joined
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.model.authored import TitledEntry
from synnodtest.record.words import number
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, status

WORST_FIRST = ("FAILED", "ERROR", "INVALID", "NOT RUN", "INCONCLUSIVE", "WAIVED", "PASSED")


def hazards(context: Context) -> Section:
    """Return the worst verdict per hazard and what evidence is lacking."""
    known = {h.id: h for h in context.record.hazards}
    items: dict[str, list[ExpectationEntry]] = {key: [] for key in known}
    for e in context.record.expectations:
        for key in context.behaviour(e).hazard:
            items.setdefault(key, []).append(e)
    words = [w for w in WORST_FIRST if any(e.shown_status == w for group in items.values() for e in group)]
    rows = []
    for key, group in sorted(items.items()):
        statuses = [e.shown_status for e in group]
        hazard = known.setdefault(key, TitledEntry(key))
        counts = [number(statuses.count(w)) if w in statuses else "" for w in words]
        rows.append(
            [key, hazard.title or "–", hazard.severity or "–", status(_worst(statuses)), *counts, _gap(statuses)]
        )
    heads = [w.capitalize() for w in words]
    columns = ["Hazard", "Title", "Severity", "Worst verdict", *heads, "Evidence lacking"]
    table = Table("Worst verdict of each hazard", columns, rows, numeric=heads)
    data = {"table": table, "apart": _apart(context)}
    return Section("Hazards", "hazards", data, "" if rows else "No behaviour names a hazard.")


def _apart(context: Context) -> str:
    """Return the behaviours of no hazard with their worst verdicts, which the table does not hold."""
    told = []
    for behaviour, group in context.grouped():
        if not behaviour.hazard:
            told.append(f"{behaviour.id} ({_worst([e.shown_status for e in group])})")
    return joined(told)


def _worst(statuses: list[str]) -> str:
    return next((w for w in WORST_FIRST if w in statuses), "NOT RUN")


def _gap(shown: list[str]) -> str:
    if not shown:
        return "nothing tests this hazard"
    left = sum(w in {"INCONCLUSIVE", "INVALID", "ERROR", "NOT RUN"} for w in shown)
    gaps = [f"{left} of {counted(len(shown), 'expectation')} not settled"] * bool(left)
    gaps += [f"{shown.count('WAIVED')} waived"] * ("WAIVED" in shown)
    return ", ".join(gaps) or "none"
