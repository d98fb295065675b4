"""Scoring: matching rules and operating points."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from synnodtest.decoding import JsonObject, decode
from synnodtest.record.model import ExpectationEntry
from synnodtest.record.words import value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.scoring import MatchingRule, scoring_figure
from synnodtest.report.model import Section, Table


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
    table = Table("Rules and where they hold", ["Rule", "Value", "Used by"], rows)
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
