"""Scoring: matching rules and operating points."""

from __future__ import annotations

from collections.abc import Mapping

from synnodtest.matching import Matching
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.scoring import scoring_figure
from synnodtest.report.model import Section, Table


def scoring(context: Context) -> Section:
    """Return the rule by which a finding hits a nodule, with worked drawings."""
    rules: dict[Matching, list[str]] = {}
    points: dict[str, list[str]] = {}
    for e in context.record.expectations:
        rule, point = _scoring_of(context, e)
        rules.setdefault(rule, []).append(context.full_title(e))
        told = value_text(point) if point is not None else "0.25 (default)"
        points.setdefault(told, []).append(context.full_title(e))
    rows = [["Hit criterion", criterion_text(rule), _used(names, len(rules))] for rule, names in rules.items()]
    from_score = "a finding counts from a score of"
    rows += [["Operating point", f"{from_score} {p}", _used(names, len(points))] for p, names in points.items()]
    table = Table("Rules and where they hold", ["Rule", "Value", "Used by"], rows)
    figure = scoring_figure(next(iter(rules), Matching()), "f-scoring")
    empty = "" if rows else "No expectation was collected."
    return Section("Scoring rule", "scoring", {"table": table, "figure": figure}, empty)


def _scoring_of(context: Context, e: ExpectationEntry) -> tuple[Matching, object]:
    """Return matching rule and operating point: the expectation's own, its behaviour's, or the defaults of its spec."""
    resolved = context.behaviour(e).resolved
    told = [said for said in (e.parameters, resolved, resolved.get("defaults")) if isinstance(said, Mapping)]
    rule = next((rule for said in told if isinstance(rule := said.get("matching"), Mapping)), None)
    points = (said.get("operating_point") for said in told)
    return Matching.from_dict(rule), next((point for point in points if point is not None), None)


def criterion_text(rule: Matching) -> str:
    """Return a matching rule in words."""
    if rule.criterion == "iou":
        return f"overlap (IoU) of the boxes of at least {rule.at_least:g}"
    return f"centre of the finding within {rule.tolerance_mm:g} mm of the nodule's mask"


def _used(names: list[str], rules: int) -> str:
    more = [f"and {len(names) - 8} more"] if len(names) > 8 else []
    return "every expectation" if rules == 1 else "; ".join([*names[:8], *more])
