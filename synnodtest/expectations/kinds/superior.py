"""``superior``: an arm is better than its reference by more than a margin."""

from __future__ import annotations

from dataclasses import dataclass

from synnodtest.expectations.fewest import superior_backgrounds
from synnodtest.expectations.language import number, option
from synnodtest.expectations.paired import Margined, margin_kind


@dataclass(frozen=True)
class Superior(Margined):
    """Parameters of ``superior``."""

    margin: float = option("Margin, in units of the metric. Default 0.", number(0), 0, stated=True)


def _fewest(parameters: Superior, alpha: float, per_background: float) -> int | None:
    return superior_backgrounds(float(parameters.margin), alpha, per_background) if parameters.rates else None


KIND = margin_kind(
    "superior",
    "The arm is better than its reference by more than the margin.",
    Superior,
    gain=1,
    title="Superiority",
    rules={"required": ["arm", "reference"]},
    asks_little=lambda p: "",
    fewest=_fewest,
    power=None,
)
