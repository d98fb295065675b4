"""Sample sizes of expectations: exact power of the rules by which they are decided."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synnodtest.statistics.clusters import unseen_share
from synnodtest.statistics.distributions import (
    binom_isf,
    binom_pmf,
    binom_ppf,
    binom_sf,
    noncentral_t_sf,
    normal_isf,
    poisson_cdf,
    poisson_ppf,
    t_isf,
    t_ppf,
)
from synnodtest.statistics.estimate import check_alpha
from synnodtest.statistics.paired import shows_above
from synnodtest.statistics.rates import beta_bounds

DEFAULT_ICC = 0.2
"""Correlation within a background that plans take where none is known; set by hand: no verdict rests on it, too little
makes plans too small."""
_MOST = 1_000_000
"""Units beyond which no study goes, so that a search for a size ends."""
_TINY_MASS = 1e-9
"""Probability left out of a sum on either side: far below the digits of a power, and it spares most of the terms."""


def _check_rates(alpha: float, **rates: float) -> None:
    check_alpha(alpha)
    for name, rate in rates.items():
        if not 0 <= rate <= 1:
            raise ValueError(f"{name} lies in [0, 1], not {rate}")


def design_effect(per_cluster: float, icc: float = DEFAULT_ICC) -> float:
    """Return 1 + (k - 1) ICC: by how much k trials on each cluster inflate the number needed."""
    if per_cluster < 1 or not 0 <= icc <= 1:
        raise ValueError(f"at least one trial per cluster and an ICC in [0, 1], not {per_cluster} and {icc}")
    return 1 + (per_cluster - 1) * icc


def _inflated(n: int, per_cluster: float, icc: float) -> int:
    return math.ceil(n * design_effect(per_cluster, icc) - 1e-9)


def power_rate(n: int, p0: float, p1: float, *, alpha: float = 0.05, clusters: float = math.inf) -> float:
    """Return the probability that Clopper-Pearson's bound shows a true rate ``p1`` to lie beyond ``p0``.

    Args:
        n: Independent units.
        p0: The rate to be exceeded (where p1 > p0), or undercut (where p1 < p0).
        p1: The true rate.
        alpha: One-sided error rate.
        clusters: Clusters of several units each that they stand for: the guarded bound allows for some unlike all seen,
            and for how little is known of the spread between them.

    Raises:
        ValueError: a rate leaves [0, 1], ``p1`` equals ``p0``, or n is negative.
    """
    _check_rates(alpha, p0=p0, p1=p1)
    if p0 == p1 or n < 0:
        raise ValueError(f"n is not negative and the rates differ: {n}, {p0}, {p1}")
    below, known = p1 < p0, n if math.isinf(clusters) else _surely_known(n, p1, clusters)
    better = 1 - p1 if below else p1
    short = math.floor(n * (1 - p0 if below else p0) / (1 - unseen_share(clusters, alpha)))
    shown = binom_sf(most_unshown(known, p0, alpha, below), known, better)
    return min(shown, binom_sf(min(short, n), n, better))


def _surely_known(n: int, rate: float, clusters: float) -> int:
    """Return the units that the guarded bound is left with: it knows the spread by the clusters with the rarer outcome.

    As many as there will be where each cluster stands for ``n / clusters`` independent units (see ``guarded_size``).
    """
    if n < 2:
        return n
    each = n / clusters
    telling = clusters * min(1.0 - rate**each, 1.0 - (1.0 - rate) ** each)
    widening = t_ppf(0.975, n - 1) / t_ppf(0.975, max(min(telling, clusters), 2.0) - 1.0)
    return int(min(n, max(n * min(1.0, widening) ** 2, clusters)))


def _clusters(n: int, per_cluster: float, icc: float) -> float:
    """Return the clusters behind so many independent units; none where each gives one unit."""
    return _inflated(n, per_cluster, icc) / per_cluster if per_cluster > 1 else math.inf


def most_unshown(n: int, p0: float, alpha: float, below: bool) -> int:
    """Return the largest count of n (with ``below``: of failures) that does not show it."""
    near = binom_isf(alpha, n, 1 - p0 if below else p0)
    return next((x - 1 for x in range(near, min(near + 2, n) + 1) if _shows(x, n, p0, alpha, below)), n)


def _shows(count: int, n: int, p0: float, alpha: float, below: bool) -> bool:
    """Return whether ``count`` successes of n (with ``below``: failures) show it, ruled like a verdict: no tie does."""
    lower, upper = beta_bounds(n - count if below else count, n, alpha)
    return bool(upper < p0 if below else lower > p0)


def smallest_n_rate(p0: float, *, alpha: float = 0.05, below: bool = False) -> int:
    """Return the fewest units that can pass at all: all succeed (or, with ``below``, none).

    59, 149 and 299 for a rate below 5, 2 and 1%. Zero if nothing needs to be shown.

    Raises:
        ValueError: no number of units can show it.
    """
    _check_rates(alpha, p0=p0)
    rate = 1 - p0 if below else p0
    if rate >= 1:
        raise ValueError(f"no number of units shows a rate {'below 0' if below else 'above 1'}")
    if rate <= 0:
        return 0
    near = math.floor(math.log(alpha) / math.log(rate))
    return next((n for n in (near, near + 1) if n > 0 and _shows(n, n, p0, alpha, below)), near + 2)


def smallest_n(power_at: Callable[[int], float], power: float, start: int) -> int:
    """Return the smallest n of the sawtooth ``power_at`` that reaches ``power``, looking 25 below the crossing.

    Raises:
        ValueError: the power is none, or more than a million units would be needed.
    """
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, not {power}")
    high = max(2, start)
    while power_at(high) < power:
        high *= 2
        if high > _MOST:
            raise ValueError(f"more than {_MOST} units would be needed")
    low = max(1, start - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    tried = range(max(1, high - 25), high)
    return next((n for n in tried if power_at(n) >= power), high)


def sample_size_rate(
    p0: float,
    p1: float,
    *,
    alpha: float = 0.05,
    power: float = 0.9,
    per_cluster: float = 1,
    icc: float = DEFAULT_ICC,
) -> int:
    """Return the trials needed to show with probability ``power`` that a true rate p1 lies beyond p0.

    Args:
        p0: The rate to be exceeded, or undercut where p1 is smaller.
        p1: The rate assumed to be true.
        alpha: One-sided error rate.
        power: Probability of success asked for.
        per_cluster: Trials on each background; above 1 the number grows by 1 + (k - 1) ICC, and further where few
            backgrounds might all be unlike another.
        icc: Intraclass correlation.

    Raises:
        ValueError: the rates are equal or out of range, or more than a million trials would be needed.
    """

    def power_at(n: int) -> float:
        return power_rate(n, p0, p1, alpha=alpha, clusters=_clusters(n, per_cluster, icc))

    start = smallest_n_rate(p0, alpha=alpha, below=p1 < p0)
    return _inflated(smallest_n(power_at, power, start), per_cluster, icc)


def power_paired(
    n: int,
    discordant: float,
    margin: float,
    *,
    difference: float = 0.0,
    alpha: float = 0.05,
    equivalence: bool = False,
    clusters: float = math.inf,
) -> float:
    """Return the probability that Tango's bound shows non-inferiority within ``margin``, summed over all tables.

    Args:
        n: Pairs.
        discordant: True share of discordant pairs.
        margin: Non-inferiority margin, above 0.
        difference: True p(arm) - p(reference).
        alpha: One-sided error rate.
        equivalence: Ask for both bounds inside the margin.
        clusters: As for :func:`power_rate`.

    Raises:
        ValueError: the shares are impossible together, or n is negative.
    """
    _check_rates(alpha, discordant=discordant, margin=margin)
    if n < 0 or abs(difference) > discordant or margin == 0:
        raise ValueError("the difference cannot exceed the discordant share, the margin is above 0, n is not negative")
    if n == 0:
        return 0.0
    share = (1 + difference / discordant) / 2 if discordant else 0.5
    total = np.arange(n + 1)
    total = total[binom_pmf(total, n, discordant) > _TINY_MASS]
    low, high = (binom_ppf(q, total, share) for q in (_TINY_MASS, 1 - _TINY_MASS))
    b = np.concatenate([np.arange(first, last + 1) for first, last in zip(low, high, strict=True)])
    d = np.repeat(total, high - low + 1)
    mass = binom_pmf(d, n, discordant) * binom_pmf(b, d, share)
    unseen = unseen_share(clusters, alpha)
    least = (unseen - margin) / (1 - unseen)  # of the difference seen, where that share of clusters loses every pair
    passed = shows_above(b, d - b, n, -margin, alpha) & (2 * b - d > least * n)
    if equivalence:
        passed &= shows_above(d - b, b, n, -margin, alpha) & (d - 2 * b > least * n)
    return min(1.0, float(mass[passed].sum()))


def smallest_n_paired(margin: float, *, alpha: float = 0.05) -> int:
    """Return the fewest pairs that can pass non-inferiority at all: z^2 (1 - margin) / margin, all concordant."""
    _check_rates(alpha, margin=margin)
    if not 0 < margin < 1:
        raise ValueError(f"a margin lies between 0 and 1, not {margin}")
    return math.floor(normal_isf(alpha) ** 2 * (1 - margin) / margin) + 1


def sample_size_paired(
    discordant: float,
    margin: float,
    *,
    alpha: float = 0.05,
    power: float = 0.9,
    difference: float = 0.0,
    equivalence: bool = False,
    per_cluster: float = 1,
    icc: float = DEFAULT_ICC,
) -> int:
    """Return the pairs needed to show non-inferiority within ``margin`` with probability ``power``.

    Args:
        discordant: Share of discordant pairs assumed.
        margin: Non-inferiority margin.
        alpha: One-sided error rate.
        power: Probability of success asked for.
        difference: True p(arm) - p(reference) assumed.
        equivalence: Ask for both bounds inside the margin.
        per_cluster: Pairs on each background; above 1 the number grows by 1 + (k - 1) ICC.
        icc: Intraclass correlation.

    Raises:
        ValueError: the assumptions are impossible, or more than a million pairs would be needed.
    """
    if difference <= -margin or (equivalence and difference >= margin):
        raise ValueError("a true difference beyond the margin is never shown to lie within it")

    def power_at(n: int) -> float:
        clusters, both = _clusters(n, per_cluster, icc), equivalence
        return power_paired(
            n, discordant, margin, difference=difference, alpha=alpha, equivalence=both, clusters=clusters
        )

    return _inflated(smallest_n(power_at, power, smallest_n_paired(margin, alpha=alpha)), per_cluster, icc)


def power_count(images: int, bound: float, rate: float, *, alpha: float = 0.05) -> float:
    """Return the probability that Garwood's upper bound of a true Poisson ``rate`` per image lies below ``bound``.

    Raises:
        ValueError: not 0 <= rate < bound, or the number of images is negative.
    """
    check_alpha(alpha)
    if images < 0 or not 0 <= rate < bound:
        raise ValueError(f"images are not negative and 0 <= rate < bound: {images}, {rate}, {bound}")
    most = poisson_ppf(alpha, bound * images) if images else 0
    while most >= 0 and poisson_cdf(most, bound * images) > alpha:
        most -= 1
    return poisson_cdf(most, rate * images) if most >= 0 else 0.0


def power_mean(n: int, bound: float, mean: float, spread: float, *, alpha: float = 0.05) -> float:
    """Return the probability that Student's t bound of n independent values shows their mean to exceed ``bound``.

    One more value of 0 is counted in, as the guarded estimate does that decides ``monotone``.

    Args:
        n: Values, such as the rank correlation within each background.
        bound: To be exceeded.
        mean: True mean, above the bound.
        spread: True standard deviation, above 0.
        alpha: One-sided error rate.

    Raises:
        ValueError: the mean does not exceed the bound, or the spread is not above 0.
    """
    check_alpha(alpha)
    if mean <= bound or spread <= 0:
        raise ValueError(f"the mean exceeds the bound and the spread is above 0: {mean}, {bound}, {spread}")
    if n < 2:
        return 0.0
    shrunk, more = n * mean / (n + 1), n + 1
    wide = math.sqrt((n - 1) * spread**2 / n + mean**2 / (n + 1))
    shift = (shrunk - bound) * math.sqrt(more) / wide
    return noncentral_t_sf(t_isf(alpha, more - 1), more - 1, shift)


def power_drop(n: int, bound: float, spread: float, *, alpha: float = 0.05) -> float:
    """Return the probability that Student's bound shows the fall between two levels to lie below ``bound``.

    The levels have one true mean, as on a plateau of the curve; the guarded bound of ``monotone`` is no lower.

    Args:
        n: Backgrounds, each with one difference of the two levels.
        bound: Largest fall allowed, 0 or more.
        spread: True standard deviation of the difference between backgrounds, above 0.
        alpha: One-sided error rate.

    Raises:
        ValueError: the bound is below 0, or the spread is not above 0.
    """
    check_alpha(alpha)
    if bound < 0 or spread <= 0:
        raise ValueError(f"the bound is not below 0 and the spread is above 0: {bound}, {spread}")
    return noncentral_t_sf(t_isf(alpha, n - 1), n - 1, bound * math.sqrt(n) / spread) if n > 1 else 0.0


def sample_size_count(bound: float, rate: float, *, alpha: float = 0.05, power: float = 0.9) -> int:
    """Return the images needed to show with probability ``power`` that a true ``rate`` lies below ``bound``.

    Raises:
        ValueError: as for :func:`power_count`, or more than a million images would be needed.
    """
    return smallest_n(lambda n: power_count(n, bound, rate, alpha=alpha), power, 1)
