"""Power of rules on counts and on means: events per image, correlations, and falls between two levels."""

from __future__ import annotations

import math

from scipy import special

from synnodtest.statistics.distributions import noncentral_t_sf, normal_isf, normal_sf, t_isf
from synnodtest.statistics.drawn import count_is_shown, mean_is_shown
from synnodtest.statistics.estimate import check_alpha
from synnodtest.statistics.power import DEFAULT_ICC, MANY, MOST, TINY_MASS, design_effect, independent, smallest_n

_CROWD = 0.1
"""Standard error of the dispersion of Poisson counts, the root of (2 + 1/rate)/n, up to which single images hardly seem
to crowd: 1.25, from which Garwood's bound does not decide alone, lies 2.5 of them off."""
_SURE = 0.99
"""Power up to which the first guess of a size rises with what is asked for; more is found by the search."""


def power_count(
    images: int, bound: float, rate: float, *, alpha: float = 0.05, per_cluster: float = 1, icc: float = DEFAULT_ICC
) -> float:
    """Return the probability that the upper bound of a true ``rate`` of events per image lies below ``bound``.

    Seeded images are judged as by ``count_rate`` but for its bootstrap, which takes back at most 3% more: where single
    ones, whose events are Poisson, seem to crowd by chance, Garwood's bound does not decide. Of so many that they
    hardly can, its power is exact.

    Args:
        images: Number of images.
        bound: To be undercut.
        rate: True events per image.
        alpha: One-sided error rate.
        per_cluster: Images of each background or patient; above 1 these differ by a gamma distribution.
        icc: Correlation of the counts of two images of one patient.

    Raises:
        ValueError: not 0 <= rate < bound, or the number of images is negative.
    """
    check_alpha(alpha)
    if images < 0 or not 0 <= rate < bound:
        raise ValueError(f"images are not negative and 0 <= rate < bound: {images}, {rate}, {bound}")
    if per_cluster <= 1 and images * _CROWD**2 >= 2 + 1 / max(rate, TINY_MASS):
        fewest_unshown = math.ceil(special.pdtrik(alpha, images * bound) - TINY_MASS)
        return float(special.pdtr(fewest_unshown - 1, images * rate)) if fewest_unshown > 0 else 0.0
    if images <= MANY * max(per_cluster, 1):
        return count_is_shown(images, max(per_cluster, 1), icc if per_cluster > 1 else 0.0, rate, bound, alpha)
    alone = independent(images, per_cluster, icc)
    apart = alone * (bound - rate) - normal_isf(alpha) * math.sqrt(alone * bound)
    return normal_sf(-apart / math.sqrt(alone * rate)) if rate else 1.0


def power_mean(n: int, bound: float, mean: float, spread: float, *, alpha: float = 0.05) -> float:
    """Return the probability that the guarded bound of n independent correlations shows their mean to exceed ``bound``.

    Seeded ones are drawn, beta distributed: where most are near 1 and some are not, Student's t promises too much.

    Args:
        n: Values from -1 to 1, such as the rank correlation within each background.
        bound: To be exceeded.
        mean: True mean, above the bound.
        spread: True standard deviation, above 0.
        alpha: One-sided error rate.

    Raises:
        ValueError: the mean does not exceed the bound or is above 1, or the spread is not above 0.
    """
    check_alpha(alpha)
    if not bound < mean <= 1 or spread <= 0:
        raise ValueError(f"the mean exceeds the bound and the spread is above 0: {mean}, {bound}, {spread}")
    if n > MANY:
        return normal_sf(normal_isf(alpha) - (mean - bound) * math.sqrt(n) / spread)
    return mean_is_shown(n, bound, mean, spread, alpha) if n > 1 else 0.0


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


def sample_size_count(
    bound: float,
    rate: float,
    *,
    alpha: float = 0.05,
    power: float = 0.9,
    per_cluster: float = 1,
    icc: float = DEFAULT_ICC,
) -> int:
    """Return the images needed to show with probability ``power`` that a true ``rate`` lies below ``bound``.

    Arguments are those of :func:`power_count`.

    Raises:
        ValueError: as for :func:`power_count`, or more than a million images would be needed.
    """

    def power_at(clusters: int) -> float:
        n = math.floor(clusters * max(per_cluster, 1))
        return power_count(n, bound, rate, alpha=alpha, per_cluster=per_cluster, icc=icc)

    power_count(0, bound, rate, alpha=alpha)  # refuses what is impossible
    tails = normal_isf(alpha) * math.sqrt(bound) + normal_isf(1 - min(power, _SURE)) * math.sqrt(rate)
    alone = (tails / (bound - rate)) ** 2
    guess = math.ceil(min(MOST, alone * design_effect(max(per_cluster, 1), icc) / max(per_cluster, 1)))
    return math.floor(smallest_n(power_at, power, guess, least=2, smooth=True) * max(per_cluster, 1))
