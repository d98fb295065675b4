"""Seeded draws of clusters of several units: how often the bounds that decide would show what a plan asks for."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import scipy

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.counts import least_upper
from synnodtest.statistics.paired import shows_above
from synnodtest.statistics.rates import korn_graubard_bounds
from synnodtest.statistics.shifts import clustered_difference, guarded_bounds

_RUNS, _LEAST_RUNS, _DRAWS = 1000, 500, 200_000
"""Samples drawn, fewer where they are large: at a power of 0.8 the standard error is 1.3%, of 400 clusters and more
1.8%, and a search for a size ends within a second."""
_EXTREME, _NONE = 1e-6, 1e-12
"""Distance that a correlation keeps from 0 and 1, and a shape of the beta distribution from 0: both would be divided
by, and change no digit of a power."""
_MOST_ICC = 0.8
"""Correlation of the counts of a patient's images up to which they are drawn. Above it next to no patient has any, and
draws of none promise the more power the higher it is: 1.0 at 1, of 60 patients, where 0.8 gives 0.5."""


def _runs(clusters: int) -> int:
    return min(max(_DRAWS // clusters, _LEAST_RUNS), _RUNS)


def _sizes(units: int, per_cluster: float) -> Array:
    """Return the units of each cluster, as equal as whole numbers can be; the first are the same of any number."""
    ends = np.floor(np.arange(round(units / per_cluster) + 1) * per_cluster + 1e-9)
    return np.diff(ends)


def _log_mass(hits: Indices, of: Indices | int, shape: float, other: float) -> Array:
    """Return the logarithm of the beta-binomial probability of so many hits."""
    a, b = max(shape, _NONE), max(other, _NONE)
    ways = -np.log1p(of) - scipy.special.betaln(of - hits + 1, hits + 1)
    return np.asarray(ways + scipy.special.betaln(hits + a, of - hits + b) - scipy.special.betaln(a, b))


def _counts(sizes: Array, gain: float, loss: float, icc: float) -> Array:
    """Return the units of each cluster that gained, and that lost, of many samples; shape (2, samples, clusters).

    Clusters are Dirichlet-multinomial (beta-binomial where nothing is lost). A sample of more clusters begins with the
    same ones, so that power rises with their number.
    """
    runs = _runs(len(sizes))
    uniform = np.random.default_rng(0).random((len(sizes), runs))
    common = 1 / min(max(icc, _EXTREME), 1 - _EXTREME) - 1
    counts = np.empty((2, runs, len(sizes)))
    for size in np.unique(sizes):
        each = np.arange(int(size) + 1)
        changed, gained = np.tril_indices(len(each)) if loss else (each, each)
        mass = _log_mass(changed, int(size), common * (gain + loss), common * (1 - gain - loss))
        mass += _log_mass(gained, changed, common * gain, common * loss)
        order = np.argsort(2 * gained - changed, kind="stable")
        own, up_to = sizes == size, np.cumsum(np.exp(mass[order]))
        state = order[np.minimum(np.searchsorted(up_to, uniform[own]), len(order) - 1)].T
        counts[:, :, own] = gained[state], (changed - gained)[state]
    return counts


@lru_cache(256)
def rate_is_shown(units: int, per_cluster: float, icc: float, rate: float, bound: float, alpha: float) -> float:
    """Return how often ``clustered_rate`` shows a rate to lie beyond a bound, on the side on which it does lie."""
    sizes = _sizes(units, per_cluster)
    if len(sizes) < 2:
        return 0.0
    lower, upper, _ = korn_graubard_bounds(_counts(sizes, rate, 0.0, icc)[0], sizes, alpha, True)
    return float(np.mean(lower > bound if rate > bound else upper < bound))


@lru_cache(256)
def count_is_shown(images: int, per_cluster: float, icc: float, rate: float, bound: float, alpha: float) -> float:
    """Return how often ``count_rate`` shows fewer events per image than a bound, its bootstrap left out.

    The rates of clusters are gamma distributed, with so much spread that counts of two images correlate by ``icc``, by
    0.8 at most.
    """
    sizes = _sizes(images, per_cluster)
    if len(sizes) < 2:
        return 0.0
    shape = rate * (1 / min(max(icc, _EXTREME), _MOST_ICC) - 1)  # rate**2 over the variance between clusters
    spread, events = np.random.default_rng(0), np.random.default_rng(1)
    of = (len(sizes), _runs(len(sizes)))
    rates = spread.gamma(shape, rate / shape, of) if icc and rate else np.full(of, rate)
    counts = events.poisson(rates * sizes[:, None]).T.astype(np.float64)
    return float(np.mean(least_upper(counts, sizes, alpha)[0] < bound))


@lru_cache(256)
def mean_is_shown(count: int, bound: float, mean: float, spread: float, alpha: float) -> float:
    """Return how often the guarded bound of so many correlations, beta distributed within -1 and 1, exceeds a bound.

    A spread that no such values have is taken to be the largest that some have.
    """
    share = (1 + mean) / 2
    common = max(share * (1 - share) / (spread / 2) ** 2 - 1, _EXTREME)
    shapes = max(common * share, _NONE), max(common * (1 - share), _NONE)
    values = 2 * np.random.default_rng(0).beta(*shapes, size=(count, _runs(count))).T - 1
    return float(np.mean(guarded_bounds(values, alpha, -1.0, 1.0, (0.0, 0.0))[0] > bound))


@lru_cache(256)
def difference_is_shown(
    pairs: int, per_cluster: float, icc: float, gain: float, loss: float, margin: float, alpha: float, both: bool
) -> float:
    """Return how often ``rate_difference_clustered`` shows non-inferiority within a margin, or equivalence.

    Args:
        pairs: Number of pairs in all clusters.
        per_cluster: Pairs of a cluster.
        icc: Correlation of what happens to the pairs of a cluster.
        gain: True share of pairs in which the arm alone succeeds.
        loss: The same of the reference.
        margin: Above 0.
        alpha: One-sided error rate of each bound.
        both: Whether both bounds must lie within the margin.
    """
    sizes = _sizes(pairs, per_cluster)
    if len(sizes) < 2:
        return 0.0
    up, down = _counts(sizes, gain, loss, icc) / sizes
    size, lower, upper = clustered_difference(up, down, round(sizes.sum()), alpha)
    n10, n01 = up.mean(axis=-1) * size, down.mean(axis=-1) * size
    passed = shows_above(n10, n01, size, -margin, alpha) & (lower > -margin)
    if both:
        passed &= shows_above(n01, n10, size, -margin, alpha) & (upper < margin)
    return float(passed.mean())
