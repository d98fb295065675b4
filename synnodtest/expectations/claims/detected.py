"""``detected``: every nodule of the example is hit."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.expectations.claim import BASE, ClaimKind, Searched, lead_of
from synnodtest.expectations.language import option, share


@dataclass(frozen=True)
class Detected(Searched):
    """Parameters of ``detected``."""

    rate_at_least: float = option("The share.", share(above=0), 0.8)


CLAIM = ClaimKind(
    name="detected",
    about="Every nodule of the example is hit in at least this share of its replicates.",
    parameters=Detected,
    margin=lambda p, trials: min((lead_of(p, n) for n in p.judged(trials[BASE])), default=-p.operating_point),
    words=lambda p: f"its nodules are hit at operating point {p.operating_point:g}",
    rules={"required": ["rate_at_least"]},
    needs_control=False,
)
