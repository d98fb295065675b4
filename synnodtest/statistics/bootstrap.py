"""Bootstrap over clusters: BCa, bootstrap-t and percentile bounds of any statistic."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.statistics.clusters import codes
from synnodtest.statistics.distributions import normal_cdf, normal_ppf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, check_alpha, unknown

__all__ = ["FEWEST_RESAMPLES", "FEW_CLUSTERS", "cluster_bootstrap"]

FEWEST_RESAMPLES = 100
"""Below it the tails that make a 95% bound hold fewer than five values."""

FEW_CLUSTERS = 30
_CELLS_AT_ONCE = 2_000_000

Method = Literal["bca", "t", "percentile"]
Statistic = Callable[[NDArray[np.intp]], float]


def few_clusters(count: int) -> tuple[str, ...]:
    """Return the flag that a bootstrap over ``count`` clusters carries, if any."""
    return (f"bootstrap over fewer than {FEW_CLUSTERS} clusters",) if count < FEW_CLUSTERS else ()


def resampled_means(values: NDArray[np.float64], resamples: int, seed: int, *parts: str) -> NDArray[np.float64]:
    """Return the means of ``resamples`` draws with replacement of the rows of ``values``.

    Args:
        values: Shape (B,) or (B, k).
        resamples: Number of draws.
        seed: Seed of the draws.
        parts: Further words of the seed.

    Returns:
        Shape (resamples,) or (resamples, k).
    """
    rng = np.random.default_rng(seed_sequence("resampled-means", *parts, seed))
    rows = len(values)
    per_part = max(1, _CELLS_AT_ONCE // rows)
    chunks = []
    for start in range(0, resamples, per_part):
        count = min(per_part, resamples - start)
        times_drawn = rng.multinomial(rows, np.full(rows, 1 / rows), size=count)
        chunks.append(times_drawn @ values / rows)
    return np.concatenate(chunks)


def acceleration(jackknife: NDArray[np.float64]) -> float:
    """Return BCa's acceleration from the leave-one-cluster-out values."""
    pull = jackknife.mean() - jackknife
    spread = float((pull**2).sum())
    return float((pull**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def bca_bounds(
    value: float, draws: NDArray[np.float64], jackknife: NDArray[np.float64], alpha: float, low: float, high: float
) -> tuple[float, float]:
    """Return bias-corrected and accelerated bounds; undefined draws count against both."""
    known = draws[~np.isnan(draws)]
    below = (np.count_nonzero(known < value) + np.count_nonzero(known == value) / 2) / max(len(known), 1)
    bias = normal_ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    skew = acceleration(jackknife)

    def level(tail: float) -> float:
        shifted = bias + normal_ppf(tail)
        scale = 1 - skew * shifted
        if scale <= 0:
            return 0.0 if tail < 0.5 else 1.0
        return normal_cdf(bias + shifted / scale)

    return _quantiles(draws, level(alpha), level(1 - alpha), low, high)


def _quantiles(draws: NDArray[np.float64], first: float, last: float, low: float, high: float) -> tuple[float, float]:
    lower = np.quantile(np.where(np.isnan(draws), low, draws), first, method="lower")
    upper = np.quantile(np.where(np.isnan(draws), high, draws), last, method="higher")
    return float(lower), float(upper)


def _t_bounds(
    value: float,
    members: list[NDArray[np.intp]],
    statistic: Statistic,
    chosen: NDArray[np.intp],
    draws: NDArray[np.float64],
    error: float,
    alpha: float,
) -> tuple[float, float]:
    """Studentize each draw by its own jackknife, then turn the quantiles round."""
    ratios = np.empty(len(draws))
    for row, pick in enumerate(chosen):
        parts = [members[i] for i in pick]
        own = np.array([statistic(np.concatenate(parts[:i] + parts[i + 1 :])) for i in range(len(parts))])
        spread = _jackknife_error(own)
        gap = draws[row] - value
        ratios[row] = gap / spread if spread > 0 else (0.0 if gap == 0 else math.copysign(math.inf, gap))
    least, most = _quantiles(ratios, alpha, 1 - alpha, -math.inf, math.inf)
    return value - most * error, value - least * error


def _jackknife_error(jackknife: NDArray[np.float64]) -> float:
    count = len(jackknife)
    return math.sqrt((count - 1) / count * float(((jackknife - jackknife.mean()) ** 2).sum()))


def cluster_bootstrap(
    statistic: Statistic,
    clusters: ArrayLike,
    *,
    alpha: float = 0.05,
    resamples: int = 2000,
    seed: int,
    method: Method = "bca",
    limits: tuple[float, float] = (-math.inf, math.inf),
) -> Estimate:
    """Estimate any statistic with bounds from resampling whole clusters.

    Args:
        statistic: Takes row numbers of the data (an integer array, with repeats) and returns a number;
            NaN where the rows do not define it.
        clusters: The cluster of each row, any labels; shape (n,).
        alpha: One-sided error rate of each bound.
        resamples: Number of bootstrap samples.
        seed: Seed of the resampling; the same seed gives the same bounds.
        method: ``"bca"``, ``"t"`` (studentized by the jackknife within each sample: costs B times more) or
            ``"percentile"`` (too liberal with few clusters; for comparison).
        limits: Range of the statistic.

    Returns:
        The estimate. Fewer than 30 clusters are flagged; fewer than two, or an undefined statistic, give the
        limits. Where no resample differs from the value, clusters unlike all those seen are allowed for: a share of
        1 - alpha**(1/B) of them, at the limits.

    Raises:
        ValueError: the method is not known or ``resamples`` is below 100.

    Source: Efron, J. Am. Stat. Assoc. 82 (1987) 171; Davison & Hinkley, Bootstrap Methods (1997), ch. 5.
    """
    check_alpha(alpha)
    if method not in ("bca", "t", "percentile"):
        raise ValueError(f"method is 'bca', 't' or 'percentile', not {method!r}")
    if resamples < FEWEST_RESAMPLES:
        raise ValueError(f"a bootstrap takes at least {FEWEST_RESAMPLES} resamples, not {resamples}")
    index, count = codes(clusters)
    value = float(statistic(np.arange(len(index)))) if count else math.nan
    low, high = limits

    def cannot(reason: str) -> Estimate:
        return unknown(
            low,
            high,
            alpha=alpha,
            method=f"cluster-bootstrap-{method}",
            reason=reason,
            value=value,
            n=len(index),
            k=count,
        )

    if count < 2:
        return cannot("one cluster" if count else "no data")
    if math.isnan(value):
        return cannot("the statistic is not defined")
    members = [np.flatnonzero(index == i) for i in range(count)]
    rng = np.random.default_rng(seed_sequence("cluster-bootstrap", seed))
    chosen = rng.integers(count, size=(resamples, count))
    draws = np.array([statistic(np.concatenate([members[i] for i in pick])) for pick in chosen], dtype=float)
    jackknife = np.array([statistic(np.concatenate(members[:i] + members[i + 1 :])) for i in range(count)], dtype=float)
    if np.isnan(jackknife).any():
        return cannot("the statistic rests on a single cluster")
    if np.ptp(draws) <= 1e-12 * max(1.0, abs(value)) and abs(draws[0] - value) <= 1e-12 * max(1.0, abs(value)):
        lower, upper = agreeing_bounds(value, count, alpha, low, high)
    elif method == "bca":
        lower, upper = bca_bounds(value, draws, jackknife, alpha, low, high)
    elif method == "t":
        lower, upper = _t_bounds(value, members, statistic, chosen, draws, _jackknife_error(jackknife), alpha)
    else:
        lower, upper = _quantiles(draws, alpha, 1 - alpha, low, high)
    return Estimate(
        value,
        min(value, max(low, lower)),
        max(value, min(high, upper)),
        alpha=alpha,
        method=f"cluster-bootstrap-{method}",
        n=len(index),
        clusters=count,
        flags=few_clusters(count),
        extra={"resamples": float(resamples), "seed": float(seed)},
    )
