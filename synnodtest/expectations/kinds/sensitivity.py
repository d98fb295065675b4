"""``sensitivity``: the rate of planted nodules that a finding at or above the operating point hits."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.expectations.language import Selection, one_of, option, share
from synnodtest.expectations.rate_kind import rate_kind
from synnodtest.expectations.rates import detections, rate_bound
from synnodtest.expectations.rule import selected
from synnodtest.expectations.worst import against_rate, with_worst_case


@dataclass(frozen=True)
class Sensitivity(Selection):
    """Parameters of ``sensitivity``; one bound is given."""

    at_least: float | None = option("Sensitivity must exceed this.", share())
    at_most: float | None = option("Sensitivity must stay below this.", share())


KIND = rate_kind(
    "sensitivity",
    "Share of nodules that are hit at the operating point.",
    Sensitivity,
    bound=rate_bound,
    units=lambda p, evidence: detections(selected(p, evidence), evidence),
    criterion="sensitivity at operating point {point:g}",
    nothing="nodule",
    worst_case=with_worst_case(against_rate),
    rules=one_of("at_least", "at_most"),
    passes_in_silence=lambda p: p.at_most is not None,
    hits_alone=lambda p: p.at_least is not None,
    wants_silence=lambda p: p.at_most is not None,
)
