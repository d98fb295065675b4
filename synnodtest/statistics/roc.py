"""Area under the ROC curve of image-level scores, and the difference of two on the same images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.distributions import midranks, normal_isf, normal_sf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, check_alpha, vector

_NO_SPREAD = 1e-12
"""Standard error that is rounding: where any two placements differ it is larger, even with a hundred thousand
images."""


def _placements(
    positives: NDArray[np.float64], negatives: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Share of the other class that each score beats, ties counting half."""
    m, n = len(positives), len(negatives)
    pooled = midranks(np.concatenate([positives, negatives]))
    by_positive = (pooled[:m] - midranks(positives)) / n
    by_negative = 1 - (pooled[m:] - midranks(negatives)) / m
    return by_positive, by_negative


def auc(positives: ArrayLike, negatives: ArrayLike) -> float:
    """Return P(positive > negative) + P(equal)/2; NaN if a side is empty or a score is NaN. Infinite scores rank."""
    first, second = vector(positives, "positives"), vector(negatives, "negatives")
    if min(len(first), len(second)) == 0 or np.isnan(first).any() or np.isnan(second).any():
        return math.nan
    pooled = midranks(np.concatenate([first, second]))
    return float(((pooled[: len(first)] - midranks(first)) / len(second)).mean())


def _error(placements: Sequence[NDArray[np.float64]]) -> float:
    return math.sqrt(sum(float(part.var(ddof=1)) / len(part) for part in placements))


def _normal(value: float, error: float, alpha: float) -> tuple[float, float]:
    half = normal_isf(alpha) * error
    return value - half, value + half


def _logit(value: float, error: float, alpha: float) -> tuple[float, float]:
    centre, half = scipy.special.logit(value), normal_isf(alpha) * error / (value * (1 - value))
    return float(scipy.special.expit(centre - half)), float(scipy.special.expit(centre + half))


def delong(positives: ArrayLike, negatives: ArrayLike, *, alpha: float = 0.05, guarded: bool = False) -> Estimate:
    """Estimate the AUC with DeLong's variance and normal bounds, cut to [0, 1].

    Images are independent: where patients repeat, use :func:`cluster_bootstrap` with :func:`auc`.

    Args:
        positives: Scores of images with a nodule; shape (m,). Infinite scores rank at the ends.
        negatives: Scores of images without; shape (n,).
        alpha: One-sided error rate of each bound.
        guarded: For decisions: the wider of these bounds and those made on the logit scale. Near 1 the normal
            bounds alone are too narrow.

    Returns:
        The estimate, ``standard_error``, ``logit_lower`` and ``logit_upper`` in ``extra``. With fewer than 2 images
        on a side, or NaN among the scores, the bounds are 0 and 1. At an AUC of 0 or 1, where the variance vanishes,
        a share of 1 - alpha**(1/min(m, n)) of images is allowed to be ranked quite otherwise.

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837; logit bounds: Pepe, The Statistical
    Evaluation of Medical Tests (2003), section 5.2.4.
    """
    first, second = vector(positives, "positives"), vector(negatives, "negatives")
    value, fewest, n = auc(first, second), min(len(first), len(second)), len(first) + len(second)
    made = partial(Estimate, value, alpha=check_alpha(alpha), method="delong", n=n, clusters=n)
    if math.isnan(value) or fewest < 2:
        reason = "fewer than 2 images on a side" if fewest < 2 else "scores are missing"
        return made(0.0, 1.0, reason=reason)
    error = _error(_placements(first, second))
    if error < _NO_SPREAD:
        bounds = logit = agreeing_bounds(value, fewest, alpha, 0.0, 1.0)
    else:
        normal, logit = _normal(value, error, alpha), _logit(value, error, alpha)
        bounds = max(0.0, normal[0]), min(1.0, normal[1])
    extra = {"standard_error": error, "logit_lower": logit[0], "logit_upper": logit[1]}
    if guarded:
        return made(min(bounds[0], logit[0]), max(bounds[1], logit[1]), method="delong, guarded", extra=extra)
    return made(*bounds, extra=extra)


def delong_paired(
    positives: ArrayLike,
    negatives: ArrayLike,
    reference_positives: ArrayLike,
    reference_negatives: ArrayLike,
    *,
    alpha: float = 0.05,
) -> Estimate:
    """Estimate AUC(arm) - AUC(reference), both scored on the same images, with DeLong's covariance.

    Args:
        positives: The arm's scores of the images with a nodule; shape (m,).
        negatives: The arm's scores of the images without; shape (n,).
        reference_positives: The reference's scores of the same m images.
        reference_negatives: The reference's scores of the same n images.
        alpha: One-sided error rate of each bound.

    Returns:
        The estimate within [-1, 1], with ``standard_error`` and a two-sided ``p_value`` in ``extra``. Where the
        two order the images alike the variance vanishes: then min(m, n) agreeing units bound the difference.

    Raises:
        ValueError: the two score different numbers of images.

    Source: DeLong, DeLong & Clarke-Pearson, Biometrics 44 (1988) 837.
    """
    arm = vector(positives, "positives"), vector(negatives, "negatives")
    other = vector(reference_positives, "reference_positives"), vector(reference_negatives, "reference_negatives")
    if [len(a) for a in arm] != [len(b) for b in other]:
        raise ValueError("arm and reference score the same images")
    value, fewest, n = auc(*arm) - auc(*other), min(len(a) for a in arm), sum(len(a) for a in arm)
    made = partial(Estimate, value, alpha=check_alpha(alpha), method="delong-paired", n=n, clusters=n)
    if math.isnan(value) or fewest < 2:
        reason = "fewer than 2 images on a side" if fewest < 2 else "scores are missing"
        return made(-1.0, 1.0, reason=reason)
    error = _error([a - b for a, b in zip(_placements(*arm), _placements(*other), strict=True)])
    if error < _NO_SPREAD:
        (lower, upper), p_value = agreeing_bounds(value, fewest, alpha, -1.0, 1.0), 1.0
    else:
        lower, upper = _normal(value, error, alpha)
        p_value = 2 * normal_sf(abs(value) / error)
    return made(max(-1.0, lower), min(1.0, upper), extra={"standard_error": error, "p_value": p_value})
