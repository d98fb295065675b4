"""Sample sizes of expectations on shares: power of the rules by which rates and pairs are decided.

Where each background gives one unit it is summed exactly; where they give several, clusters are drawn and judged.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from synnodtest.statistics.distributions import binom_isf, binom_pmf, binom_ppf, binom_sf, normal_isf
from synnodtest.statistics.drawn import difference_is_shown, rate_is_shown
from synnodtest.statistics.estimate import check_alpha
from synnodtest.statistics.paired import shows_above
from synnodtest.statistics.rates import beta_bounds

DEFAULT_ICC = 0.2
"""Correlation within a background that plans take where none is known; set by hand: no verdict rests on it, too little
makes plans too small."""
MOST = 1_000_000
"""Units beyond which no study goes, so that a search for a size ends."""
MANY = 5_000
"""Clusters beyond which the number of independent units tells the power as well as draws that would take seconds."""
_STEP = 1.25
"""By which a search for a number of clusters goes up: the first guess is seldom short by more."""
TINY_MASS = 1e-9
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


def power_rate(
    n: int, p0: float, p1: float, *, alpha: float = 0.05, per_cluster: float = 1, icc: float = DEFAULT_ICC
) -> float:
    """Return the probability that the bound that decides shows a true rate ``p1`` to lie beyond ``p0``.

    Args:
        n: Units.
        p0: The rate to be exceeded (where p1 > p0), or undercut (where p1 < p0).
        p1: The true rate.
        alpha: One-sided error rate.
        per_cluster: Units of each background. Of single ones Clopper-Pearson's bound decides, and the power is exact;
            of several the guarded one of Korn and Graubard: seeded beta-binomial clusters are judged by it.
        icc: Intraclass correlation.

    Raises:
        ValueError: a rate leaves [0, 1], ``p1`` equals ``p0``, or n is negative.
    """
    _check_rates(alpha, p0=p0, p1=p1)
    if p0 == p1 or n < 0:
        raise ValueError(f"n is not negative and the rates differ: {n}, {p0}, {p1}")
    if _is_drawn(n, per_cluster):
        return rate_is_shown(n, per_cluster, icc, p1, p0, alpha)
    below, alone = p1 < p0, independent(n, per_cluster, icc)
    return binom_sf(most_unshown(alone, p0, alpha, below), alone, 1 - p1 if below else p1)


def _is_drawn(n: int, per_cluster: float) -> bool:
    return per_cluster > 1 and n <= MANY * per_cluster


def independent(n: int, per_cluster: float, icc: float) -> int:
    """Return how many independent units tell as much as n, so many of a cluster."""
    return int(n / design_effect(max(per_cluster, 1), icc))


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


def smallest_n(
    power_at: Callable[[int], float], power: float, start: int, *, least: int | None = None, smooth: bool = False
) -> int:
    """Return the smallest n at which ``power_at`` reaches ``power``.

    Args:
        power_at: Power of n units.
        power: Asked for.
        start: First n tried.
        least: Fewest that may do; ``start`` by default.
        smooth: Whether power rises with n all along. Else it is a sawtooth, and 25 below the crossing are tried, too.

    Raises:
        ValueError: the power is none, or more than a million units would be needed.
    """
    if not 0 < power < 1:
        raise ValueError(f"power lies between 0 and 1, not {power}")
    high = max(2, start)
    while power_at(high) < power:
        high = math.ceil(high * (2 if least is None else _STEP))
        if high > MOST:
            raise ValueError(f"more than {MOST} units would be needed")
    low = max(1, (start if least is None else least) - 1)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_at(middle) >= power else (middle, high)
    tried = range(max(1, high - (0 if smooth else 25)), high)
    return next((n for n in tried if power_at(n) >= power), high)


def _smallest(power_at: Callable[[int, float], float], power: float, least: int, per_cluster: float, icc: float) -> int:
    """Return the fewest units that reach ``power`` at so many of each cluster.

    Args:
        power_at: From units and units of a cluster to the power.
        power: Asked for.
        least: Units that can pass at all, each its own cluster.
        per_cluster: Units of a cluster.
        icc: Correlation of these.

    Raises:
        ValueError: as for :func:`smallest_n`.
    """
    alone = smallest_n(lambda n: power_at(n, 1), power, least)
    if per_cluster <= 1:
        return alone

    def at(clusters: int) -> float:
        return power_at(math.floor(clusters * per_cluster), per_cluster)

    guess = math.ceil(alone * design_effect(per_cluster, icc) / per_cluster)
    return math.floor(smallest_n(at, power, guess, least=2, smooth=True) * per_cluster)


def sample_size_rate(
    p0: float, p1: float, *, alpha: float = 0.05, power: float = 0.9, per_cluster: float = 1, icc: float = DEFAULT_ICC
) -> int:
    """Return the trials needed to show with probability ``power`` that a true rate p1 lies beyond p0.

    Args:
        p0: The rate to be exceeded, or undercut where p1 is smaller.
        p1: The rate assumed to be true.
        alpha: One-sided error rate.
        power: Probability of success asked for.
        per_cluster: Trials on each background, judged as in :func:`power_rate`.
        icc: Intraclass correlation.

    Raises:
        ValueError: the rates are equal or out of range, or more than a million trials would be needed.
    """

    def power_at(n: int, each: float) -> float:
        return power_rate(n, p0, p1, alpha=alpha, per_cluster=each, icc=icc)

    return _smallest(power_at, power, smallest_n_rate(p0, alpha=alpha, below=p1 < p0), per_cluster, icc)


def power_paired(
    n: int,
    discordant: float,
    margin: float,
    *,
    difference: float = 0.0,
    alpha: float = 0.05,
    equivalence: bool = False,
    per_cluster: float = 1,
    icc: float = DEFAULT_ICC,
) -> float:
    """Return the probability that the bound that decides shows non-inferiority within ``margin``.

    Of single pairs Tango's decides, summed over all tables; of several on a background, drawn ones are judged.

    Args:
        n: Pairs.
        discordant: True share of discordant pairs.
        margin: Non-inferiority margin, above 0.
        difference: True p(arm) - p(reference).
        alpha: One-sided error rate.
        equivalence: Ask for both bounds inside the margin.
        per_cluster: Pairs of each background.
        icc: Correlation of what happens to the pairs of a background.

    Raises:
        ValueError: the shares are impossible together, or n is negative.
    """
    _check_rates(alpha, discordant=discordant, margin=margin)
    if n < 0 or abs(difference) > discordant or margin == 0:
        raise ValueError("the difference cannot exceed the discordant share, the margin is above 0, n is not negative")
    if _is_drawn(n, per_cluster):
        gain, loss = (discordant + difference) / 2, (discordant - difference) / 2
        return difference_is_shown(n, per_cluster, icc, gain, loss, margin, alpha, equivalence)
    n = independent(n, per_cluster, icc)
    if n == 0:
        return 0.0
    share = (1 + difference / discordant) / 2 if discordant else 0.5
    total = np.arange(n + 1)
    total = total[binom_pmf(total, n, discordant) > TINY_MASS]
    low, high = (binom_ppf(q, total, share) for q in (TINY_MASS, 1 - TINY_MASS))
    b = np.concatenate([np.arange(first, last + 1) for first, last in zip(low, high, strict=True)])
    d = np.repeat(total, high - low + 1)
    mass = binom_pmf(d, n, discordant) * binom_pmf(b, d, share)
    passed = shows_above(b, d - b, n, -margin, alpha)
    if equivalence:
        passed &= shows_above(d - b, b, n, -margin, alpha)
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
        per_cluster: Pairs on each background, judged as in :func:`power_paired`.
        icc: Correlation of what happens to the pairs of a background.

    Raises:
        ValueError: the assumptions are impossible, or more than a million pairs would be needed.
    """
    if difference <= -margin or (equivalence and difference >= margin):
        raise ValueError("a true difference beyond the margin is never shown to lie within it")

    def power_at(n: int, each: float) -> float:
        shape = {"alpha": alpha, "per_cluster": each, "icc": icc}
        return power_paired(n, discordant, margin, difference=difference, equivalence=equivalence, **shape)

    return _smallest(power_at, power, smallest_n_paired(margin, alpha=alpha), per_cluster, icc)
