"""Sample size, data and attrition, scoring rule."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

from synnodtest.record.words import bound_text, duration, expectation_title, number, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.flow import flow_figure
from synnodtest.report.figures.power import power_figure
from synnodtest.report.figures.scoring import scoring_figure
from synnodtest.report.model import Cell, Section, link, table_of

__all__ = ["attrition", "sample_size", "scoring"]


def sample_size(context: Context) -> Section:
    """Return n, clustering and power of each expectation."""
    rows: list[list[Cell | str]] = []
    plans: list[list[Cell | str]] = []
    curves = []
    for e in context.record["expectations"]:
        ruling = e.get("ruling") or {}
        parts = ruling.get("components") or []
        if not parts:
            continue
        name = link(f"{e['behaviour']}: {expectation_title(e)}", f"#{context.anchors[e['id']]}")
        plan = e.get("plan") or {}
        first, alpha = parts[0], ruling.get("alpha") or 0.05
        units, clusters = int(ruling.get("n_nodules") or 0), int(ruling.get("n_clusters") or 0)
        effective = _effective(units, clusters, ruling.get("icc"))
        rows.append(
            [
                name,
                number(units),
                number(clusters),
                number(ruling.get("icc")),
                number(effective) if units else "–",
                bound_text(first),
                number(_least(first, alpha)),
                number(plan.get("least_backgrounds")),
            ]
        )
        if plan.get("assume"):
            plans.append([name, value_text(plan.get("assume")), number(plan.get("power"))])
        if first.get("unit", "rate") == "rate" and first["side"] != "within" and effective:
            curves.append((f"{expectation_title(e)} ({bound_text(first)})", effective, first, alpha))
    columns = ["Expectation", "Units", "Clusters", "ICC", "Effective n", "Required", "Least n that can pass",
               "Fewest backgrounds that can pass"]  # fmt: skip
    planned = ["Expectation", "Assumed", "Planned power"]
    return Section(
        "Sample size",
        "sample_size",
        {
            "table": table_of("Sample size of each expectation", columns, rows, numeric=columns[1:]),
            "plans": table_of("Planned power", planned, plans, numeric=planned[2:]),
            "figure": power_figure(curves[:6], "f-power") if curves else None,
        },
        "" if rows else "No expectation came to an estimate.",
    )


def _effective(units: int, clusters: int, icc: float | None) -> int:
    """Return the number of independent units that carry as much: n over the design effect 1 + (k - 1) ICC."""
    if not units or not clusters:
        return 0
    per_cluster = units / clusters
    correlation = min(max(icc if icc is not None else 0.2, 0.0), 1.0) if per_cluster > 1 else 0.0
    return max(1, round(units / (1 + (per_cluster - 1) * correlation)))


def _least(component: Mapping[str, Any], alpha: float) -> int | None:
    """Return the smallest n at which a flawless detector passes a rate's bound (Clopper-Pearson)."""
    bound = component.get("bound")
    if component.get("unit", "rate") != "rate" or bound is None or component["side"] == "within" or not 0 < bound < 1:
        return None
    base = bound if component["side"] == "above" else 1 - bound
    return math.floor(math.log(alpha) / math.log(base)) + 1


def attrition(context: Context) -> Section:
    """Return how many scenes were asked for and what became of them."""
    data = context.record["attrition"]
    steps = [(w, int(data[w])) for w in ("requested", "synthesized", "accepted", "evaluated") if w in data]
    reasons = [[why, number(count)] for why, count in (data.get("reasons") or {}).items()]
    seconds = data.get("seconds") or {}
    return Section(
        "Data and attrition",
        "attrition",
        {
            "figure": flow_figure(steps, "f-flow") if steps else None,
            "reasons": table_of("Why scenes were lost", ["Reason", "Scenes"], reasons, numeric=["Scenes"]),
            "facts": [
                ("Unique backgrounds", Cell(number(data.get("unique_backgrounds")))),
                ("Unique patients", Cell(number(data.get("unique_patients")))),
                ("Drawn again, as a nodule was rejected at first", Cell(number(data.get("redrawn")))),
                ("Taken from the cache", Cell(number(data.get("from_cache")))),
                *((f"Time for {k}", Cell(duration(v))) for k, v in seconds.items()),
            ],
        },
        "" if steps else "The record holds no counts.",
    )


def scoring(context: Context) -> Section:
    """Return the rule by which a finding hits a nodule, with worked drawings."""
    rules: dict[str, list[str]] = {}
    points: dict[str, list[str]] = {}
    for e in context.record["expectations"]:
        parameters = e.get("parameters") or {}
        matching = parameters.get("matching") or _default(context.behaviour(e), "matching")
        point = parameters.get("operating_point", _default(context.behaviour(e), "operating_point"))
        name = f"{e['behaviour']}: {expectation_title(e)}"
        rules.setdefault(json.dumps(matching, sort_keys=True) if isinstance(matching, Mapping) else "", []).append(name)
        points.setdefault(value_text(point) if point is not None else "0.25 (default)", []).append(name)
    parsed = [(json.loads(text) if text else {}, names) for text, names in rules.items()]
    rows: list[list[Cell | str]] = [
        ["Hit criterion", criterion_text(rule), _used(names, len(rules))] for rule, names in parsed
    ]
    rows += [
        ["Operating point", f"a finding counts from a score of {p}", _used(n, len(points))] for p, n in points.items()
    ]
    first = parsed[0][0] if parsed else {}
    return Section(
        "Scoring rule",
        "scoring",
        {
            "table": table_of("Rules and where they hold", ["Rule", "Value", "Used by"], rows),
            "figure": scoring_figure(first, "f-scoring"),
        },
        "" if rows else "No expectation was collected.",
    )


def _default(behaviour: Mapping[str, Any], key: str) -> Any:
    resolved = behaviour.get("resolved") or {}
    return resolved.get(
        key, (resolved.get("defaults") or {}).get(key) if isinstance(resolved.get("defaults"), Mapping) else None
    )


def criterion_text(rule: Mapping[str, Any]) -> str:
    """Return a matching rule in words."""
    name = rule.get("criterion", "centre-in-nodule")
    if name == "iou":
        return f"overlap (IoU) of the boxes of at least {value_text(rule.get('at_least', 0.2))}"
    if name == "centre-in-nodule":
        return f"centre of the finding within {value_text(rule.get('tolerance_mm', 5))} mm of the nodule's mask"
    return value_text(rule)


def _used(names: list[str], rules: int) -> str:
    return (
        "every expectation"
        if rules == 1
        else "; ".join(names[:8]) + (f"; and {len(names) - 8} more" if len(names) > 8 else "")
    )
