"""Events per exposure: false positives per image."""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from functools import partial

import numpy as np
from numpy.typing import ArrayLike

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array
from synnodtest.statistics.bootstrap import RESAMPLES, few_clusters
from synnodtest.statistics.clusters import cluster_sums, equal_clusters, leverage, unseen_share
from synnodtest.statistics.distributions import chi2_isf, chi2_ppf, t_isf
from synnodtest.statistics.estimate import Estimate, by_cluster, check_alpha
from synnodtest.statistics.rates import guarded_size

OVERDISPERSED = 1.25
"""Variance over the Poisson variance from which clusters are resampled; set by hand: below, Garwood's half width is too
small by at most an eighth (the root)."""
UNSEEN_PER_IMAGE = 2.0
"""Events that an image unlike all that were seen shows, at least: a device or a scar is marked more than once."""
UNSEEN_OF_PATIENT = 3.0
"""The same of a patient, on every image of whom it shows. With 2, of 15 patients a detector that fires five times on
each image of one in ten passes 22% of the time; with 5, 20 patients could hardly show a bound of 1."""


def poisson_exact(events: float, exposure: float, *, alpha: float = 0.05) -> Estimate:
    """Estimate events per unit of exposure with Garwood's exact bounds.

    Valid where events are Poisson: they neither cluster in few images nor repeat. :func:`count_rate` checks that.

    Args:
        events: Number of events, e.g. false positives.
        exposure: Number of units looked at, e.g. images.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate; NaN within [0, inf] without exposure.

    Raises:
        ValueError: a number is negative or not finite, or there are events without exposure.

    Source: Garwood, Biometrika 28 (1936) 437.
    """
    made = partial(Estimate, alpha=check_alpha(alpha), method="garwood")
    if not (math.isfinite(events) and math.isfinite(exposure)) or min(events, exposure) < 0:
        raise ValueError(f"events and exposure are finite and not negative, not {events} in {exposure}")
    if exposure == 0:
        if events:
            raise ValueError(f"{events} events without exposure")
        return made(math.nan, 0.0, math.inf, reason="no exposure")
    lower = chi2_ppf(alpha, 2 * events) / 2 if events else 0.0
    upper = float(_garwood_upper(events, exposure, alpha))
    n, reason = round(exposure), "fewer than 2 units" if exposure < 2 else ""
    return made(events / exposure, lower / exposure, upper, n=n, clusters=n, reason=reason)


def _garwood_upper(events: ArrayLike, exposure: ArrayLike, alpha: float) -> Array:
    return np.asarray(chi2_isf(alpha, 2 * np.asarray(events, float) + 2) / 2 / np.asarray(exposure, float))


def most_per_image(clusters: Sequence[Hashable], *counts: float) -> float:
    """Return how many events each image of a further cluster may show: as many as the worst of these, at least two.

    At least three where clusters give several images: a device is marked on each of them.
    """
    return max(UNSEEN_PER_IMAGE if len(set(clusters)) == len(clusters) else UNSEEN_OF_PATIENT, *counts)


def _ratio_error(events: Array, images: Array, enlarged: Array | float = 1.0) -> tuple[Array, Array]:
    """Ratio of sums along the last axis, and its linearized standard error between clusters."""
    total = images.sum(axis=-1, keepdims=True)
    rate = events.sum(axis=-1, keepdims=True) / total
    count = events.shape[-1]
    squares = (((events - rate * images) * enlarged) ** 2).sum(axis=-1)
    return rate[..., 0], np.sqrt(count / (count - 1) * squares) / total[..., 0]


def _bootstrap_t(events: Array, images: Array, alpha: float, resamples: int, seed: int) -> tuple[float, float]:
    rate, error = _ratio_error(events, images)
    rng = np.random.default_rng(seed_sequence("count-rate", seed))
    count, ratios = len(events), np.empty(resamples)
    step = max(1, 2_000_000 // count)
    for start in range(0, resamples, step):
        draws = rng.integers(count, size=(min(step, resamples - start), count))
        own_rate, own_error = _ratio_error(events[draws], images[draws])
        gap = own_rate - rate
        with np.errstate(divide="ignore", invalid="ignore"):
            ratios[start : start + len(gap)] = np.where(gap == 0, 0.0, gap / own_error)
    least = float(np.quantile(ratios, alpha, method="lower"))
    most = float(np.quantile(ratios, 1 - alpha, method="higher"))
    return float(rate - most * error), float(rate - least * error)


def _sure_exposure(events: Array, images: Array) -> Array:
    """Return the number of independent images that tell as much as those of few patients with several each.

    As of rates (:func:`guarded_size`); events in no more than one cluster tell nothing of how they crowd: then it is
    one image for each cluster, fewer where one patient has most of the images.
    """
    telling, equal = np.count_nonzero(events, axis=-1), equal_clusters(images)
    rate, error = _ratio_error(events, images, leverage(images))
    size = guarded_size(rate, error**2, float(images.sum()), len(images), telling, equal)
    return np.where(telling <= 1, equal, size)


def _with_unseen(events: Array, images: Array, alpha: float, least: float = UNSEEN_OF_PATIENT) -> Array:
    """Return the rate where as many patients as may be unlike all seen show as many as the worst of them.

    With confidence 1 - alpha no more than a share 1 - alpha**(1/B) is unlike all seen, B being so many equal patients.
    """
    share = unseen_share(equal_clusters(images), alpha)
    rate, worst = events.sum(axis=-1) / images.sum(), (events / images).max(axis=-1)
    return np.asarray((1.0 - share) * rate + share * np.maximum(least, worst))


def _with_one_more(events: Array, images: Array, alpha: float) -> Array:
    """Return Student's t upper bound with one more cluster of mean size, as bad as the worst: tails are heavy."""
    mean = images.mean()
    worst, of = (events / images).max(axis=-1, keepdims=True) * mean, np.append(images, mean)
    rate, error = _ratio_error(np.concatenate([events, worst], axis=-1), of, leverage(of))
    return rate + t_isf(alpha, max(equal_clusters(of) - 1.0, 1.0)) * error


def least_upper(events: Array, images: Array, alpha: float, guarded: bool = False) -> tuple[Array, Array]:
    """Return below what no bootstrap takes the upper bound of :func:`count_rate`, and the dispersion.

    Args:
        events: Of each of at least two clusters, of many samples; shape (..., B).
        images: Of each cluster, above 0; shape (B,).
        alpha: One-sided error rate.
        guarded: As for :func:`count_rate`.
    """
    total, single = float(images.sum()), bool((images == 1).all())
    rate, error = _ratio_error(events, images)
    dispersion = np.where(rate > 0, error**2 * total / np.where(rate > 0, rate, 1.0), 0.0)
    uppers = [_garwood_upper(rate * total, total, alpha)]
    if not single:
        sure = _sure_exposure(events, images)
        uppers.append(_garwood_upper(rate * sure, sure, alpha))
    if guarded or not single:
        uppers.append(_with_unseen(events, images, alpha, UNSEEN_PER_IMAGE if single else UNSEEN_OF_PATIENT))
    uppers.append(np.where(dispersion > OVERDISPERSED, _with_one_more(events, images, alpha), 0.0))
    return np.maximum.reduce(uppers), dispersion


def count_rate(
    counts: ArrayLike,
    cluster: ArrayLike,
    *,
    alpha: float = 0.05,
    resamples: int = RESAMPLES,
    seed: int,
    guarded: bool = False,
) -> Estimate:
    """Estimate events per image, exact unless the events crowd into few images or patients.

    The dispersion is the variance of the rate between clusters over the Poisson variance. Up to 1.25
    Garwood's bounds decide. Above it, bootstrap-t over clusters decides, never narrower than Garwood's; its upper bound
    is no lower than Student's t with one more cluster that is as bad as the worst.
    Where clusters repeat, bounds are no narrower than Garwood's at the effective number of images, guarded as a
    rate's: few patients, or one with most of the images, say little of how events crowd. Nor is the upper one lower
    than the rate would be if as many patients as may be unlike all seen (a share of 1 - alpha**(1/B)) showed three
    events per image, or as many as the worst one seen.

    Args:
        counts: Events of each image; shape (n,).
        cluster: The cluster of each image, any labels; shape (n,).
        alpha: One-sided error rate of each bound.
        resamples: Bootstrap samples.
        seed: Seed of the bootstrap.
        guarded: Whether single images, too, are allowed for that are unlike all seen, with two events each: where two
            rates are compared, neither may hide them.

    Returns:
        The estimate, ``extra["dispersion"]`` with it. One cluster gives [0, inf].

    Raises:
        ValueError: lengths differ, or a count is negative or not finite.
    """
    index, count, (events,) = by_cluster(cluster, counts=counts)
    if not np.isfinite(events).all() or (events < 0).any():
        raise ValueError("counts are finite and not negative")
    exact = poisson_exact(float(events.sum()), len(events), alpha=alpha)
    made = partial(Estimate, exact.value, alpha=check_alpha(alpha), method="garwood", n=len(events), clusters=count)
    if count < 2:
        return made(0.0, math.inf, reason="one cluster" if count else "no images")
    per_cluster = cluster_sums(events, index, count)
    images = np.bincount(index, minlength=count).astype(float)
    upper, dispersion = map(float, least_upper(per_cluster, images, alpha, guarded))
    extra, lower = {"dispersion": dispersion}, exact.lower
    if count < len(events):
        sure = float(_sure_exposure(per_cluster, images))
        lower = min(lower, poisson_exact(exact.value * sure, sure, alpha=alpha).lower)
    if dispersion <= OVERDISPERSED:
        return made(lower, upper, extra=extra)
    low, high = _bootstrap_t(per_cluster, images, alpha, resamples, seed)
    ends = max(0.0, min(low, lower)), max(high, upper)
    return made(*ends, method="bootstrap-t", flags=few_clusters(count), extra=extra)
