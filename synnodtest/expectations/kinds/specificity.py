"""``specificity``: the rate of untouched backgrounds without a finding at or above the operating point."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.kind import false_alarm
from synnodtest.expectations.language import IMAGES, Selection, one_of, option, share
from synnodtest.expectations.rate_kind import rate_kind
from synnodtest.expectations.rates import rate_bound


@dataclass(frozen=True)
class Specificity(Selection):
    """Parameters of ``specificity``; one bound is given."""

    at_least: float | None = option("Specificity must exceed this.", share())
    at_most: float | None = option("Specificity must stay below this.", share())


def _units(parameters: Specificity, evidence: Evidence) -> list[tuple[Trial, bool]]:
    point, trials = evidence.operating_point, evidence.untouched(parameters.arm, where=parameters.where, strict=True)
    return [(t, t.false_positives_at(point) == 0) for t in trials]


KIND = rate_kind(
    "specificity",
    "Share of untouched backgrounds without a finding at the operating point.",
    Specificity,
    bound=rate_bound,
    units=_units,
    criterion="specificity (untouched radiographs without a finding) at operating point {point:g}",
    nothing="untouched background",
    noun="image",
    details=lambda p, evidence: {},
    common=IMAGES,
    rules=one_of("at_least", "at_most"),
    arms=lambda p: (UNTOUCHED_ARM,),
    unit=lambda p: "image",
    needs_nodules=False,
    passes_in_silence=lambda p: p.at_least is not None,
    grade=false_alarm,
)
