"""``not_lower``: a second nodule does not lower the confidence of the first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from synnodtest.expectations.claim import BASE, COMPANION, ClaimKind, Searched, rate, rise
from synnodtest.expectations.language import option, reference, share


@dataclass(frozen=True)
class NotLower(Searched):
    """Parameters of ``not_lower``."""

    companion: Any = option("The second nodule.", reference("companion"))
    max_drop: float = option("Largest fall of confidence.", share(), 0.0)
    rate_at_least: float = rate()


CLAIM = ClaimKind(
    name="not_lower",
    about="A second nodule does not lower the confidence of the first.",
    parameters=NotLower,
    margin=lambda p, trials: rise(p, trials, COMPANION) + float(p.max_drop),
    words=lambda p: f"a second nodule lowers the confidence by at most {p.max_drop:g}",
    arms=(BASE, COMPANION),
    rules={"required": ["max_drop"]},
    needs_companion=True,
    fall=lambda p: float(p.max_drop),
)
