"""Bootstrap over clusters: BCa, bootstrap-t and percentile bounds of any statistic."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import accumulate, pairwise
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array, Indices
from synnodtest.statistics.clusters import codes, equal_clusters
from synnodtest.statistics.distributions import normal_cdf, normal_ppf, t_isf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, check_alpha

RESAMPLES = 2000
"""Resamples behind a bound unless a caller names others; set by hand: a spread's own Monte Carlo error is 1.6%."""
FEWEST_RESAMPLES = 100
"""Below it the tails that make a 95% bound hold fewer than five values."""

FEW_CLUSTERS = 30
"""Clusters below which a bootstrap's bounds carry a flag; a convention, set by hand: they are approximate there, and it
decides nothing."""
_CELLS_AT_ONCE = 2_000_000
"""Draws held at once, 16 MB of float64; nothing depends on it but memory."""
_STEEPEST = 50.0
"""Logits beyond which a share is 0 or 1 to the last bit."""

Method = Literal["bca", "t", "percentile"]
Statistic = Callable[[Indices], float]


def few_clusters(count: int) -> tuple[str, ...]:
    """Return the flag that a bootstrap over ``count`` clusters carries, if any."""
    return (f"bootstrap over fewer than {FEW_CLUSTERS} clusters",) if count < FEW_CLUSTERS else ()


def resampled_means(values: Array, resamples: int, seed: int, *parts: str) -> Array:
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


def acceleration(jackknife: Array) -> float:
    """Return BCa's acceleration from the leave-one-cluster-out values."""
    pull = jackknife.mean() - jackknife
    spread = float((pull**2).sum())
    return float((pull**3).sum() / (6 * spread**1.5)) if spread > 0 else 0.0


def bca_bounds(
    value: float, draws: Array, jackknife: Array, alpha: float, low: float, high: float
) -> tuple[float, float]:
    """Return bias-corrected and accelerated bounds; undefined draws count against both."""
    defined = draws[~np.isnan(draws)]
    below = (np.count_nonzero(defined < value) + np.count_nonzero(defined == value) / 2) / max(len(defined), 1)
    bias = normal_ppf(np.clip(below, 0.5 / len(draws), 1 - 0.5 / len(draws)))
    skew = acceleration(jackknife)

    def level(tail: float) -> float:
        shifted = bias + normal_ppf(tail)
        scale = 1 - skew * shifted
        if scale <= 0:
            return 0.0 if tail < 0.5 else 1.0
        return normal_cdf(bias + shifted / scale)

    return _quantiles(draws, level(alpha), level(1 - alpha), low, high)


def _quantiles(draws: Array, first: float, last: float, low: float, high: float) -> tuple[float, float]:
    lower = np.quantile(np.where(np.isnan(draws), low, draws), first, method="lower")
    upper = np.quantile(np.where(np.isnan(draws), high, draws), last, method="higher")
    return float(lower), float(upper)


def _studentized(value: float, members: list[Indices], statistic: Statistic, chosen: Indices, draws: Array) -> Array:
    """Return each draw's distance from the value, in errors by its own jackknife."""
    ratios = np.empty(len(draws))
    for row, pick in enumerate(chosen):
        own = np.array([statistic(rows) for rows in _each_left_out([members[i] for i in pick])])
        spread = _jackknife_error(own)
        gap = draws[row] - value
        ratios[row] = gap / spread if spread > 0 else (0.0 if gap == 0 else math.copysign(math.inf, gap))
    return ratios


def _jackknife_error(jackknife: Array) -> float:
    count = len(jackknife)
    return math.sqrt((count - 1) / count * float(((jackknife - jackknife.mean()) ** 2).sum()))


def _sure_bounds(
    value: float, jackknife: Array, rows: Array, alpha: float, low: float, high: float
) -> tuple[float, float]:
    """Return Student's t bounds by the jackknife, the wider of those as they are and on the logit scale of the range.

    Where all clusters have equally many rows they are the value itself: the bootstrap needs no guard.
    """
    if np.ptp(rows) == 0:
        return value, value
    count = len(rows)
    error = math.sqrt((count - 1) / count * float(((jackknife - value) ** 2).sum()))
    half = t_isf(alpha, max(equal_clusters(rows) - 1.0, 1.0)) * error
    lower, upper = value - half, value + half
    if math.isfinite(high - low) and low < value < high:
        odds = (value - low) / (high - value)
        step = half * (high - low) / ((value - low) * (high - value))
        ends = [odds * math.exp(sign * min(step, _STEEPEST)) for sign in (-1, 1)]
        shares = [low + (high - low) * end / (1.0 + end) for end in ends]
        lower, upper = min(lower, shares[0]), max(upper, shares[1])
    return lower, upper


@dataclass(frozen=True, eq=False)
class _Resampled:
    """A statistic and its values on resampled clusters: called with an error rate it gives the estimate.

    Args:
        value: On the data themselves.
        rows: Rows of each cluster.
        limits: Range of the statistic.
        method: Of the bounds.
        seed: Of the resampling.
        draws: On each resample.
        jackknife: On the data without each cluster.
        guarded: Whether bounds are no narrower than the jackknife's.
        spread: Of ``t`` alone: each draw's distance from the value, in errors of its own.
        units: Clusters that define the statistic by themselves, as those with a nodule do a sensitivity; else all.
    """

    value: float
    rows: Array
    limits: tuple[float, float]
    method: Method
    seed: int
    draws: Array
    jackknife: Array
    guarded: bool
    spread: Array | None = None
    units: int = 0

    @property
    def agree(self) -> bool:
        """True where no resample differs from the value; those that do not define the statistic say nothing of it."""
        away = np.abs(self.draws - self.value)
        return bool(np.nanmax(away, initial=0.0) <= 1e-12 * max(1.0, abs(self.value)))

    def __call__(self, alpha: float) -> Estimate:
        """Return the estimate with bounds at this one-sided error rate."""
        check_alpha(alpha)
        error, (low, high), (lower, upper) = _jackknife_error(self.jackknife), self.limits, self._bounds(alpha)
        if self.guarded:
            sure = _sure_bounds(self.value, self.jackknife, self.rows, alpha, low, high)
            lower, upper = min(lower, sure[0]), max(upper, sure[1])
        return Estimate(
            self.value,
            min(self.value, max(low, lower)),
            max(self.value, min(high, upper)),
            alpha=alpha,
            method=_name(self.method),
            n=int(self.rows.sum()),
            clusters=len(self.rows),
            flags=few_clusters(len(self.rows)),
            extra={"resamples": float(len(self.draws)), "seed": float(self.seed), "jackknife_error": error},
        )

    def _bounds(self, alpha: float) -> tuple[float, float]:
        low, high = self.limits
        if self.agree:
            lower, upper = agreeing_bounds(self.value, self.units, alpha, low, high)
            drawn = _quantiles(self.draws, alpha, 1 - alpha, low, high)
            return min(lower, drawn[0]), max(upper, drawn[1])
        if self.method == "bca":
            return bca_bounds(self.value, self.draws, self.jackknife, alpha, low, high)
        if self.spread is not None:
            error = _jackknife_error(self.jackknife)
            least, most = _quantiles(self.spread, alpha, 1 - alpha, -math.inf, math.inf)
            return self.value - most * error, self.value - least * error
        return _quantiles(self.draws, alpha, 1 - alpha, low, high)


def _name(method: Method) -> str:
    return f"cluster-bootstrap-{method}"


def cluster_bootstrap(
    statistic: Statistic,
    clusters: ArrayLike,
    *,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    seed: int,
    method: Method = "bca",
    limits: tuple[float, float] = (-math.inf, math.inf),
    guarded: bool = False,
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
        guarded: For decisions: where clusters differ in their number of rows, no narrower than Student's t by the
            jackknife with the degrees of freedom of so many equal clusters (Kish). Where one patient has most of the
            images, resamples without them are too few for bounds to see how much hangs on that patient.

    Returns:
        The estimate, ``jackknife_error`` (the standard error by leaving out each cluster) in ``extra``. Fewer than 30
        clusters are flagged; fewer than two, or an undefined statistic, give the limits. Where no resample differs from
        the value, clusters unlike all those seen are allowed for: a share of 1 - alpha**(1/B) of them, at the limits, B
        being the clusters that define the statistic by themselves.

    Raises:
        ValueError: the method is not known or ``resamples`` is below 100.

    Source: Efron, J. Am. Stat. Assoc. 82 (1987) 171; Davison & Hinkley, Bootstrap Methods (1997), ch. 5.
    """
    check_alpha(alpha)
    return resampled(
        statistic, clusters, resamples=resamples, seed=seed, method=method, limits=limits, guarded=guarded
    )(alpha)


def resampled(
    statistic: Statistic,
    clusters: ArrayLike,
    *,
    resamples: int = RESAMPLES,
    seed: int,
    method: Method = "bca",
    limits: tuple[float, float] = (-math.inf, math.inf),
    guarded: bool = False,
) -> Callable[[float], Estimate]:
    """Resample once, for bounds at several error rates. Arguments and errors: see :func:`cluster_bootstrap`."""
    if method not in ("bca", "t", "percentile"):
        raise ValueError(f"method is 'bca', 't' or 'percentile', not {method!r}")
    if resamples < FEWEST_RESAMPLES:
        raise ValueError(f"a bootstrap takes at least {FEWEST_RESAMPLES} resamples, not {resamples}")
    index, count = codes(clusters)
    value = float(statistic(np.arange(len(index)))) if count else math.nan

    def cannot(reason: str) -> Callable[[float], Estimate]:
        made = partial(Estimate, value, *limits, method=_name(method), n=len(index), clusters=count, reason=reason)
        return lambda alpha: made(alpha=check_alpha(alpha))

    if count < 2:
        return cannot("one cluster" if count else "no data")
    if math.isnan(value):
        return cannot("the statistic is not defined")
    members = [np.flatnonzero(index == i) for i in range(count)]
    rng = np.random.default_rng(seed_sequence("cluster-bootstrap", seed))
    chosen = rng.integers(count, size=(resamples, count))
    draws = np.array([statistic(rows) for rows in _drawn(members, chosen)], dtype=float)
    jackknife = np.array([statistic(rows) for rows in _each_left_out(members)], dtype=float)
    if np.isnan(jackknife).any():
        return cannot("the statistic rests on a single cluster")
    sizes = np.bincount(index).astype(np.float64)
    estimate = _Resampled(value, sizes, limits, method, seed, draws, jackknife, guarded)
    if estimate.agree:
        alone = sum(not math.isnan(statistic(own)) for own in members)
        return replace(estimate, units=alone or count)
    if method == "t":
        return replace(estimate, spread=_studentized(value, members, statistic, chosen, draws))
    return estimate


def _drawn(members: list[Indices], chosen: NDArray[np.int64]) -> Iterator[Indices]:
    """Yield the rows of each draw of clusters."""
    if len({len(rows) for rows in members}) == 1:  # clusters alike in size need not be put together one by one
        table = np.stack(members)
        yield from (table[pick].ravel() for pick in chosen)
    else:
        yield from (np.concatenate([members[i] for i in pick]) for pick in chosen)


def _each_left_out(members: list[Indices]) -> Iterator[Indices]:
    """Yield the rows of all clusters but one, for each in turn."""
    rows, ends = np.concatenate(members), list(accumulate(map(len, members), initial=0))
    return (np.concatenate([rows[:start], rows[end:]]) for start, end in pairwise(ends))
