"""Difference of two rates on different units, independent or clustered, and the test that they are equivalent."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from synnodtest.geometry import Array
from synnodtest.statistics.distributions import normal_cdf, normal_isf, normal_sf
from synnodtest.statistics.estimate import Estimate, check_alpha, check_counts, halved, vector
from synnodtest.statistics.rates import clustered_rate, wilson

_HALVINGS = 80
"""Halvings of an interval at most 2 wide: past the last bit of a double, near 0 too."""
_HALVINGS_OF_P = 16
"""Of the logarithm of an error rate: to within 0.03%, erring upwards; each takes the bounds anew."""


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
    made = partial(Estimate, alpha=alpha, method=method, n=n, clusters=n)
    if min(n1, n2) == 0:
        return made(math.nan, -1.0, 1.0, reason="an empty group")
    reason = "fewer than 2 trials in a group" if min(n1, n2) < 2 else ""
    return made(x1 / n1 - x2 / n2, *bounds(), reason=reason)


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


@dataclass(frozen=True)
class Equivalence:
    """Difference of two rates, and the test that it lies within a margin.

    Attributes:
        difference: p(arm) - p(reference) with its two one-sided bounds.
        margin: What counts as no difference.
        p_value: The larger of the two one-sided p-values (TOST).
        equivalent: Whether both bounds lie within the margin; False where the data cannot say.
    """

    difference: Estimate
    margin: float
    p_value: float
    equivalent: bool


def equivalent_rates(
    arm: ArrayLike,
    arm_clusters: Sequence[ArrayLike],
    reference: ArrayLike,
    reference_clusters: Sequence[ArrayLike],
    *,
    margin: float,
    alpha: float = 0.05,
) -> Equivalence:
    """Test whether two rates on different units differ by less than a margin.

    Each rate enters with the number of independent trials that carry as much (:func:`clustered_rate`); Miettinen and
    Nurminen's score statistic at these sizes gives the bounds and both one-sided tests, so that the rates are
    equivalent exactly where the 1 - 2 alpha interval lies within the margin (Schuirmann, J. Pharmacokinet. Biopharm.
    15 (1987) 657). Where clusters repeat, bounds and tests are no surer than Newcombe's hybrid of each rate's own
    bounds, which allow for clusters unlike all seen.

    Args:
        arm: 1 or True for a success, one per trial.
        arm_clusters: One or more ways in which these trials cluster (host, nodule); the one that leaves the fewest
            independent trials counts.
        reference: The same of the reference.
        reference_clusters: The same of the reference.
        margin: Above 0 and at most 1.
        alpha: One-sided error rate of each bound and test.

    Raises:
        ValueError: the margin is none, lengths differ, or an outcome is neither 0 nor 1.
    """
    check_alpha(alpha)
    if not 0 < margin <= 1:
        raise ValueError(f"a margin of equivalence is above 0 and at most 1, not {margin}")
    first, second = vector(arm, "arm"), vector(reference, "reference")
    n1, n2 = _size(first, arm_clusters, alpha), _size(second, reference_clusters, alpha)
    units, clusters = len(first) + len(second), _clusters(arm_clusters) + _clusters(reference_clusters)
    if min(n1, n2) < 2:
        value = float(first.mean() - second.mean()) if min(len(first), len(second)) else math.nan
        reason = "fewer than two independent units in a group"
        gap = Estimate(value, -1, 1, alpha=alpha, method=METHOD, n=units, clusters=clusters, reason=reason)
        return Equivalence(gap, margin, 1.0, False)
    x1, x2 = float(first.mean()) * n1, float(second.mean()) * n2
    gap = replace(
        miettinen_nurminen(x1, n1, x2, n2, alpha=alpha),
        method=METHOD,
        n=units,
        clusters=clusters,
        extra={"effective_n_arm": n1, "effective_n_reference": n2},
    )
    p_value = max(normal_sf(score_z(x1, n1, x2, n2, -margin)), normal_cdf(score_z(x1, n1, x2, n2, margin)))
    if clusters < units:

        def hybrid(alpha: float) -> tuple[float, float]:
            own = (_least_sure(*side, alpha) for side in ((first, arm_clusters), (second, reference_clusters)))
            return squared_and_added(*own)

        low, high = hybrid(alpha)
        gap = replace(gap, lower=max(-1.0, min(gap.lower, low)), upper=min(1.0, max(gap.upper, high)))
        p_value = max(p_value, _least_alpha(hybrid, margin))
    return Equivalence(gap, margin, p_value, bool(gap.lower > -margin and gap.upper < margin))


METHOD = "miettinen-nurminen at effective sizes"


def _least_alpha(bounds: Callable[[float], tuple[float, float]], margin: float) -> float:
    """Return the smallest error rate, 1e-8 or more, at which bounds lie within a margin; 1 where 0.5 would not do."""

    def outside(log: float) -> bool:
        low, high = bounds(math.exp(log))
        return not (low > -margin and high < margin)

    least, most = math.log(1e-8), math.log(0.4999)
    return 1.0 if outside(most) else math.exp(halved(least, most, outside, _HALVINGS_OF_P)[1])


def _least_sure(hits: Array, clusterings: Sequence[ArrayLike], alpha: float) -> Estimate:
    """Return the rate by the clustering that leaves the fewest independent trials, within the widest bounds of any."""
    each = [clustered_rate(hits, clusters, alpha=alpha) for clusters in clusterings]
    lower, upper = min(one.lower for one in each), max(one.upper for one in each)
    return replace(min(each, key=_independent), lower=lower, upper=upper)


def _independent(estimate: Estimate) -> float:
    return 0.0 if estimate.reason else estimate.extra.get("effective_n", float(estimate.n))


def _size(hits: Array, clusterings: Sequence[ArrayLike], alpha: float) -> float:
    """Return the fewest independent trials that any of the clusterings leaves."""
    return _independent(_least_sure(hits, clusterings, alpha)) if len(hits) and len(clusterings) else 0.0


def _clusters(clusterings: Sequence[ArrayLike]) -> int:
    return min(len(np.unique(np.asarray(clusters))) for clusters in clusterings)
