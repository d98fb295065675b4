"""Difference of two rates on different, independent units."""

from __future__ import annotations

import math
from collections.abc import Callable

from synnodtest.statistics.distributions import normal_isf
from synnodtest.statistics.estimate import Estimate, check_alpha, check_counts, halved, unknown
from synnodtest.statistics.rates import wilson

_HALVINGS = 80
"""Halvings of an interval at most 2 wide: past the last bit of a double, near 0 too."""


def _constrained(x1: float, n1: float, x2: float, n2: float, delta: float) -> tuple[float, float]:
    """Maximum likelihood rates (p1, p2) under p1 - p2 = delta: the middle root of a cubic in p2."""
    total, successes = n1 + n2, x1 + x2
    cubic = total
    square = (n1 + 2 * n2) * delta - total - successes
    linear = (n2 * delta - total - 2 * x2) * delta + successes
    constant = x2 * delta * (1 - delta)
    shift = square / (3 * cubic)
    q = shift**3 - square * linear / (6 * cubic**2) + constant / (2 * cubic)
    p = math.copysign(math.sqrt(max(shift**2 - linear / (3 * cubic), 0.0)), q)
    ratio = min(1.0, max(-1.0, q / p**3)) if p else 0.0
    angle = (math.pi + math.acos(ratio)) / 3
    second = min(max(2 * p * math.cos(angle) - shift, max(0.0, -delta)), min(1.0, 1 - delta))
    return min(1.0, max(0.0, second + delta)), second


def score_z(x1: float, n1: float, x2: float, n2: float, delta: float, corrected: bool = True) -> float:
    """Return Miettinen and Nurminen's score statistic of p1 - p2 = delta: standard normal where that holds."""
    gap = x1 / n1 - x2 / n2 - delta
    p1, p2 = _constrained(x1, n1, x2, n2, delta)
    variance = p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2
    if corrected:
        variance *= (n1 + n2) / (n1 + n2 - 1)
    if variance <= 0.0:
        return math.copysign(math.inf, gap) if gap else 0.0
    return gap / math.sqrt(variance)


def _difference(
    x1: float, n1: float, x2: float, n2: float, alpha: float, method: str, bounds: Callable[[], tuple[float, float]]
) -> Estimate:
    check_alpha(alpha)
    check_counts(x1, n1)
    check_counts(x2, n2)
    n = round(n1 + n2)
    if min(n1, n2) == 0:
        return unknown(-1.0, 1.0, alpha=alpha, method=method, reason="an empty group", n=n)
    reason = "fewer than 2 trials in a group" if min(n1, n2) < 2 else ""
    return Estimate(x1 / n1 - x2 / n2, *bounds(), alpha=alpha, method=method, n=n, clusters=n, reason=reason)


def miettinen_nurminen(
    x1: float, n1: float, x2: float, n2: float, *, alpha: float = 0.05, corrected: bool = True
) -> Estimate:
    """Estimate p1 - p2 of independent groups with Miettinen and Nurminen's score bounds.

    The bounds are the differences delta at which ``(p1 - p2 - delta) / sqrt(V)`` equals +-z, V the variance at
    the maximum likelihood rates that differ by delta.

    Args:
        x1: Successes of the first group.
        n1: Units of the first group.
        x2: Successes of the second group.
        n2: Units of the second group.
        alpha: One-sided error rate of each bound.
        corrected: Multiply V by N/(N-1), as Miettinen and Nurminen do; False gives Mee's interval.

    Returns:
        The estimate; NaN within [-1, 1] if a group is empty.

    Raises:
        ValueError: the counts are impossible.

    Source: Miettinen & Nurminen, Statist. Med. 4 (1985) 213; Mee, Biometrics 40 (1984) 1175.
    """

    def bounds() -> tuple[float, float]:
        value, quantile = x1 / n1 - x2 / n2, normal_isf(alpha)
        return root(-1.0, value, quantile), root(value, 1.0, -quantile)

    def root(low: float, high: float, target: float) -> float:
        return sum(halved(low, high, lambda delta: score_z(x1, n1, x2, n2, delta, corrected) > target, _HALVINGS)) / 2

    return _difference(x1, n1, x2, n2, alpha, "miettinen-nurminen" if corrected else "mee", bounds)


def newcombe(x1: float, n1: float, x2: float, n2: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate p1 - p2 of independent groups by Newcombe's hybrid of Wilson's bounds (method 10).

    Arguments, returns and errors are those of :func:`miettinen_nurminen`.

    Source: Newcombe, Statist. Med. 17 (1998) 873, method 10.
    """

    def bounds() -> tuple[float, float]:
        lower, upper = squared_and_added(wilson(x1, n1, alpha=alpha), wilson(x2, n2, alpha=alpha))
        return max(-1.0, lower), min(1.0, upper)

    return _difference(x1, n1, x2, n2, alpha, "newcombe", bounds)


def squared_and_added(first: Estimate, second: Estimate) -> tuple[float, float]:
    """Return Newcombe's bounds of the difference of two independent estimates: their distances squared and added."""
    value = first.value - second.value
    lower = math.hypot(first.value - first.lower, second.upper - second.value)
    upper = math.hypot(first.upper - first.value, second.value - second.lower)
    return value - lower, value + upper
