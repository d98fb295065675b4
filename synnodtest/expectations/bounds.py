"""An estimator held against a bound: status, interval and p value of one component."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from synnodtest.evidence.ruling import Component, Role, Side, Status, decide
from synnodtest.statistics import Estimate
from synnodtest.statistics.estimate import halved

Estimator = Callable[[float], Estimate]
"""From the one-sided error rate to the estimate, so that the 95% interval can be shown beside the decision."""

_LEAST_P = 1e-8
"""Smallest p value that is told; smaller ones would rest on tails that bootstraps and approximations do not know."""
_HALVINGS = 12
"""Halvings on the scale of logarithms: a p value to within 0.5%, erring upwards; each takes an estimate anew."""


def no_narrower(drawn: Estimate, exact: Estimate) -> Estimate:
    """Return an estimate whose bounds reach at least as far as those of an exact one."""
    lower, upper = min(drawn.lower, exact.lower), max(drawn.upper, exact.upper)
    return replace(drawn, lower=lower, upper=upper, method=f"{drawn.method}, no narrower than {exact.method}")


@dataclass(frozen=True)
class Held:
    """An estimator held against a bound.

    Args:
        part: What the ruling says of it.
        estimate: The estimate at the expectation's error rate.
        estimator: Makes it for any error rate.
    """

    part: Component
    estimate: Estimate
    estimator: Estimator

    @property
    def p_value(self) -> float:
        """One-sided p against the bound, on the failing side; NaN where nothing can be decided."""
        if not self.estimate.usable:
            return math.nan
        return alarm_p(self.estimator, self.part.bound, self.part.side)


def hold(
    name: str,
    label: str,
    estimator: Estimator,
    alpha: float,
    bound: float,
    side: Side,
    *,
    role: Role = "decides",
    unit: str = "rate",
) -> Held:
    """Hold an estimator's bounds at error rate ``alpha`` against ``bound``.

    An estimate on which no decision may rest (one cluster, too little data) is INCONCLUSIVE whatever its bounds.
    """
    estimate, wide = estimator(alpha), estimator(0.025)
    status = decide(estimate.lower, estimate.upper, bound, side) if estimate.usable else Status.INCONCLUSIVE
    part = Component(
        name=name,
        label=label,
        value=estimate.value,
        lower=estimate.lower,
        upper=estimate.upper,
        bound=bound,
        side=side,
        status=status,
        method=estimate.method,
        lower95=wide.lower,
        upper95=wide.upper,
        role=role,
        unit=unit,
    )
    return Held(part, estimate, estimator)


def alarm_p(estimator: Estimator, bound: float, side: Side) -> float:
    """Return the smallest error rate at which the interval lies wholly on the wrong side of the bound.

    It is searched between 1e-8 and 0.5 and rounded up by less than half a percent; 1 where 0.5 would not do.
    """

    def fails(alpha: float) -> bool:
        estimate = estimator(alpha)
        return estimate.usable and decide(estimate.lower, estimate.upper, bound, side) is Status.FAILED

    value = estimator(0.05).value
    good = {"above": value >= bound, "below": value <= bound, "within": abs(value) <= bound}[side]
    if math.isnan(value) or good or not fails(0.4999):
        return 1.0
    low, high = math.log(_LEAST_P), math.log(0.4999)
    if fails(_LEAST_P):
        return _LEAST_P
    return math.exp(halved(low, high, lambda log: not fails(math.exp(log)), _HALVINGS)[1])
