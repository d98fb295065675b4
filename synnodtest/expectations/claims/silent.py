"""``silent``: nothing is reported, in a region or anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from synnodtest.evidence.regions import RegionExpression, lies_in
from synnodtest.evidence.trial import Trial
from synnodtest.expectations.claim import BASE, JUST_BROKEN, ClaimKind, Searched, rate
from synnodtest.expectations.language import REGION, option


@dataclass(frozen=True)
class Silent(Searched):
    """Parameters of ``silent``."""

    region: RegionExpression | None = option(*REGION)
    rate_at_least: float = rate()


def _margin(parameters: Silent, trials: Mapping[str, Trial]) -> float:
    region, point = parameters.region, parameters.operating_point
    there = (s for s in trials[BASE].sightings if region is None or lies_in(region, s.regions))
    loudest = max((s.finding.score for s in there), default=0.0)
    return point - loudest if loudest < point else min(point - loudest, JUST_BROKEN)


CLAIM = ClaimKind(
    name="silent",
    about="Nothing is reported (in a region, or on the whole radiograph).",
    parameters=Silent,
    margin=_margin,
    words=lambda p: f"nothing is reported at operating point {p.operating_point:g}",
    passes_in_silence=True,
    plants=False,
)
