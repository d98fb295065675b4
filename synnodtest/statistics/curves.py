"""Lesion-level curves: FROC, AFROC and average precision."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from synnodtest.statistics.estimate import same_length, vector, yes_or_no
from synnodtest.statistics.roc import auc as area_under_curve

_RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class FrocCurve:
    """Operating points from the strictest threshold to the loosest, all of shape (k,).

    Attributes:
        threshold: A finding counts where its score is at least this; falls from +inf.
        sensitivity: Share of nodules hit; starts at 0 and never falls. NaN without nodules.
        false_positives_per_image: False positives over images; starts at 0 and never falls. NaN without images.
    """

    threshold: NDArray[np.float64]
    sensitivity: NDArray[np.float64]
    false_positives_per_image: NDArray[np.float64]


def _findings(scores: ArrayLike, is_hit: ArrayLike, n_nodules: int) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
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
    return area_under_curve(nodule_scores, normal_maxima)


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


def mean_precision(precision: NDArray[np.float64], recall: NDArray[np.float64]) -> float:
    """Return the mean over COCO's recalls of the best precision from each on, both given by falling threshold."""
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    place = np.searchsorted(recall, _RECALLS, side="left")
    return float(np.append(envelope, 0.0)[place].mean())
