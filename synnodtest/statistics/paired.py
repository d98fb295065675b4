"""Two rates on the same units: paired difference and McNemar's test."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.distributions import binom_half_cdf, binom_half_pmf, normal_isf
from synnodtest.statistics.estimate import Estimate, check_alpha, halved
from synnodtest.statistics.rates import wilson_bounds


@dataclass(frozen=True)
class McNemarResult:
    """Two-sided p-values of McNemar's test: exact, and mid-P."""

    p_value: float
    mid_p_value: float


def _check_table(*cells: float) -> float:
    if any(not math.isfinite(cell) or cell < 0 for cell in cells):
        raise ValueError(f"the cells of a table are finite and not negative, not {cells}")
    return float(sum(cells))


def tango_bounds(n10: float, n01: float, n: float, alpha: float) -> tuple[float, float]:
    """Return Tango's bounds of one table; counts need not be whole, ``n`` is above 0.

    The score statistic falls from +inf at delta = -1 to -inf at +1, so each bound is found by halving an interval,
    which needs no derivative and no value at the ends, where the statistic is 0/0. On plain numbers: arrays of one
    take ten times as long.
    """
    estimate, z = (n10 - n01) / n, normal_isf(alpha)

    def score_exceeds(delta: float, quantile: float) -> bool:
        linear = (2 * n - n10 + n01) * delta - n10 - n01
        free = -n01 * delta * (1 - delta)
        p01 = max((math.sqrt(max(linear**2 - 8 * n * free, 0.0)) - linear) / (4 * n), 0.0)
        spread = math.sqrt(n * max(2 * p01 + delta * (1 - delta), 0.0))
        return n10 - n01 - n * delta > quantile * spread

    lower = sum(halved(-1.0, estimate, lambda delta: score_exceeds(delta, z))) / 2
    upper = sum(halved(estimate, 1.0, lambda delta: score_exceeds(delta, -z))) / 2
    return lower, upper


def shows_above(n10: ArrayLike, n01: ArrayLike, n: ArrayLike, delta: float, alpha: float) -> NDArray[np.bool_]:
    """Return for many tables where Tango's lower bound exceeds ``delta``: where the score statistic at delta exceeds z.

    The variance is that of one pair's difference, p01 at its maximum likelihood under p10 - p01 = delta.
    """
    b, c, total = (np.asarray(count, float) for count in (n10, n01, n))
    linear = (2 * total - b + c) * delta - b - c
    constant = -c * delta * (1 - delta)
    root = np.sqrt(np.maximum(linear**2 - 8 * total * constant, 0.0))
    p01 = np.maximum((root - linear) / (4 * total), 0.0)
    variance = np.maximum(2 * p01 + delta * (1 - delta), 0.0)
    return np.asarray(b - c - total * delta > normal_isf(alpha) * np.sqrt(total * variance), dtype=np.bool_)


def tango(n11: float, n10: float, n01: float, n00: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate p(row 1) - p(row 2) of paired yes/no outcomes with Tango's score bounds.

    The bounds are the differences delta at which the score statistic
    ``(n10 - n01 - n delta) / sqrt(n (2 p01 + delta (1 - delta)))`` equals +-z, p01 being the maximum
    likelihood estimate under delta. Without discordant pairs they are +-z^2 / (n + z^2), not 0.

    Args:
        n11: Pairs in which both succeed.
        n10: Pairs in which only row 1 (the arm) succeeds.
        n01: Pairs in which only row 2 (the reference) succeeds.
        n00: Pairs in which neither succeeds.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate (n10 - n01) / n; NaN within [-1, 1] without pairs.

    Raises:
        ValueError: a cell is negative or not finite.

    Source: Tango, Statist. Med. 17 (1998) 891.
    """
    return _difference((n11, n10, n01, n00), alpha, "tango", lambda n: tango_bounds(float(n10), float(n01), n, alpha))


def _difference(
    cells: tuple[float, float, float, float], alpha: float, method: str, bounds: Callable[[float], tuple[float, float]]
) -> Estimate:
    """Return the estimate of a table n11, n10, n01, n00 with bounds from its total."""
    n, (_, n10, n01, _) = _check_table(*cells), cells
    made = partial(Estimate, alpha=check_alpha(alpha), method=method, n=round(n), clusters=round(n))
    if n == 0:
        return made(math.nan, -1.0, 1.0, reason="no pairs")
    reason = "fewer than 2 pairs" if n < 2 else ""
    return made((n10 - n01) / n, *bounds(n), reason=reason, extra={"discordant": float(n10 + n01)})


def _corrected_phi(n11: float, n10: float, n01: float, n00: float) -> float:
    margins = (n11 + n10) * (n01 + n00) * (n11 + n01) * (n10 + n00)
    if margins == 0:
        return 0.0
    excess = n11 * n00 - n10 * n01
    if excess > 0:
        excess = max(excess - (n11 + n10 + n01 + n00) / 2, 0.0)
    return excess / math.sqrt(margins)


def newcombe_paired(n11: float, n10: float, n01: float, n00: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate p(row 1) - p(row 2) by Newcombe's method 10: a cross-check of :func:`tango`.

    Wilson's bounds of both rates, squared and added with the correlation phi (continuity corrected).
    Arguments, returns and errors are those of :func:`tango`.

    Source: Newcombe, Statist. Med. 17 (1998) 2635, method 10.
    """

    def width(one: float, two: float) -> float:
        phi = _corrected_phi(n11, n10, n01, n00)
        return math.sqrt(max(one * one - 2 * phi * one * two + two * two, 0.0))

    def bounds(n: float) -> tuple[float, float]:
        first, second, value = (n11 + n10) / n, (n11 + n01) / n, (n10 - n01) / n
        (low1, high1), (low2, high2) = (wilson_bounds(n11 + n10, n, alpha), wilson_bounds(n11 + n01, n, alpha))
        lower = max(-1.0, value - width(first - low1, high2 - second))
        return lower, min(1.0, value + width(high1 - first, second - low2))

    return _difference((n11, n10, n01, n00), alpha, "newcombe-paired", bounds)


def mcnemar_exact(n10: int, n01: int) -> McNemarResult:
    """Test whether two paired rates are equal: exact binomial and mid-P, both two-sided.

    Args:
        n10: Pairs in which only the first succeeds.
        n01: Pairs in which only the second succeeds.

    Returns:
        Both p-values; both are 1 without discordant pairs, which prove nothing.

    Raises:
        ValueError: a count is negative.

    Source: Fagerland, Lydersen & Laake, BMC Med. Res. Methodol. 13 (2013) 91.
    """
    n = _check_table(n10, n01)
    if n == 0:
        return McNemarResult(1.0, 1.0)
    tail = binom_half_cdf(min(n10, n01), n)
    point = binom_half_pmf(n10, n)
    if n10 == n01:
        return McNemarResult(1.0, 1.0 - point / 2)
    return McNemarResult(2 * tail, 2 * tail - point)
