"""What stands beside the results, sign-off and guide."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import (
    LIMITATION,
    STATUSES,
    date,
    expectation_title,
    in_order,
    interval,
    number,
    shown_status,
    value_text,
)
from synnodtest.report.context import Context
from synnodtest.report.model import Cell, Section, code, link, status, table_of
from synnodtest.report.sections.guide import GLOSSARY, STANDARDS

__all__ = [
    "anomalies",
    "comparison",
    "deviations",
    "environment",
    "guide",
    "limitations",
    "sign_off",
    "tool_validation",
    "waivers",
]


def anomalies(context: Context) -> Section:
    """Return known anomalies, and errors of this run."""
    rows: list[list[Cell | str]] = [
        [a.get("id", ""), a.get("what") or value_text({k: v for k, v in a.items() if k != "id"}), a.get("impact", "")]
        if isinstance(a, Mapping)
        else ["", value_text(a), ""]
        for a in context.record["anomalies"]
    ]
    rows += [
        [link(expectation_title(e), f"#{context.anchors[e['id']]}"), e["error"], e["status"].capitalize()]
        for e in context.record["expectations"]
        if e.get("error")
    ]
    return Section(
        "Anomalies",
        "tables_only",
        {
            "tables": [table_of("Known anomalies and errors of this run", ["Where", "What", "Effect"], rows)],
        },
        "" if rows else "None is recorded.",
    )


def deviations(context: Context) -> Section:
    """Return planned against actual."""
    rows = [
        [d.get("expectation", "") or "the run", d["what"], value_text(d.get("planned")), value_text(d.get("actual"))]
        for d in context.record["deviations"]
    ]
    return Section(
        "Deviations",
        "tables_only",
        {
            "tables": [
                table_of("What was planned and what was done", ["Expectation", "What", "Planned", "Actual"], rows)
            ],
        },
        "" if rows else "No deviation from the plan is recorded.",
    )


def waivers(context: Context) -> Section:
    """Return waivers with approver and expiry, and which expectations they cover."""
    used: dict[str, list[Mapping[str, Any]]] = {}
    for e in context.record["expectations"]:
        if e.get("waived") and shown_status(e) == "WAIVED":
            used.setdefault(e["waived"]["id"], []).append(e)
    every = {w["id"]: w for e in context.record["expectations"] if (w := e.get("waived"))}
    every |= {w["id"]: w for w in context.record["waivers"]}
    rows: list[list[Cell | str]] = []
    for key, waiver in every.items():
        met = "; ".join(f"{expectation_title(e)} ({e['status']})" for e in used.get(key, []))
        expiry = f"{date(waiver['expiry'])}{', expired' if waiver.get('expired') else ''}"
        rows.append([key, waiver["reason"], waiver["approver"], expiry, met or "nothing in this run"])
    columns = ["Waiver", "Reason", "Approver", "Expiry", "Covers"]
    return Section(
        "Waivers",
        "tables_only",
        {"tables": [table_of("Waivers", columns, rows)]},
        "" if rows else "No waiver was in force.",
    )


def limitations(context: Context) -> Section:
    """Return what the results do not show; the first sentence always."""
    authored = (context.record.get("authored") or {}).get("limitations") or []
    counts = context.counts
    said = list(context.record["limitations"]) + [str(a) for a in authored]
    if counts["INCONCLUSIVE"]:
        said.append(
            "An inconclusive expectation supports neither the detector nor its opposite; more data may settle it."
        )
    if counts["INVALID"] or counts["ERROR"] or counts["NOT RUN"]:
        said.append("Expectations that are invalid, in error or not run leave their behaviours without evidence.")
    if not context.record["run"]["confirmatory"]:
        said.append("An exploratory run supports no claim; repeat it from a frozen specification and a clean tree.")
    return Section("Limitations", "limitations", {"fixed": LIMITATION, "said": list(dict.fromkeys(said))})


def environment(context: Context) -> Section:
    """Return machine and packages."""
    data = context.record["environment"]
    words = {
        "os": "Operating system",
        "processor": "Processor",
        "cores": "Cores",
        "gpu": "GPU and driver",
        "python": "Python",
    }
    rows = [[p["name"], p["version"], code(p.get("sha256"))] for p in data.get("packages") or []]
    return Section(
        "Environment",
        "environment",
        {
            "facts": [
                (word, Cell(value_text(data[key]) if data.get(key) not in (None, "") else "none"))
                for key, word in words.items()
                if key in data
            ],
            "packages": table_of(
                "Software of unknown provenance (SOUP): packages in use", ["Package", "Version", "sha256"], rows
            ),
        },
    )


def tool_validation(context: Context) -> Section:
    """Return what the tool's self-test found."""
    data = context.record.get("tool_validation") or {}
    tables = []
    for key, title in (
        ("analytic", "Analytic check values"),
        ("aa", "A/A run: a detector against itself"),
        ("kill_table", "Seeded faulty detectors and what catches them"),
    ):
        rows = data.get(key)
        rows = [rows] if isinstance(rows, Mapping) else rows
        if rows:
            columns = in_order((str(c) for r in rows for c in r), _FIRST)
            body = [[_cell(c, r.get(c)) for c in columns] for r in rows]
            heads = {c: c.replace("_", " ").capitalize() for c in columns}
            numeric = [heads[c] for c in columns if any(isinstance(r.get(c), float) for r in rows)]
            tables.append(table_of(title, list(heads.values()), body, numeric=numeric))
    return Section(
        "Tool validation",
        "tables_only",
        {
            "lead": _selftest(data, context.record["identification"]["synnodtest"]),
            "tables": tables,
        },
        "" if tables else "No self-test accompanies this run; make one with: synnodtest selftest",
    )


def _selftest(data: Mapping[str, Any], used: str) -> str:
    made = str(data.get("synnodtest", ""))
    text = f"Self-test of synnodtest {made}, {date(data.get('when'))}."
    text += f" Its mutants were made of {data['base']}." if data.get("base") else ""
    text += "" if data.get("holds", True) else " Something in it does NOT hold."
    return text if made == used else f"{text} The run was made with another version, {used}: repeat the self-test."


_FIRST = (
    "mutant",
    "fault",
    "killed_by",
    "what",
    "source",
    "n",
    "expected",
    "got",
    "difference",
    "lower",
    "upper",
    "holds",
)
"""Columns of a self-test that stand in this order, before all others; a record's own keys are sorted."""


def _cell(column: str, value: Any) -> Cell | str:
    if isinstance(value, str) and value in STATUSES:
        return status(value)
    if column == "holds" and value is False:
        return "NO"
    return f"{value:.6g}".replace("-", "\N{MINUS SIGN}") if isinstance(value, float) else value_text(value)


def comparison(context: Context) -> Section:
    """Return what changed against an earlier record."""
    data = context.record.get("comparison") or {}
    changed: list[list[Cell | str]] = [
        [c["id"], status(c["before"]), status(c["after"]), _change(c, "estimate")] for c in data.get("verdicts") or []
    ]
    margins = [[m["id"], m["what"], value_text(m["before"]), value_text(m["after"])] for m in data.get("margins") or []]
    differences: list[list[Cell | str]] = [
        [
            f"{d['behaviour'] or 'all scenes'}: {str(d['metric']).replace('_', ' ')}",
            f"{number(d.get('n'))} / {number(d.get('clusters'))}",
            number(d.get("before")),
            number(d.get("after")),
            number(d.get("value"), "difference"),
            interval(d.get("lower"), d.get("upper"), "difference"),
            "yes" if d.get("shown") else "no",
        ]
        for d in data.get("differences") or []
    ]
    columns = ["What", "Pairs / clusters", "Earlier", "Now", "Difference", "90% interval", "Shows a change"]
    other = [[word, code(i)] for word in ("new", "removed") for i in data.get(word) or []]
    return Section(
        "Comparison",
        "comparison",
        {
            "earlier": [
                ("Earlier run", code(data.get("earlier", ""))),
                ("Of", Cell(date(data.get("started")))),
                ("Its detector", Cell(str(data.get("detector", "")))),
                ("Without a change", Cell(number(data.get("unchanged")))),
                *([("Scenes not in both", Cell(number(data["unpaired"])))] if data.get("unpaired") else []),
            ],
            "margins": table_of("Changed margins and parameters", ["Expectation", "What", "Earlier", "Now"], margins),
            "verdicts": table_of("Changed verdicts", ["Expectation", "Earlier", "Now", "Estimate"], changed),
            "differences": table_of(
                "Paired differences on scenes that both runs have", columns, differences, numeric=columns[1:6]
            ),
            "limits": table_of(
                "Limits on what may change",
                ["Limit", "Kept", "What was found"],
                [
                    [code(one["limit"]), "yes" if one["kept"] else "NO", one["sentence"]]
                    for one in data.get("limits") or []
                ],
            ),
            "other": table_of("New and removed expectations", ["Change", "Expectation"], other),
        },
        "" if data else "No earlier record was given to compare with.",
    )


def _change(entry: Mapping[str, Any], key: str) -> str:
    before, after = entry.get(f"{key}_before"), entry.get(f"{key}_after")
    return f"{number(before)} → {number(after)}"


def sign_off(context: Context) -> Section:
    """Return the block to be signed; the digest stands for the evidence."""
    people = (context.record.get("authored") or {}).get("people") or []
    roles = {p["role"].casefold(): p for p in people}
    meanings = {
        "author": "I have written this report from the evidence named by the digest.",
        "reviewer": "I have checked the report against the evidence.",
        "approver": "I approve the report for its stated purpose.",
    }
    signers = [
        {"role": r.capitalize(), "meaning": m} | {k: v for k, v in roles.pop(r, {}).items() if k != "role" and v}
        for r, m in meanings.items()
    ]
    signers += [{"meaning": "", **p} for p in roles.values()]
    return Section(
        "Sign-off", "sign_off", {"people": signers, "digest": context.digest, "run": context.record["run"]["id"]}
    )


def guide(context: Context) -> Section:
    """Return standards map, glossary and the command that repeats the run."""
    legend: list[list[Cell | str]] = [[status(look.word), look.meaning] for look in STATUSES.values()]
    return Section(
        "Guide",
        "guide",
        {
            "legend": table_of("What the statuses mean", ["Status", "Meaning"], legend),
            "standards": table_of(
                "Where a reader of a standard may look", ["Document", "Topic", "Sections"], STANDARDS
            ),
            "glossary": GLOSSARY,
            "command": shlex.join(context.record["run"]["command"]),
            "commit": context.record["run"].get("commit") or "",
        },
    )
