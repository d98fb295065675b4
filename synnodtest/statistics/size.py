"""Diameter from which a detector finds nodules: logistic regression by generalized estimating equations (GEE)."""

from __future__ import annotations

import math
import warnings
from functools import partial
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import ArrayLike

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.clusters import cluster_sums, equal_clusters, unseen_share
from synnodtest.statistics.distributions import t_isf
from synnodtest.statistics.estimate import Estimate, by_cluster, check_alpha, yes_or_no
from synnodtest.statistics.rates import clustered_rate

ITERATIONS = 200
"""Most steps; of 200 drawn data sets of 5 to 60 clusters the median took 9 and all but one at most 61, so more help no
fit."""
SOLVED = 1e-9
"""Norm of the estimating function at which they count as solved: hits are 0 or 1, its terms of the order of 1."""


class LogisticFit(NamedTuple):
    """Coefficients, their bias-reduced sandwich covariance (Mancl & DeRouen 2001), and the correlation."""

    beta: Array
    covariance: Array
    correlation: float


def _working(design: Array, hit: Array, beta: Array) -> tuple[Array, Array]:
    """Return residuals and derivatives at some coefficients, divided by the standard deviation of each hit."""
    mean = scipy.special.expit(design @ beta)
    deviation = np.sqrt(mean * (1 - mean))
    return (hit - mean) / deviation, design * deviation[:, None]


def _correlation(residual: Array, index: Indices, sizes: Array, parameters: int) -> float:
    """Moment estimate of the correlation of two hits of one cluster; 0 where no cluster has two."""
    square = residual**2
    pairs = sizes * (sizes - 1) / 2
    if pairs.sum() == 0:
        return 0.0
    scale = square.sum() / (len(residual) - parameters)
    sums, squares = (cluster_sums(v, index, len(sizes)) for v in (residual, square))
    return float(((sums**2 - squares) / 2).sum() / scale / (pairs.sum() - parameters))


def _whitened(columns: Array, index: Indices, sizes: Array, rho: float) -> Array:
    """Return R^-1 times the columns (n, p), with R the exchangeable correlation of each cluster."""
    share = rho / (1 - rho) / (1 + rho * (sizes - 1))
    sums = np.column_stack([cluster_sums(column, index, len(sizes)) for column in columns.T])
    return np.asarray(columns / (1 - rho) - (share[:, None] * sums)[index], dtype=np.float64)


def _covariance(residual: Array, design: Array, index: Indices, sizes: Array, rho: float) -> Array:
    """Return the sandwich with each cluster's residuals divided by one minus its leverage."""
    weighted = _whitened(design, index, sizes, rho)
    bread = np.linalg.inv(design.T @ weighted)
    meat = np.zeros_like(bread)
    for cluster in range(len(sizes)):
        rows = np.flatnonzero(index == cluster)
        leverage = design[rows] @ bread @ weighted[rows].T
        corrected = np.linalg.solve(np.eye(len(rows)) - leverage, residual[rows])
        pull = weighted[rows].T @ corrected
        meat += np.outer(pull, pull)
    return np.asarray(bread @ meat @ bread, dtype=np.float64)


def fit_logistic(design: Array, hit: Array, index: Indices, *, independent: bool = False) -> LogisticFit:
    """Fit P(hit) = expit(design @ beta), hits of one cluster being equally correlated.

    Args:
        design: Shape (n, p), a column of ones included.
        hit: 0 or 1, shape (n,).
        index: The cluster of each hit, from 0, shape (n,).
        independent: Weigh all hits alike, whatever their correlation: the covariance allows for it.

    Raises:
        ValueError: the equations are not solved within :data:`ITERATIONS` steps.
        numpy.linalg.LinAlgError: they are singular.

    Source: Liang & Zeger, Biometrika 73 (1986) 13; Mancl & DeRouen, Biometrics 57 (2001) 126.
    """
    sizes = np.bincount(index).astype(np.float64)
    beta, rho = np.zeros(design.shape[1]), 0.0
    for step in range(ITERATIONS):
        residual, slopes = _working(design, hit, beta)
        weighted = _whitened(slopes, index, sizes, rho)
        score = weighted.T @ residual
        if step > 0 and float(np.linalg.norm(score)) < SOLVED:
            return LogisticFit(beta, _covariance(residual, slopes, index, sizes, rho), rho)
        beta = beta + np.linalg.solve(slopes.T @ weighted, score)
        if not independent:
            rho = _correlation(_working(design, hit, beta)[0], index, sizes, design.shape[1])
    raise ValueError(f"the equations are not solved in {ITERATIONS} steps")


_FEW_CLUSTERS = 15
"""Clusters below which a regression carries a flag; a convention, set by hand: its sandwich variance is approximate
there, and it decides nothing."""
_NEIGHBOURS, _GROUPS = 10, 20
"""Fewest nodules of neighbouring diameters that are looked at together where each has its own, and most such groups;
set by hand: with one of ten found surely fewer than half are (upper bound 0.39); of more one is low by chance."""
_BESIDE = 1e-4
"""Distance of a bound, in the logarithm, from a tried size at which the rate is surely beyond the level: the diameter
lies on the near side of it, and a print of three decimals shows that."""
_MOST_CORRELATED = 0.95
"""Correlation within clusters beyond which weights are all but singular, and the fit is no answer; set by hand."""


def _separated(size: Array, hit: Array) -> bool:
    found_sizes, missed = size[hit == 1], size[hit == 0]
    return bool(found_sizes.min() >= missed.max() or found_sizes.max() <= missed.min())


def _fieller(beta: Array, cov: Array, target: float, q: float) -> tuple[float, float] | None:
    """The log sizes at which the fitted line may cross ``target``; None where the slope is not sure."""
    gap, slope = float(beta[0]) - target, float(beta[1])
    square = slope**2 - q**2 * float(cov[1, 1])
    if slope <= 0 or square <= 0:
        return None
    linear = gap * slope - q**2 * float(cov[0, 1])
    root = math.sqrt(max(linear**2 - square * (gap**2 - q**2 * float(cov[0, 0])), 0.0))
    return (-linear - root) / square, (-linear + root) / square


def _lost_from(size: Array, hits: Array, index: Indices, level: float, alpha: float) -> float | None:
    """Return a diameter at which, or from which on, nodules are surely found less often than the level, if any."""
    starts = _starts(size)
    for start, end in zip(starts, [*starts[1:], math.inf], strict=True):
        for part in ((size >= start) & (size < end), size >= start):
            if hits[part].mean() < level and clustered_rate(hits[part], index[part], alpha=alpha).upper < level:
                return float(start)
    return None


def _starts(size: Array) -> Array:
    """Every diameter; where these are many and of few nodules each, the first of groups of neighbours."""
    each, count = np.unique(size), len(size)
    if len(each) <= max(_GROUPS, count / _NEIGHBOURS):
        return each
    return np.unique(np.sort(size)[:: max(_NEIGHBOURS, math.ceil(count / _GROUPS))])


def _reached(beta: Array, level: float) -> float:
    """The log size at which a fitted line reaches ``level``; NaN where it does not rise."""
    return (float(scipy.special.logit(level)) - float(beta[0])) / float(beta[1]) if beta[1] > 0 else math.nan


def _powers(values: Array, degree: int) -> Array:
    return np.asarray(values[:, None] ** np.arange(degree + 1), dtype=np.float64)


def _fitted(log_size: Array, hit: Array, index: Indices, independent: bool, degree: int = 1) -> LogisticFit | None:
    """The fit over log sizes; None where there is none to rely on."""
    design = _powers(log_size, degree)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            fit = fit_logistic(design, hit, index, independent=independent)
        except (Warning, ValueError, FloatingPointError, np.linalg.LinAlgError):
            return None
    finite = np.isfinite(fit.beta).all() and np.isfinite(fit.covariance).all()
    return fit if finite and abs(fit.correlation) <= _MOST_CORRELATED else None


def _bounds(
    fits: list[LogisticFit], level: float, alpha: float, sizes: Array, unseen: bool
) -> tuple[float, float] | None:
    """The widest of Fieller's bounds of fits, in log sizes; None where the slope of any is not sure.

    With ``unseen`` the upper bound allows for clusters unlike all those seen, in which nothing is found.
    """
    equal, target = equal_clusters(sizes), float(scipy.special.logit(level))
    quantile = t_isf(alpha, max(equal - 2.0, 1.0))
    each = [_fieller(fit.beta, fit.covariance, target, quantile) for fit in fits]
    sure = [one for one in each if one is not None]
    if len(sure) < len(fits):
        return None
    lower, upper = min(low for low, _ in sure), max(high for _, high in sure)
    if unseen:
        asked = level / (1.0 - unseen_share(equal, alpha))
        upper = max(upper, *(_reached(fit.beta, asked) for fit in fits)) if asked < 1.0 else math.inf
    return lower, upper


def _curved(
    log_size: Array, hits: Array, index: Indices, level: float, alpha: float, crossing: float
) -> tuple[float, float]:
    """Return the tried log sizes next to a crossing at which a curve that may bend is surely below, and above, a level.

    Infinite where there is none. Between two sizes any curve may run, a step as well: only at those tried something is
    sure. Where there are too few sizes, hits or misses for a curve that bends, it is straight.
    """
    middle, tried = float(log_size.mean()), np.unique(log_size)
    fits = (_fitted(log_size - middle, hits, index, independent=True, degree=k) for k in (2, 1) if k < len(tried))
    fit = next((fit for fit in fits if fit is not None), None)
    if fit is None:
        return -math.inf, math.inf
    degrees = equal_clusters(np.bincount(index).astype(np.float64)) - 3.0
    rows = _powers(tried - middle, len(fit.beta) - 1)
    gap = rows @ fit.beta - float(scipy.special.logit(level))
    variance = np.einsum("ij,jk,ik->i", rows, fit.covariance, rows)
    half = t_isf(alpha, max(degrees, 1.0)) * np.sqrt(np.where(variance > 0, variance, math.inf))  # 0 by rounding alone
    below, above = tried[(tried <= crossing) & (gap < -half)], tried[(tried >= crossing) & (gap > half)]
    return float(below.max(initial=-math.inf)) + _BESIDE, float(above.min(initial=math.inf)) - _BESIDE


def size_at_sensitivity(
    diameter_mm: ArrayLike,
    hit: ArrayLike,
    cluster: ArrayLike,
    level: float,
    *,
    alpha: float = 0.05,
    guarded: bool = False,
) -> Estimate:
    """Estimate the diameter at which sensitivity reaches ``level`` (d50, d80).

    Logistic regression on log diameter by GEE with exchangeable correlation within clusters; Fieller's bounds with the
    bias-reduced sandwich covariance (Mancl & DeRouen 2001) and Student's t with B - 2 degrees of freedom, B being so
    many equal clusters (Kish): few with most of the nodules tell the covariance no better than few.

    Args:
        diameter_mm: Diameter of each nodule in mm, above 0; shape (n,).
        hit: 1 or True where it was found; shape (n,).
        cluster: The cluster of each nodule, any labels; shape (n,).
        level: Sensitivity asked for, strictly between 0 and 1.
        alpha: One-sided error rate of each bound.
        guarded: For decisions: the upper bound is infinite unless the lower bound of the rate at which nodules above
            the estimate are found exceeds ``level``, since a curve that rises on to 1 hides a plateau at the level; and
            where those of one diameter above it (of drawn ones, of ten or more neighbours), or from one on, are surely
            found less often: larger ones are lost.
            Nor do bounds lie nearer than the next diameter tried at which a curve that may bend, with a square term of
            log diameter, is surely beyond ``level``: of 60 films of 8 sizes, a detector exactly at the bound of d50
            that finds one in ten of the smallest, too, would pass 39% of the time, and one whose sensitivity steps
            from 0.05 to 0.97 at a bound between two sizes 85%.
            Where clusters repeat, bounds are also no surer than those of a fit that weighs all hits alike, nor the
            upper one than with a share 1 - alpha**(1/B) of clusters unlike all seen, in which nothing is found. Where
            one film in ten loses all of its nodules, sensitivity is no logistic curve, and hits that are weighed by
            their correlation tell of the other films: of 60 films of 10 nodules, a detector exactly at the bound of
            d50 would pass 53% of the time. Where the equations of such weights have no solution, the other fit gives
            the upper bound alone.

    Returns:
        The estimate in mm, with ``slope``, ``intercept`` and ``correlation`` in ``extra``. Nothing is extrapolated: a
        bound outside the diameters tried is 0 or infinite. Both are, with a ``reason``, where the diameter itself lies
        outside, hits and misses are separated, the slope is not sure to rise, the nodules above the estimate are found
        less often than ``level`` (a plateau), there are fewer than 3 clusters, or a diameter is missing.

    Raises:
        ValueError: lengths differ, a diameter is not above 0, a hit is neither 0 nor 1, or the level is out of range.

    Source: Liang & Zeger, Biometrika 73 (1986) 13; Fieller, J. R. Stat. Soc. B 16 (1954) 175.
    """
    if not 0 < level < 1:
        raise ValueError(f"a sensitivity level lies between 0 and 1, not {level}")
    index, count, (size, hits) = by_cluster(cluster, diameter_mm=diameter_mm, hit=hit)
    if (size <= 0).any() or not yes_or_no(hits):
        raise ValueError("diameters are above 0 and hits are 0 or 1")

    made = partial(Estimate, alpha=check_alpha(alpha), method="gee-fieller", n=len(size), clusters=count)

    def cannot(reason: str, value: float = math.nan) -> Estimate:
        return made(value, 0.0, math.inf, reason=reason)

    if not np.isfinite(size).all():
        return cannot("diameters are missing or infinite")
    if count < 3:
        return cannot("fewer than 3 clusters")
    if hits.min() == hits.max():
        return cannot("all nodules were found" if hits[0] else "no nodule was found")
    if _separated(size, hits):
        return cannot("hits and misses are separated by size")
    repeated = guarded and count < len(hits)
    log_size = np.log(size)
    tried = [_fitted(log_size, hits, index, independent) for independent in (False, True)[: 1 + repeated]]
    fits = [fit for fit in tried if fit is not None]
    if tried[-1] is None:
        return cannot("the regression does not converge")
    beta, _, rho = fits[0]
    crossing = _reached(beta, level)
    value = math.exp(crossing) if abs(crossing) < 50 else math.nan
    bounds = _bounds(fits, level, alpha, np.bincount(index).astype(np.float64), repeated)
    if math.isnan(value) or bounds is None:
        return cannot("sensitivity is not sure to rise with size", value)
    if not size.min() <= value <= size.max():
        return cannot("the level is reached outside the diameters tried", value)
    if hits[size >= value].mean() < level:
        return cannot("larger nodules are found less often than the level: a plateau", value)
    if guarded:
        bent = _curved(log_size, hits, index, level, alpha, crossing)
        bounds = min(bounds[0], bent[0]), max(bounds[1], bent[1])
    lower, upper = (math.exp(min(max(b, -50.0), 50.0)) for b in bounds)
    flags = [f"regression over fewer than {_FEW_CLUSTERS} clusters"] * (count < _FEW_CLUSTERS)
    above = size >= value
    if guarded and clustered_rate(hits[above], index[above], alpha=alpha).lower <= level:
        upper = math.inf
        flags.append(f"nodules above the estimate are not shown to be found more often than {level:g}: a plateau?")
    elif guarded and (lost := _lost_from(size[above], hits[above], index[above], level, alpha)) is not None:
        upper = math.inf
        flags.append(f"nodules above the estimate are found less often than {level:g} again, at {lost:.3g} mm")
    return made(
        value,
        lower if lower >= size.min() and tried[0] is not None else 0.0,
        upper if upper <= size.max() else math.inf,
        flags=tuple(flags),
        extra={"intercept": float(beta[0]), "slope": float(beta[1]), "correlation": rho},
    )
