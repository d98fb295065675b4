"""Each expectation with its estimate, interval and figure; multiplicity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import (
    bound_text,
    duration,
    estimate,
    expectation_title,
    interval,
    number,
    shown_status,
    value_text,
)
from synnodtest.report.context import Context
from synnodtest.report.figures.kinds import figure_of
from synnodtest.report.figures.strip import domain_of, strip
from synnodtest.report.model import Cell, Section, Table, code, link, status, table_of
from synnodtest.report.sections.descriptive import is_curve
from synnodtest.report.sections.verdict import sentence

__all__ = ["multiplicity", "results"]

_ROLES = {"decides": "", "gate": "gate: can only withhold a pass", "shown": "shown only, decides nothing"}


def results(context: Context) -> Section:
    """Return every expectation in full."""
    groups = [{"behaviour": b, "items": [_item(context, e) for e in items]} for b, items in context.grouped() if items]
    return Section("Results", "results", {"groups": groups}, "" if groups else "No expectation was tested.")


def _item(context: Context, expectation: Mapping[str, Any]) -> dict[str, Any]:
    ruling = expectation.get("ruling") or {}
    anchor, curve = context.anchors[expectation["id"]], is_curve(expectation)
    return {
        "anchor": anchor,
        "id": expectation["id"],
        "title": expectation_title(expectation),
        "status": shown_status(expectation),
        "ruled": expectation["status"] if shown_status(expectation) == "WAIVED" else "",
        "waived": expectation.get("waived"),
        "waiver_word": _waiver_word(expectation),
        "sentence": sentence(expectation, ruling),
        "error": expectation.get("error", "") if ruling else "",
        "facts": _facts(expectation, ruling),
        "components": _components(ruling),
        "notes": list(ruling.get("notes") or []),
        "details": [_detail(title, rows) for title, rows in (ruling.get("details") or {}).items()],
        "figure": None if curve or not ruling else figure_of(expectation, f"f-{anchor}", context.record["scenes"]),
        "curve": f"#c-{anchor}" if ruling and curve else "",
        "explore": f"{context.explore}#expectation={int(anchor[1:]) - 1}" if context.explore and ruling else "",
        "gallery": f"#g-{anchor}" if expectation["id"] in context.with_gallery else "",
    }


def _waiver_word(expectation: Mapping[str, Any]) -> str:
    if (expectation.get("waived") or {}).get("expired"):
        return "A waiver has expired and covers nothing."
    return "Waived." if shown_status(expectation) == "WAIVED" else "A waiver is there that covers nothing here."


def _facts(expectation: Mapping[str, Any], ruling: Mapping[str, Any]) -> list[tuple[str, Cell]]:
    facts = [("Node", code(expectation["id"]))]
    if ruling:
        facts += [("Criterion", Cell(ruling["criterion"]))]
        n, b, c = (ruling.get(k) or 0 for k in ("n_nodules", "n_backgrounds", "n_clusters"))
        facts.append(("n", Cell(f"{number(n)} units on {number(b)} backgrounds in {number(c)} independent clusters")))
        if ruling.get("icc") is not None:
            facts.append(("Intra-cluster correlation", Cell(number(ruling["icc"]))))
        p, holm = ruling.get("p_value"), expectation.get("p_holm")
        if p is not None:
            facts.append(("p, raw", Cell(_p(p))))
        if holm is not None:
            facts.append(("p, Holm", Cell(_p(holm))))
    told = {
        k: v for k, v in (expectation.get("parameters") or {}).items() if k != "rationale" and v not in ("", {}, [])
    }
    if told:
        facts.append(("Parameters", Cell(value_text(told))))
    if expectation.get("rationale"):
        facts.append(("Rationale", Cell(expectation["rationale"])))
    if expectation["scenes"]:
        facts.append(("Scenes", Cell(number(len(expectation["scenes"])))))
    if expectation.get("seconds"):
        facts.append(("Time", Cell(duration(expectation["seconds"]))))
    return facts


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def _components(ruling: Mapping[str, Any]) -> Table | None:
    parts = ruling.get("components") or []
    if not parts:
        return None
    level = f"{100 * (1 - 2 * (ruling.get('alpha') or 0.05)):g}% interval"
    rows: list[list[Cell | str]] = []
    for part in parts:
        value, ends = estimate(part)
        rows.append(
            [
                Cell(part["label"], note=_ROLES[part.get("role", "decides")]),
                value,
                ends,
                interval(part.get("lower95"), part.get("upper95"), part.get("unit", "")),
                bound_text(part),
                Cell(markup=strip(part, domain_of([part]))),
                part["method"],
                status(part["status"]) if part.get("role") != "shown" else Cell("–"),
            ]
        )
    columns = [
        "Estimate",
        "Value",
        level,
        "95% interval",
        "Required",
        "Interval against bound",
        "Method",
        "Says",
    ]
    return table_of(
        "Estimates against their bounds", columns, rows, numeric=["Value", level, "95% interval", "Required"]
    )


def _detail(title: str, rows: Any) -> Table:
    """Return a table of a ruling's details, whatever its columns are."""
    if isinstance(rows, list) and rows and all(isinstance(r, Mapping) for r in rows):
        there = list(dict.fromkeys(str(c) for r in rows for c in r))
        columns = sorted(there, key=lambda c: all(isinstance(r.get(c), (int, float)) for r in rows))
        body: list[list[Cell | str]] = [[_plain(r.get(c)) for c in columns] for r in rows]
        numeric = [c for c in columns if all(isinstance(r.get(c), (int, float)) for r in rows)]
        return table_of(title[:1].upper() + title[1:], columns, body, numeric=numeric, most=60)
    return table_of(title[:1].upper() + title[1:], ["value"], [[value_text(rows)]])


def _plain(value: Any) -> str:
    if isinstance(value, float) or (isinstance(value, int) and not isinstance(value, bool)):
        return number(value)
    return value_text(value)


def multiplicity(context: Context) -> Section:
    """Return families, gates and procedure."""
    expectations = context.record["expectations"]
    families = Counter((context.gate(e), shown_status(e)) for e in expectations)
    gates = [g for g in ("integrity", "safety", "performance", "exploratory") if any(k[0] == g for k in families)]
    gates += sorted({k[0] for k in families} - set(gates))
    words = [w for w in context.counts if context.counts[w]]
    rows: list[list[Cell | str]] = [[g, *(number(families[g, w]) for w in words)] for g in gates]
    alarms: list[list[Cell | str]] = [
        [
            link(f"{e['behaviour']}: {expectation_title(e)}", f"#{context.anchors[e['id']]}"),
            _p(e["ruling"]["p_value"]) if (e.get("ruling") or {}).get("p_value") is not None else "–",
            _p(e["p_holm"]) if e.get("p_holm") is not None else "–",
            status(shown_status(e)),
        ]
        for e in expectations
        if e.get("p_holm") is not None or (e.get("ruling") or {}).get("p_value") is not None
    ]
    return Section(
        "Multiplicity",
        "multiplicity",
        {
            "gates": table_of(
                "Expectations by gate",
                ["Gate", *[w.capitalize() for w in words]],
                rows,
                numeric=[w.capitalize() for w in words],
            ),
            "alarms": table_of(
                "Raw and adjusted p values",
                ["Expectation", "p, raw", "p, Holm", "Says"],
                alarms,
                numeric=["p, raw", "p, Holm"],
            ),
        },
        "" if expectations else "No expectation was tested.",
    )
