"""The fewest backgrounds on which PASSED is possible at all: what the best data that there can be would show."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synnodtest.evidence.ruling import Side
from synnodtest.expectations.limits import LEAST_CLUSTERS
from synnodtest.statistics import korn_graubard, mean_cluster_spearman, paired_mean, rate_difference_clustered, tango
from synnodtest.statistics.clusters import unseen_share
from synnodtest.statistics.counts import UNSEEN_OF_PATIENT, least_upper
from synnodtest.statistics.estimate import agreeing_bounds
from synnodtest.statistics.power import smallest_n_paired, smallest_n_rate
from synnodtest.statistics.sequential import e_value_paired_above, log_e_above

_LEVELS = 5
"""Nodules of a background's curve in a plan: the fewest that count (``MIN_LEVELS`` of statistics/ranks.py)."""
_MOST = 100_000
"""Backgrounds beyond which no plan goes."""
_MOST_SEQUENTIAL = 10_000
"""Backgrounds after which a sequential plan is given up; set by hand, lower than the other, since every n is tried."""

Passes = Callable[[int], bool]


def rate_backgrounds(bound: float, side: Side, alpha: float, per_background: float) -> int | None:
    """Return the backgrounds on which a rate can be shown: all units alike, or equally many successes on each."""
    if not 0 < bound < 1:
        return None
    least = 1.0 - bound if side == "below" else bound
    if per_background <= 1:
        return max(2, math.ceil(smallest_n_rate(least, alpha=alpha) / per_background))
    units = round(per_background)

    def passes(n: int) -> bool:
        trials = np.full(n, units)
        estimates = (korn_graubard(trials - missed, trials, alpha=alpha, guarded=True) for missed in range(units))
        return any(one.lower > least for one in estimates)

    return _first(passes, 2)


def count_backgrounds(bound: float, alpha: float, per_background: float) -> int | None:
    """Return the backgrounds that show a number of events per image below ``bound``, none of them with any."""
    images = max(1.0, float(round(per_background)))

    def passes(n: int) -> bool:
        return bool(least_upper(np.zeros(n), np.full(n, images), alpha)[0] < bound)

    found = _first(passes, 2)
    return None if found is None else max(2, math.ceil(found / min(per_background, 1.0)))


def rate_units(bound: float, alpha: float) -> int:
    """Return the fewest units that show a rate above ``bound``; two where any would."""
    return max(2, smallest_n_rate(bound, alpha=alpha)) if bound < 1 else _MOST


def curve_backgrounds(bound: float, alpha: float) -> int:
    """Return the fewest backgrounds that show a point of a curve."""
    return max(LEAST_CLUSTERS, rate_units(bound, alpha))


def froc_backgrounds(bound: float, fppi: float, alpha: float) -> int | None:
    """Return the fewest backgrounds that show a sensitivity at so many false positives per image, none of them seen."""
    return _first(lambda n: UNSEEN_OF_PATIENT * unseen_share(n, alpha) <= fppi, curve_backgrounds(bound, alpha))


def precision_backgrounds(bound: float, alpha: float, per_background: float) -> int | None:
    """Return the fewest backgrounds that show a precision, all nodules and nothing else found, each untouched once.

    As many false positives as in its bound are allowed for on every image that may be unlike all seen. The nodules of a
    background lie in one scene: where several scenes share them there are more images, and more backgrounds are needed.
    """
    nodules = max(per_background, 1.0)

    def passes(n: int) -> bool:
        return bool(nodules / (nodules + 2 * UNSEEN_OF_PATIENT * unseen_share(n, alpha)) > bound)

    return _first(passes, curve_backgrounds(bound, alpha)) if bound < 1 else None


def rising_backgrounds(bound: float, alpha: float, *, levels: int = _LEVELS) -> int | None:
    """Return the fewest backgrounds that show a rank correlation, each of them with a perfect one.

    ``levels`` is how many nodules a background gives; 1: the correlation runs over all of them, and a share of
    backgrounds that was not seen may be ordered quite otherwise.
    """

    def passes(n: int) -> bool:
        if levels == 1:
            return agreeing_bounds(1.0, n, alpha, -1.0, 1.0)[0] > bound
        x, cluster = np.tile(np.arange(levels), n), np.repeat(np.arange(n), levels)
        return mean_cluster_spearman(x, x, cluster, alpha=alpha, guarded=True).lower > bound

    return _first(passes, LEAST_CLUSTERS)


def perfect_backgrounds(bound: float, alpha: float, least: float = 0.0) -> int | None:
    """Return the fewest backgrounds that show a mean of values from ``least`` to 1, all of them 1."""

    def passes(n: int) -> bool:
        limits = (least, 1.0)
        return paired_mean(np.ones(n), np.arange(n), alpha=alpha, limits=limits, guarded=True).lower > bound

    return _first(passes, 2)


def superior_backgrounds(margin: float, alpha: float, per_background: float) -> int | None:
    """Return the backgrounds that show a better rate, where the arm hits all and the reference none."""
    pairs = _first(lambda n: tango(0, n, 0, 0, alpha=alpha).lower > margin, 2)
    return None if pairs is None else max(2, math.ceil(pairs / min(per_background, 1.0)))


def difference_backgrounds(margin: float, rates: bool, alpha: float, per_background: float) -> int | None:
    """Return the backgrounds that show a difference within the margin, where the arms agree fully."""
    if rates and per_background <= 1:
        return max(2, math.ceil(smallest_n_paired(margin, alpha=alpha) / per_background))
    several = max(1, round(per_background))

    def equal(n: int) -> bool:
        if rates:
            alike, cluster = np.ones(several * n), np.repeat(np.arange(n), several)
            return -rate_difference_clustered(alike, alike, cluster, alpha=alpha).lower < margin
        return -paired_mean(np.zeros(n), np.arange(n), alpha=alpha, guarded=True).lower < margin

    return _first(equal, 2)


def sequential_pairs(margin: float, alpha: float) -> int | None:
    """Return after how many concordant pairs the e-value of non-inferiority reaches 1/alpha at the earliest."""
    return _first(lambda n: e_value_paired_above(0, 0, n, -margin) >= 1 / alpha, 2)


def sequential_rate(bound: float, side: Side, alpha: float) -> int | None:
    """Return after how many backgrounds the e-value of a rate reaches 1/alpha at the earliest."""
    if not 0 < bound < 1:
        return None
    toward, least = 1 - bound if side == "below" else bound, -math.log(alpha)
    return next((n for n in range(2, _MOST_SEQUENTIAL) if float(log_e_above(float(n), 0.0, toward)) >= least), None)


def _first(passes: Passes, start: int) -> int | None:
    """Return the smallest n from ``start`` on that passes, where all larger ones do; None if none of 100,000 does."""
    high = start
    while not passes(high):
        high *= 2
        if high > _MOST:
            return None
    low = max(start, high // 2)
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if passes(middle) else (middle + 1, high)
    return high
