"""Sample size, data and attrition, scoring rule."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.decoding import JsonObject, decode
from synnodtest.record.brief import which_of_several
from synnodtest.record.model import ComponentEntry, ExpectationEntry, RulingEntry
from synnodtest.record.model.judged import PlanEntry
from synnodtest.record.rejections import by_kind
from synnodtest.record.words import bound_text, duration, joined, number, plural, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.flow import flow_figure
from synnodtest.report.figures.power import power_figure
from synnodtest.report.figures.scoring import MatchingRule, scoring_figure
from synnodtest.report.model import Cell, Section, link, table_of
from synnodtest.statistics import DEFAULT_ICC, design_effect, smallest_n_rate


def sample_size(context: Context) -> Section:
    """Return n, clustering and power of each expectation."""
    rows: list[list[Cell | str]] = []
    plans: list[list[Cell | str]] = []
    curves = []
    for e in context.record.expectations:
        if e.ruling is None or not e.components:
            continue
        first, alpha = e.components[0], e.ruling.alpha or 0.05
        words = [context.full_title(e), which_of_several(e.ruling, first)]
        name = link(", ".join(filter(None, words)), f"#{context.anchors[e.id]}")
        effective = _effective(e.ruling)
        plan = e.plan or PlanEntry()
        least = None if e.is_search else _least(first, alpha)
        rows.append([name, *_sizes(e.ruling, first), number(least), number(plan.least_backgrounds)])
        if plan.assume:
            plans.append([name, value_text(plan.assume), number(plan.power)])
        several = (e.ruling.n_clusters or 0) > 1  # a single patient never decides
        can = several and not e.is_search and (e.ruling.n_backgrounds or 0) >= (plan.least_backgrounds or 0)
        if _exact_bound(first) is not None and effective and can:
            curves.append((context.title(e), effective, first, alpha))
    columns = ["Expectation", "Units", "Clusters", "ICC", "Effective n", "Required", "Least n that can pass",
               "Fewest backgrounds that can pass"]  # fmt: skip
    planned = ["Expectation", "Assumed", "Planned power"]
    return Section(
        "Sample size",
        "sample_size",
        {
            "table": table_of("Sample size of each expectation", columns, rows, numeric=columns[1:]),
            "plans": table_of("Planned power", planned, plans, numeric=planned[2:]),
            "figure": power_figure(curves, "f-power") if curves else None,
        },
        "" if rows else "No expectation came to an estimate.",
    )


def _sizes(ruling: RulingEntry, first: ComponentEntry) -> list[str]:
    units, effective = ruling.n_nodules, number(_effective(ruling)) if ruling.n_nodules else "–"
    cells = [number(units), number(ruling.n_clusters), number(ruling.icc), effective]
    return [*cells, bound_text(first)]


def _effective(ruling: RulingEntry) -> int:
    """Return the number of independent units that carry as much: n over the design effect 1 + (k - 1) ICC."""
    units, clusters, icc = ruling.n_nodules, ruling.n_clusters, ruling.icc
    if not units or not clusters:
        return 0
    correlation = min(max(icc if icc is not None else DEFAULT_ICC, 0.0), 1.0)
    return max(1, round(units / design_effect(max(units / clusters, 1), correlation)))


def _least(component: ComponentEntry, alpha: float) -> int | None:
    """Return the smallest n at which a flawless detector passes a rate's bound (Clopper-Pearson)."""
    bound = _exact_bound(component)
    if bound is None or not 0 < bound < 1:
        return None
    return smallest_n_rate(bound, alpha=alpha, below=component.side == "below")


def _exact_bound(component: ComponentEntry) -> float | None:
    """Return the bound of what Clopper-Pearson decides; None of areas under curves, and of what e-values decide."""
    exact = component.method.casefold().startswith(("clopper-pearson", "korn-graubard"))
    return component.rate_bound if exact and component.side != "within" else None


def attrition(context: Context) -> Section:
    """Return how many scenes were asked for and what became of them."""
    data = context.record.attrition
    words = ("requested", "synthesized", "accepted", "evaluated")
    steps = [(word, int(count)) for word in words if (count := getattr(data, word)) is not None]
    reasons = [[why, number(count)] for why, count in by_kind(data.reasons).items()]
    bare = sum(scene.untouched for scene in context.record.accepted)
    evaluated = data.evaluated if data.evaluated is not None else len(context.record.accepted)
    return Section(
        "Data and attrition",
        "attrition",
        {
            "figure": flow_figure(steps, "f-flow") if any(count for _, count in steps) else None,
            "note": " ".join(_not_counted(context.record.expectations)),
            "reasons": table_of("Why scenes were lost", ["Reason", "Scenes"], reasons, numeric=["Scenes"]),
            "facts": [
                ("Evaluated with something planted, each arm counted", Cell(number(evaluated - bare))),
                ("Evaluated untouched", Cell(number(bare))),
                ("Unique backgrounds", Cell(number(data.unique_backgrounds))),
                ("Unique patients", Cell(number(data.unique_patients))),
                ("Drawn again, as a nodule was rejected at first", Cell(number(data.redrawn))),
                ("Taken from the cache, those of searches and controls included", Cell(number(data.from_cache))),
                *((_TIMES.get(k, f"Time for {k}"), Cell(duration(v))) for k, v in data.seconds.items()),
                ("Time of the whole run", Cell(duration(context.record.run.seconds))),
            ],
        },
        "" if steps else "The record holds no counts.",
    )


def _not_counted(expectations: Sequence[ExpectationEntry]) -> Iterator[str]:
    """Yield which scenes are not among those counted."""
    searched = list(dict.fromkeys(e.behaviour for e in expectations if e.is_search))
    lost = sum(e.ruling is None for e in expectations)
    if searched:
        remark = "only the scenes that confirm and describe what they found are counted here."
        yield f"Of searches ({joined(searched)}) {remark}"
    if lost:
        yield f"Scenes of {plural(lost, 'expectation')} without a ruling are not counted, unless others share them."


_TIMES = {"synthesis": "Time within the synthesizer", "detection": "Time within the detector"}


@dataclass(frozen=True)
class _Scored:
    """Scoring of findings, as parameters of an expectation or defaults of a behaviour say it."""

    matching: Any = None
    operating_point: Any = None
    defaults: Any = None


def scoring(context: Context) -> Section:
    """Return the rule by which a finding hits a nodule, with worked drawings."""
    rules: dict[str, list[str]] = {}
    points: dict[str, list[str]] = {}
    for e in context.record.expectations:
        rule, point = _scoring_of(context, e)
        name = context.full_title(e)
        rules.setdefault(json.dumps(rule, sort_keys=True) if isinstance(rule, dict) else "", []).append(name)
        points.setdefault(value_text(point) if point is not None else "0.25 (default)", []).append(name)
    parsed = [(json.loads(text) if text else {}, names) for text, names in rules.items()]
    rows = [["Hit criterion", criterion_text(rule), _used(names, len(rules))] for rule, names in parsed]
    from_score = "a finding counts from a score of"
    rows += [["Operating point", f"{from_score} {p}", _used(names, len(points))] for p, names in points.items()]
    table = table_of("Rules and where they hold", ["Rule", "Value", "Used by"], rows)
    figure = scoring_figure(decode(MatchingRule, parsed[0][0] if parsed else {}), "f-scoring")
    empty = "" if rows else "No expectation was collected."
    return Section("Scoring rule", "scoring", {"table": table, "figure": figure}, empty)


def _scoring_of(context: Context, e: ExpectationEntry) -> tuple[Any, Any]:
    """Return matching rule and operating point: the expectation's own, its behaviour's, or the defaults of its spec."""
    own, of = decode(_Scored, e.parameters), decode(_Scored, context.behaviour(e).resolved)
    usual = decode(_Scored, of.defaults if isinstance(of.defaults, dict) else {})
    rule = own.matching or of.matching or usual.matching
    points = (own.operating_point, of.operating_point, usual.operating_point)
    return rule, next((point for point in points if point is not None), None)


def criterion_text(plain: JsonObject) -> str:
    """Return a matching rule in words."""
    rule = decode(MatchingRule, plain)
    if rule.criterion == "iou":
        return f"overlap (IoU) of the boxes of at least {value_text(rule.at_least)}"
    if rule.criterion == "centre-in-nodule":
        return f"centre of the finding within {value_text(rule.tolerance_mm)} mm of the nodule's mask"
    return value_text(plain)


def _used(names: list[str], rules: int) -> str:
    more = [f"and {len(names) - 8} more"] if len(names) > 8 else []
    return "every expectation" if rules == 1 else "; ".join([*names[:8], *more])
