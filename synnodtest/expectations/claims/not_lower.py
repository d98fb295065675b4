"""``not_lower``: a second nodule does not lower the confidence of the first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synnodtest.evidence.trial import Trial
from synnodtest.expectations.claim import BASE, COMPANION, ClaimKind, Searched, confidence_of, rate
from synnodtest.expectations.language import option, reference, share


@dataclass(frozen=True)
class NotLower(Searched):
    """Parameters of ``not_lower``."""

    companion: Any = option("The second nodule.", reference("companion"))
    max_drop: float = option("Largest fall of confidence.", share(), 0.0)
    rate_at_least: float = rate()


def _margin(parameters: NotLower, trials: Mapping[str, Trial]) -> float:
    before, after = confidence_of(parameters, trials[BASE]), confidence_of(parameters, trials[COMPANION])
    return after - before + float(parameters.max_drop)


CLAIM = ClaimKind(
    name="not_lower",
    about="A second nodule does not lower the confidence of the first.",
    parameters=NotLower,
    margin=_margin,
    words=lambda p: f"a second nodule lowers the confidence by at most {p.max_drop:g}",
    arms=(BASE, COMPANION),
    rules={"required": ["max_drop"]},
    needs_companion=True,
)
