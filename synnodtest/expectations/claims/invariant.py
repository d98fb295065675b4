"""``invariant``: a perturbation leaves the confidence as it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.expectations.claim import BASE, UNDER, ClaimKind, Searched, rate, rise
from synnodtest.expectations.language import number, option, reference


@dataclass(frozen=True)
class Invariant(Searched):
    """Parameters of ``invariant``."""

    under: Sequence[tuple[str, Any]] = option("The perturbation.", reference("perturbations"), ())
    margin: float = option("Largest change of confidence.", number(above=0), 0.0)
    rate_at_least: float = rate()


CLAIM = ClaimKind(
    name="invariant",
    about="A perturbation leaves the confidence as it is.",
    parameters=Invariant,
    margin=lambda p, trials: float(p.margin) - abs(rise(p, trials, UNDER)),
    words=lambda p: f"the perturbation changes the confidence by less than {p.margin:g}",
    arms=(BASE, UNDER),
    rules={"required": ["under", "margin"]},
    holds=lambda margin: margin > 0,
    fall=lambda p: float(p.margin),
)
