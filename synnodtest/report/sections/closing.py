"""Sections beside the results, sign-off and guide."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from importlib import resources
from typing import Any

from synnodtest.decoding import JsonObject
from synnodtest.record.brief import apart_text
from synnodtest.record.model import Comparison
from synnodtest.record.model.authored import AnomalyEntry, PersonEntry
from synnodtest.record.model.run import SelfTest
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import LIMITATION, date, in_order, interval, number, value_text
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, Table, code, link, status, table_of


def anomalies(context: Context) -> Section:
    """Return known anomalies, and errors of this run."""
    rows: list[list[Cell | str]] = [[a.id, _anomaly(a), a.impact] for a in context.record.known_anomalies]
    rows += [
        [link(context.full_title(e), f"#{context.anchors[e.id]}"), e.error, e.status.capitalize()]
        for e in context.record.expectations
        if e.error
    ]
    table = table_of("Known anomalies and errors of this run", ["Where", "What", "Effect"], rows)
    return _of_table("Anomalies", table, "None is recorded.")


def _of_table(title: str, table: Table, empty: str) -> Section:
    return Section(title, "tables_only", {"tables": [table]}, "" if table.rows else empty)


def _anomaly(anomaly: AnomalyEntry) -> str:
    return anomaly.what or value_text({k: v for k, v in anomaly.raw.items() if k != "id"})


def deviations(context: Context) -> Section:
    """Return planned against actual."""
    rows = [
        [d.expectation or "the run", d.what, value_text(d.planned), value_text(d.actual)]
        for d in context.record.deviations
    ]
    table = table_of("What was planned and what was done", ["Expectation", "What", "Planned", "Actual"], rows)
    return _of_table("Deviations", table, "No deviation from the plan is recorded.")


def waivers(context: Context) -> Section:
    """Return waivers with approver and expiry, and which expectations they cover."""
    record = context.record
    used = [(e.waived.id, f"{context.full_title(e)} ({e.status})") for e in record.expectations if e.waived and e.ruled]
    every = {e.waived.id: e.waived for e in record.expectations if e.waived} | {w.id: w for w in record.waivers}
    rows: list[list[Cell | str]] = []
    for key, waiver in every.items():
        met = "; ".join(title for waived, title in used if waived == key)
        expiry = f"{date(waiver.expiry)}{', expired' if waiver.expired else ''}"
        rows.append([key, waiver.reason, waiver.approver, expiry, met or "nothing in this run"])
    columns = ["Waiver", "Reason", "Approver", "Expiry", "Covers"]
    return _of_table("Waivers", table_of("Waivers", columns, rows), "No waiver was in force.")


def limitations(context: Context) -> Section:
    """Return what the results do not show; the first sentence always."""
    counts = context.counts
    lines = [*context.record.limitations, *context.record.authored.limitations]
    if counts["INCONCLUSIVE"]:
        lines.append(
            "An inconclusive expectation supports neither the detector nor its opposite; more data may settle it."
        )
    if counts["INVALID"] or counts["ERROR"] or counts["NOT RUN"]:
        lines.append("Expectations that are invalid, in error or not run leave their behaviours without evidence.")
    if not context.record.run.confirmatory:
        lines.append("An exploratory run supports no claim; repeat it from a frozen specification and a clean tree.")
    return Section("Limitations", "limitations", {"fixed": LIMITATION, "said": list(dict.fromkeys(lines))})


def environment(context: Context) -> Section:
    """Return machine and packages."""
    data = context.record.environment
    words = {"os": "Operating system", "processor": "Processor", "cores": "Cores", "gpu": "GPU and driver"}
    facts = [
        (word, Cell("none" if (value := getattr(data, key)) in (None, "") else value_text(value)))
        for key, word in (words | {"python": "Python"}).items()
        if key in data.raw
    ]
    rows: list[list[Cell | str]] = [[p.name, p.version, code(p.sha256)] for p in data.packages]
    title = "Software of unknown provenance (SOUP): installed packages that may take part"
    packages = table_of(title, ["Package", "Version", "sha256"], rows)
    return Section("Environment", "environment", {"facts": facts, "packages": packages})


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
    return table_of(title, list(heads.values()), body, numeric=numeric)


def _selftest(data: SelfTest, used: str) -> str:
    text = f"Self-test of synnodtest {data.synnodtest}, {date(data.when)}."
    text += f" Its mutants were made of {data.base}." if data.base else ""
    text += "" if data.holds else " Something in it does NOT hold."
    if data.synnodtest == used:
        return text
    return f"{text} The run was made with another version, {used}: repeat the self-test."


_FIRST = ("mutant", "fault", "killed_by", "what", "source", "n", "expected", "got", "difference", "lower", "upper",
          "holds")  # fmt: skip
"""Columns of a self-test that stand in this order, before all others; a record's own keys are sorted."""


def _cell(column: str, value: Any) -> Cell | str:
    if isinstance(value, str) and value in STATUSES:
        return status(value)
    if column == "holds" and value is False:
        return "NO"
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else value_text(value)


def comparison(context: Context) -> Section:
    """Return what changed against an earlier record."""
    data = context.record.comparison
    compared = data or Comparison()
    changed: list[list[Cell | str]] = [
        [c.id, status(c.before), status(c.after), f"{number(c.estimate_before)} → {number(c.estimate_after)}"]
        for c in compared.verdicts
    ]
    margins = [[m.id, m.what, value_text(m.before), value_text(m.after)] for m in compared.margins]
    other: list[list[Cell | str]] = [
        [word, code(i)] for word, keys in (("new", compared.new), ("removed", compared.removed)) for i in keys
    ]
    limits: list[list[Cell | str]] = [
        [code(one.limit), "yes" if one.kept else "NO", one.sentence] for one in compared.limits
    ]
    return Section(
        "Comparison",
        "comparison",
        {
            "earlier": [
                ("Earlier run", code(compared.earlier)),
                ("Of", Cell(date(compared.started))),
                ("Its detector", Cell(compared.detector)),
                ("Without a change", Cell(number(compared.unchanged))),
                *([("Scenes not in both", Cell(number(compared.unpaired)))] if compared.unpaired else []),
            ],
            "margins": table_of("Changed margins and parameters", ["Expectation", "What", "Earlier", "Now"], margins),
            "verdicts": table_of("Changed verdicts", ["Expectation", "Earlier", "Now", "Estimate"], changed),
            "differences": _differences(compared),
            "apart": f"Of all scenes, {apart_text(compared)}." if compared.apart else "",
            "limits": table_of("Limits on what may change", ["Limit", "Kept", "What was found"], limits),
            "other": table_of("New and removed expectations", ["Change", "Expectation"], other),
        },
        "" if data else "No earlier record was given to compare with.",
    )


def _differences(made: Comparison) -> Table:
    rows: list[list[Cell | str]] = [
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
    level = made.differences[0].level if made.differences else "90%"
    columns = ["What", "Pairs / clusters", "Earlier", "Now", "Difference", f"{level} interval", "Shows a change"]
    title = "Paired differences on scenes that both runs have"
    return table_of(title, columns, rows, numeric=columns[1:6])


_MEANINGS = {
    "author": "I have written this report from the evidence named by the digest.",
    "reviewer": "I have checked the report against the evidence.",
    "approver": "I approve the report for its stated purpose.",
}
"""Meaning of a signature, by role; these three sign in any case."""


def sign_off(context: Context) -> Section:
    """Return the block to be signed; the digest stands for the evidence."""
    named = {p.role.casefold(): p for p in context.record.authored.people}
    signers = []
    for role, meaning in _MEANINGS.items():
        person = named.pop(role, PersonEntry(role, ""))
        signers.append(replace(person, role=role.capitalize(), meaning=person.meaning or meaning))
    return Section(
        "Sign-off",
        "sign_off",
        {"people": [*signers, *named.values()], "digest": context.digest, "run": context.record.run.id},
    )


def guide(context: Context) -> Section:
    """Return standards map, glossary and the command that repeats the run; the map claims no conformance."""
    legend: list[list[Cell | str]] = [[status(look.word), look.meaning] for look in STATUSES.values()]
    texts = json.loads(resources.files(__package__).joinpath("guide.json").read_text(encoding="utf-8"))
    heads = ["Document", "Topic", "Sections"]
    return Section(
        "Guide",
        "guide",
        {
            "legend": table_of("What the statuses mean", ["Status", "Meaning"], legend),
            "standards": table_of("Where a reader of a standard may look", heads, texts["standards"]),
            "glossary": texts["glossary"],
            "command": shlex.join(context.record.run.command),
            "commit": context.record.run.commit,
        },
    )
