"""Area under the ROC curve of images, and lesion-level curves: FROC, AFROC and average precision."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import scipy
from numpy.typing import ArrayLike, NDArray

from synnodtest.geometry import Array
from synnodtest.statistics.distributions import midranks, normal_isf, normal_sf
from synnodtest.statistics.estimate import Estimate, agreeing_bounds, check_alpha, same_length, vector, yes_or_no

_NO_SPREAD = 1e-12
"""Standard error that is rounding: where any two placements differ it is larger, even with a hundred thousand
images."""


def _placements(positives: Array, negatives: Array) -> tuple[Array, Array]:
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


def _error(placements: Sequence[Array]) -> float:
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


_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class FrocCurve:
    """Operating points from the strictest threshold to the loosest, all of shape (k,).

    Attributes:
        threshold: A finding counts where its score is at least this; falls from +inf.
        sensitivity: Share of nodules hit; starts at 0 and never falls. NaN without nodules.
        false_positives_per_image: False positives over images; starts at 0 and never falls. NaN without images.
    """

    threshold: Array
    sensitivity: Array
    false_positives_per_image: Array


def _findings(scores: ArrayLike, is_hit: ArrayLike, n_nodules: int) -> tuple[Array, NDArray[np.bool_]]:
    values, hits = vector(scores, "scores"), np.asarray(is_hit)
    if hits.size == 0:
        hits = hits.astype(bool)
    same_length(scores=values, is_hit=hits)
    if np.isnan(values).any():
        raise ValueError("a finding has no score")
    if not yes_or_no(hits):
        raise ValueError("is_hit is yes or no")
    hits = hits.astype(bool)
    if n_nodules < 0 or np.count_nonzero(hits) > n_nodules:
        raise ValueError(f"{np.count_nonzero(hits)} hits on {n_nodules} nodules: a nodule is hit at most once")
    order = np.argsort(-values, kind="stable")
    return values[order], hits[order]


def froc(scores: ArrayLike, is_hit: ArrayLike, n_nodules: int, n_images: int) -> FrocCurve:
    """Return the free-response curve of pooled findings: one point per distinct score, and the origin.

    Findings of equal score enter together. The curve is a step function and ends at the loosest threshold.

    Args:
        scores: Score of each finding, from all images; shape (f,). May be infinite.
        is_hit: Whether the finding is the match of a nodule (at most one per nodule); shape (f,).
        n_nodules: Nodules in all images.
        n_images: Images, those without findings included.

    Raises:
        ValueError: lengths differ, a score is NaN, there are more hits than nodules, or a number is negative.

    Source: Bunch et al., J. Appl. Photogr. Eng. 4 (1978) 166.
    """
    values, hits = _findings(scores, is_hit, n_nodules)
    if n_images < 0 or (n_images == 0 and len(values)):
        raise ValueError("findings lie on images")
    last = np.flatnonzero(np.append(values[1:] != values[:-1], True)) if len(values) else np.array([], dtype=int)
    true = np.concatenate([[0.0], np.cumsum(hits)[last]])
    false = np.concatenate([[0.0], np.cumsum(~hits)[last]])
    return FrocCurve(
        threshold=np.concatenate([[math.inf], values[last]]),
        sensitivity=true / n_nodules if n_nodules else np.full(len(true), math.nan),
        false_positives_per_image=false / n_images if n_images else np.full(len(false), math.nan),
    )


def sensitivity_at_fppi(curve: FrocCurve, fppi: float) -> float:
    """Return the best sensitivity at no more than ``fppi`` false positives per image: a step, no interpolation.

    Past the curve's end it is the sensitivity at the end. NaN without nodules or images.

    Raises:
        ValueError: ``fppi`` is negative or NaN.
    """
    if not fppi >= 0:
        raise ValueError(f"false positives per image are not negative: {fppi}")
    allowed = curve.false_positives_per_image <= fppi * (1 + 1e-12)
    return float(curve.sensitivity[allowed][-1]) if allowed.any() else math.nan


def afroc(normal_maxima: ArrayLike, nodule_scores: ArrayLike) -> float:
    """Return the area under the AFROC: P(a nodule outscores the highest finding on a normal image), ties half.

    Its interval comes from :func:`cluster_bootstrap`.

    Args:
        normal_maxima: Highest score on each image without a nodule, -inf where nothing is marked; shape (n,).
        nodule_scores: Score of each nodule's match, -inf where unmarked; shape (m,).

    Returns:
        The area; NaN if a side is empty or holds NaN.

    Source: Chakraborty & Winter, Radiology 174 (1990) 873.
    """
    return auc(nodule_scores, normal_maxima)


def node21_score(auc: float, sensitivity_at_quarter_fp: float) -> float:
    """Return 0.75 AUC + 0.25 sensitivity at 0.25 false positives per image.

    The ranking metric of the NODE21 challenge as its public entries define it, with hits at IoU above 0.2.
    """
    return 0.75 * auc + 0.25 * sensitivity_at_quarter_fp


def average_precision(scores: ArrayLike, is_hit: ArrayLike, n_nodules: int, *, ties_together: bool = False) -> float:
    """Return COCO's average precision: interpolated precision, averaged over recalls 0, 0.01 .. 1.

    Args:
        scores: Score of each finding, from all images; shape (f,).
        is_hit: Whether the finding is the match of a nodule; shape (f,).
        n_nodules: Nodules in all images.
        ties_together: For decisions: findings of equal score enter together. Else they keep the order in which they are
            given, as in pycocotools, which says nothing of them.

    Returns:
        The average precision; 0 without findings, NaN without nodules.

    Raises:
        ValueError: as for :func:`froc`.

    Source: Lin et al., Microsoft COCO (2014); ``COCOeval.accumulate`` of pycocotools.
    """
    falling, hits = _findings(scores, is_hit, n_nodules)
    if n_nodules == 0:
        return math.nan
    if len(hits) == 0:
        return 0.0
    each = np.arange(len(hits))
    last = each[np.append(falling[1:] != falling[:-1], True)] if ties_together else each
    true = np.cumsum(hits)[last]
    precision = true / (last + 1)
    return mean_precision(precision, true / n_nodules)


def mean_precision(precision: Array, recall: Array) -> float:
    """Return the mean over COCO's recalls of the best precision from each on, both given by falling threshold."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[place].mean())


def thinned(count: int, most: int) -> NDArray[np.int64]:
    """Return the positions of so many points that are drawn: all of them, else ``most``, evenly."""
    return np.linspace(0, count - 1, min(count, most)).astype(int)
