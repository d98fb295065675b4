"""Traceability: requirements, and what shows them."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.canonical import sha256_of
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.words import joined
from synnodtest.report.context import Context
from synnodtest.report.model import Section, Table, code, link, status


def traceability(context: Context) -> Section:
    """Return hazard -> requirement -> behaviour -> node -> evidence hash -> verdict, and orphans both ways."""
    listed = {"hazards": context.record.hazards, "requirements": context.record.requirements}
    titles = {kind: {entry.id: entry.title for entry in entries} for kind, entries in listed.items()}
    rows = []
    for behaviour, items in context.grouped():
        hazards = "; ".join(_named(i, titles["hazards"]) for i in behaviour.hazard) or "–"
        needs = "; ".join(_named(i, titles["requirements"]) for i in behaviour.requirement) or "–"
        for e in items:
            name = link(context.title(e), f"#{context.anchors[e.id]}")
            sha = code(evidence_hash(context.record, e)[:12]) if e.scenes else "–"
            rows.append([hazards, needs, behaviour.id, name, sha, status(e.shown_status)])
    columns = ["Hazard", "Requirement", "Behaviour", "Expectation", "Evidence, sha256", "Verdict"]
    table = Table("From hazard to verdict", columns, rows, most=2000)
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
