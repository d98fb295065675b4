"""Quantiles and tails of the distributions that bounds rest on, and midranks.

They are bit for bit those of ``scipy.stats``, but for functions that say otherwise.

``scipy.stats`` takes most of a second to load, longer than a run needs for all else when its scenes are stored. What
every run asks for stands here, on ``scipy.special``; rarer things are asked of ``scipy.stats`` by name, and
loads then.
"""

from __future__ import annotations

import math

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from synnodtest.geometry import Array


def normal_cdf(x: float) -> float:
    """Return P(Z <= x) of the standard normal distribution."""
    return float(scipy.special.ndtr(x))


def normal_sf(x: float) -> float:
    """Return P(Z > x)."""
    return float(scipy.special.ndtr(-x))


def normal_ppf(share: float) -> float:
    """Return the point below which a share of the standard normal distribution lies."""
    return float(scipy.special.ndtri(share))


def normal_isf(tail: float) -> float:
    """Return the point that the standard normal distribution exceeds with probability ``tail``."""
    return -float(scipy.special.ndtri(tail))


def beta_ppf(share: float, a: ArrayLike, b: ArrayLike) -> Array:
    """Return quantiles of beta distributions with parameters above 0."""
    first, second = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    return np.asarray(scipy.special.betaincinv(first, second, share), dtype=np.float64)


def beta_isf(tail: float, a: float, b: float) -> float:
    """Return the point that a beta distribution exceeds with probability ``tail``."""
    return float(scipy.special.betainccinv(a, b, tail))


def beta_sf(x: float, a: float, b: float) -> float:
    """Return P(B > x) of a beta distribution, x in 0..1."""
    return float(scipy.special.betaincc(a, b, x))


def chi2_ppf(share: float, degrees: float) -> float:
    """Return a quantile of chi squared with degrees of freedom above 0."""
    return 2 * float(scipy.special.gammaincinv(degrees / 2, share))


def chi2_isf(tail: float, degrees: ArrayLike) -> Array:
    """Return the points that chi squared exceeds with probability ``tail``."""
    return np.asarray(scipy.special.chdtri(np.asarray(degrees, dtype=np.float64), tail), dtype=np.float64)


def t_ppf(share: float, degrees: ArrayLike) -> Array:
    """Return quantiles of Student's t."""
    return np.asarray(scipy.special.stdtrit(np.asarray(degrees, dtype=np.float64), share), dtype=np.float64)


def t_isf(tail: float, degrees: float) -> float:
    """Return the point that Student's t exceeds with probability ``tail``."""
    return -float(scipy.special.stdtrit(degrees, tail))


def noncentral_t_sf(x: float, degrees: float, shift: float) -> float:
    """Return P(T > x) of noncentral t, by its mirror image, where nothing cancels."""
    tail = float(scipy.special.nctdtr(degrees, -shift, -x))
    return float(scipy.stats.nct.sf(x, degrees, shift)) if math.isnan(tail) else tail


def binom_half_pmf(count: float, n: float) -> float:
    """Return P(X = count) of n fair coins, both whole numbers; exact but for the last rounding."""
    return float(math.comb(int(n), int(count)) / 2 ** int(n))


def binom_half_cdf(count: float, n: float) -> float:
    """Return P(X <= count) of n fair coins, ``0 <= count``."""
    return binom_cdf(count, n, 0.5)


def binom_pmf(count: ArrayLike, n: ArrayLike, rate: float) -> Array:
    """Return P(X = count), 0 <= count <= n; to ten digits for n = 20,000, more below."""
    k, of = np.asarray(count, dtype=np.float64), np.asarray(n, dtype=np.float64)
    ways = scipy.special.gammaln(of + 1) - scipy.special.gammaln(k + 1) - scipy.special.gammaln(of - k + 1)
    return np.asarray(
        np.exp(ways + scipy.special.xlogy(k, rate) + scipy.special.xlog1py(of - k, -rate)), dtype=np.float64
    )


def binom_cdf(count: float, n: float, rate: float) -> float:
    """Return P(X <= count), 0 <= count; to twelve digits."""
    return float(scipy.special.betaincc(count + 1, n - count, rate)) if count < n else 1.0


def binom_sf(count: int, n: int, rate: float) -> float:
    """Return P(X > count), 0 <= count."""
    return float(scipy.special.betainc(count + 1, n - count, rate)) if count < n else 0.0


def binom_ppf(share: float, n: ArrayLike, rate: float) -> NDArray[np.int64]:
    """Return the smallest counts of which at least ``share`` of the distribution is no larger."""
    of = np.asarray(n)
    if not 0 < rate < 1:
        return np.where(rate > 0, of, 0)
    count = np.nan_to_num(np.ceil(scipy.special.bdtrik(share, of, rate)))  # of none there is no quantile but 0
    lower = np.maximum(count - 1, 0)
    enough = np.where(lower < of, scipy.special.betaincc(lower + 1, np.maximum(of - lower, 1), rate), 1.0) >= share
    return np.where(enough, lower, count).astype(np.int64)


def binom_isf(tail: float, n: int, rate: float) -> int:
    """Return the smallest count that is exceeded with a probability of at most ``tail``."""
    count = int(binom_ppf(1 - tail, n, rate))
    while count > 0 and binom_sf(count - 1, n, rate) <= tail:
        count -= 1
    while binom_sf(count, n, rate) > tail:
        count += 1
    return count


def hypergeom_cdf(count: int, drawn: int, marked: int, total: int) -> float:
    """Return P(X <= count) of the marked ones among some that are drawn without putting back; exact."""
    plain = total - marked
    ways = sum(math.comb(marked, k) * math.comb(plain, drawn - k) for k in range(max(0, drawn - plain), count + 1))
    return ways / math.comb(total, drawn)


def midranks(values: ArrayLike) -> Array:
    """Return ranks from 1, ties sharing the mean of theirs; shape (n,), without NaN."""
    flat = np.asarray(values)
    order = np.argsort(flat, kind="stable")
    ordered = flat[order]
    edges = np.empty(len(flat) + 1, dtype=bool)  # where another value begins, and the end
    edges[:1] = edges[-1:] = True
    np.not_equal(ordered[1:], ordered[:-1], out=edges[1:-1])
    (starts,) = edges.nonzero()
    ranks = np.empty(len(flat))
    ranks[order] = ((starts[:-1] + starts[1:] + 1) / 2).repeat(np.diff(starts))
    return ranks
