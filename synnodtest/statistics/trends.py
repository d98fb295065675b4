"""Tests of a rising trend, and the exact interval of a paired shift."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Literal

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array
from synnodtest.statistics.distributions import normal_cdf, normal_isf, normal_sf
from synnodtest.statistics.estimate import Estimate, TestResult, check_alpha, vector, vectors

_EXACT_UP_TO = 50
"""Pairs up to which signed ranks are counted out, as ``scipy.stats.wilcoxon`` does; beyond, the normal approximation is
near enough."""
Alternative = Literal["two-sided", "increasing", "decreasing"]


def page_trend(table: ArrayLike) -> TestResult:
    """Test whether responses rise over the columns (Page's L): it supports a verdict, it never makes one.

    Where trends differ between backgrounds the test rejects too often (up to 17% at a nominal 5%).

    Args:
        table: One row per background, one column per level in the order predicted to rise; shape (B, L), L >= 3.

    Returns:
        L and its one-sided p-value, exact where SciPy is; p = 1 where every row is constant or the
        table has fewer than 2 rows or 3 columns.

    Raises:
        ValueError: the table is not two-dimensional or holds NaN.

    Source: Page, J. Am. Stat. Assoc. 58 (1963) 216.
    """
    values = np.asarray(table, dtype=np.float64)
    if values.ndim != 2 or np.isnan(values).any():
        raise ValueError("a table has shape (backgrounds, levels) and no missing values")
    rows, levels = values.shape
    if rows < 2 or levels < 3 or (values == values[:, :1]).all():
        return TestResult(float((scipy.stats.rankdata(values, axis=1) @ np.arange(1, levels + 1)).sum()), 1.0)
    result = scipy.stats.page_trend_test(values)
    return TestResult(float(result.statistic), float(result.pvalue))


def _pair_score(lower: Array, upper: Array) -> float:
    ordered = np.sort(lower)
    below = np.searchsorted(ordered, upper, side="left")
    not_above = np.searchsorted(ordered, upper, side="right")
    return float((below + not_above).sum()) / 2


def _jonckheere_variance(sizes: Array, ties: Array) -> float:
    n = float(sizes.sum())
    first = n * (n - 1) * (2 * n + 5) - sum(float((k * (k - 1) * (2 * k + 5)).sum()) for k in (sizes, ties))
    second = math.prod(float((k * (k - 1) * (k - 2)).sum()) for k in (sizes, ties))
    third = math.prod(float((k * (k - 1)).sum()) for k in (sizes, ties))
    variance = first / 72
    if n > 2:
        variance += second / (36 * n * (n - 1) * (n - 2))
    return variance + third / (8 * n * (n - 1))


def jonckheere_terpstra(groups: Sequence[ArrayLike], *, alternative: Alternative = "two-sided") -> TestResult:
    """Test for a trend over ordered independent groups, with the variance corrected for ties: support only.

    Args:
        groups: One sequence of responses per level, in the order predicted to rise.
        alternative: ``"two-sided"``, ``"increasing"`` or ``"decreasing"``.

    Returns:
        z (positive for a rise) and its normal p-value; z = 0 and p = 1 where all responses are tied or fewer than two
        groups hold any.

    Raises:
        ValueError: a response is NaN or the alternative is not known.

    Source: Jonckheere, Biometrika 41 (1954) 133; Hollander, Wolfe & Chicken, Nonparametric Statistical
    Methods (2014), section 6.2.
    """
    if alternative not in ("two-sided", "increasing", "decreasing"):
        raise ValueError(f"alternative is 'two-sided', 'increasing' or 'decreasing', not {alternative!r}")
    samples = [vector(group, "a group") for group in groups]
    samples = [sample for sample in samples if len(sample)]
    if any(np.isnan(sample).any() for sample in samples):
        raise ValueError("a response is missing")
    if len(samples) < 2:
        return TestResult(0.0, 1.0)
    sizes = np.array([len(sample) for sample in samples], dtype=np.float64)
    score = sum(_pair_score(a, b) for i, a in enumerate(samples) for b in samples[i + 1 :])
    expected = float(sizes.sum() ** 2 - (sizes**2).sum()) / 4
    ties = np.unique(np.concatenate(samples), return_counts=True)[1].astype(np.float64)
    variance = _jonckheere_variance(sizes, ties)
    if variance <= 1e-12:
        return TestResult(0.0, 1.0)
    z = (score - expected) / math.sqrt(variance)
    tail = {"two-sided": 2 * normal_sf(abs(z)), "increasing": normal_sf(z), "decreasing": normal_cdf(z)}
    return TestResult(z, float(tail[alternative]))


def _signed_rank_quantile(n: int, alpha: float) -> int:
    """Return the largest k with P(T+ < k) <= alpha under symmetry, T+ the signed-rank sum of n."""
    ways = np.zeros(n * (n + 1) // 2 + 1)
    ways[0] = 1.0
    for rank in range(1, n + 1):
        ways[rank:] += ways[: len(ways) - rank].copy()
        ways /= 2.0
    return int(np.searchsorted(np.cumsum(ways), alpha, side="right"))


def hodges_lehmann(x: ArrayLike, y: ArrayLike, *, alpha: float = 0.05) -> Estimate:
    """Estimate the paired shift x - y: median of the Walsh averages, exact signed-rank interval.

    Exact up to 50 pairs, normal beyond. It supposes that differences are symmetric about the shift, and independent;
    ties only make it wider.

    Args:
        x: Responses of the arm; shape (n,).
        y: Responses of the reference, paired with ``x``.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate. Where n is too small for the level (below 5 at alpha 0.05), or a difference is not finite,
        the bounds are infinite; where all differences agree too, for the test then knows no spread.

    Raises:
        ValueError: lengths differ.

    Source: Hodges & Lehmann, Ann. Math. Stat. 34 (1963) 598; Hollander, Wolfe & Chicken (2014), section 3.3.
    """
    first, second = vectors(x=x, y=y)
    with np.errstate(invalid="ignore"):
        d = first - second
    n = len(d)
    made = partial(Estimate, alpha=check_alpha(alpha), method="hodges-lehmann", n=n, clusters=n)
    if n == 0 or not np.isfinite(d).all():
        return made(math.nan, -math.inf, math.inf, reason="values are missing or infinite" if n else "no pairs")
    rows, columns = np.triu_indices(n)
    walsh = np.sort((d[rows] + d[columns]) / 2)
    value = float(np.median(walsh))
    if n <= _EXACT_UP_TO:
        k = _signed_rank_quantile(n, alpha)
    else:
        spread = math.sqrt(n * (n + 1) * (2 * n + 1) / 24)
        k = math.floor(n * (n + 1) / 4 - normal_isf(alpha) * spread - 0.5)
    if k < 1 or float(np.ptp(d)) == 0.0:
        reason = "too few pairs for this alpha" if k < 1 else "all differences agree"
        return made(value, -math.inf, math.inf, reason=reason)
    return made(value, float(walsh[k - 1]), float(walsh[-k]))
