"""``no_reversal``: a larger nodule at the same place does not score lower."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.expectations.claim import BASE, GROWN, ClaimKind, Searched, rate, rise
from synnodtest.expectations.language import choice, number, option, share


@dataclass(frozen=True)
class NoReversal(Searched):
    """Parameters of ``no_reversal``."""

    over: str = option(
        "The quantity that grows. Default diameter_mm.",
        choice("diameter_mm", "contrast", "density"),
        "diameter_mm",
        stated=True,
    )
    factor: float = option("By this factor. Default 1.5.", number(None, 10, above=1), 1.5, stated=True)
    max_drop: float = option("Largest fall of confidence.", share(), 0.0)
    rate_at_least: float = rate()


CLAIM = ClaimKind(
    name="no_reversal",
    about="A larger nodule at the same place does not score lower.",
    parameters=NoReversal,
    margin=lambda p, trials: rise(p, trials, GROWN) + float(p.max_drop),
    words=lambda p: f"growing {p.over} by a factor of {p.factor:g} lowers the confidence by at most {p.max_drop:g}",
    arms=(BASE, GROWN),
    rules={"required": ["max_drop"]},
    fall=lambda p: float(p.max_drop),
)
