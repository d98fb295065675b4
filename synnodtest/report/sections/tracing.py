"""Traceability from hazard to evidence, and hazards by their worst verdict."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.canonical import sha256_of
from synnodtest.counted import counted
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.model.authored import TitledEntry
from synnodtest.record.words import joined, number
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, code, link, status, table_of

WORST_FIRST = ("FAILED", "ERROR", "INVALID", "NOT RUN", "INCONCLUSIVE", "WAIVED", "PASSED")


def traceability(context: Context) -> Section:
    """Return hazard -> requirement -> behaviour -> node -> evidence hash -> verdict, and orphans both ways."""
    listed = {"hazards": context.record.hazards, "requirements": context.record.requirements}
    titles = {kind: {entry.id: entry.title for entry in entries} for kind, entries in listed.items()}
    rows: list[list[Cell | str]] = []
    for behaviour, items in context.grouped():
        hazards = "; ".join(_named(i, titles["hazards"]) for i in behaviour.hazard) or "–"
        needs = "; ".join(_named(i, titles["requirements"]) for i in behaviour.requirement) or "–"
        for e in items:
            name = link(context.title(e), f"#{context.anchors[e.id]}")
            sha = code(evidence_hash(context.record, e)[:12]) if e.scenes else "–"
            rows.append([hazards, needs, behaviour.id, name, sha, status(e.shown_status)])
    columns = ["Hazard", "Requirement", "Behaviour", "Expectation", "Evidence, sha256", "Verdict"]
    table = table_of("From hazard to verdict", columns, rows, most=2000)
    empty = "" if rows else "No expectation was collected."
    return Section("Traceability", "traceability", {"table": table, "orphans": _orphans(context, titles)}, empty)


def _named(key: str, titles: Mapping[str, str]) -> str:
    return f"{key} {titles[key]}" if titles.get(key) else key


def _orphans(context: Context, titles: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return what has no partner: listed and never tested, tested and never listed, tied to nothing."""
    orphans = []
    behaviours = context.record.behaviours
    for kind, listed in titles.items():
        key = kind.removesuffix("s")
        used = {i for b in behaviours for i in (b.hazard if kind == "hazards" else b.requirement)}
        if listed:
            untested, unlisted = sorted(listed.keys() - used), sorted(used - listed.keys())
            orphans += [f"No behaviour tests {key} {joined([_named(i, listed) for i in untested])}."] * bool(untested)
            orphans += [f"The list of {kind} does not hold {joined(unlisted)}."] * bool(unlisted)
        elif used:
            orphans.append(f"No list of {kind} was given, so {kind} that nothing tests cannot be named.")
    loose = [b.id for b in behaviours if not b.requirement]
    return orphans + [f"Tied to no requirement: {joined(loose)}."] * bool(loose)


def evidence_hash(record: Record, expectation: ExpectationEntry) -> str:
    """Return the sha256 over what one expectation rests on: its scenes as recorded, by id."""
    return sha256_of([[key, sha256_of(record.scenes[key].raw)] for key in sorted(set(expectation.scenes))])


def hazards(context: Context) -> Section:
    """Return the worst verdict per hazard and what evidence is lacking."""
    known = {h.id: h for h in context.record.hazards}
    items: dict[str, list[ExpectationEntry]] = {key: [] for key in known}
    for e in context.record.expectations:
        for key in context.behaviour(e).hazard:
            items.setdefault(key, []).append(e)
    words = [w for w in WORST_FIRST if any(e.shown_status == w for group in items.values() for e in group)]
    rows: list[list[Cell | str]] = []
    for key, group in sorted(items.items()):
        statuses = [e.shown_status for e in group]
        worst = next((w for w in WORST_FIRST if w in statuses), "NOT RUN")
        hazard = known.setdefault(key, TitledEntry(key))
        counts = [number(statuses.count(w)) if w in statuses else "" for w in words]
        rows.append([key, hazard.title or "–", hazard.severity or "–", status(worst), *counts, _gap(statuses)])
    heads = [w.capitalize() for w in words]
    columns = ["Hazard", "Title", "Severity", "Worst verdict", *heads, "Evidence lacking"]
    table = table_of("Worst verdict of each hazard", columns, rows, numeric=heads)
    return Section("Hazards", "hazards", {"table": table}, "" if rows else "No behaviour names a hazard.")


def _gap(shown: list[str]) -> str:
    if not shown:
        return "nothing tests this hazard"
    left = sum(w in {"INCONCLUSIVE", "INVALID", "ERROR", "NOT RUN"} for w in shown)
    gaps = [f"{left} of {counted(len(shown), 'expectation')} not settled"] * bool(left)
    gaps += [f"{shown.count('WAIVED')} waived"] * ("WAIVED" in shown)
    return ", ".join(gaps) or "none"
