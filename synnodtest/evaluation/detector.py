"""A detector against annotated radiographs: average precision, FROC, AFROC, AUC and the NODE21 score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from synnodtest.annotated.sets import AnnotatedSet
from synnodtest.datasets.similarity import near_duplicates
from synnodtest.evaluation.answers import Answer, Wanted, answers_of, coco_marks, marks_of
from synnodtest.evaluation.figures import FALSE_POSITIVE_RATES, Bounds, as_dict, counts, node21, number, tops_of
from synnodtest.identity import Identity
from synnodtest.matching import Matching
from synnodtest.ports import Detector
from synnodtest.statistics import delong
from synnodtest.statistics.pooled import Pooled, Ranked, Weights

IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
SIZES_MM: tuple[tuple[float, float], ...] = ((0, 10), (10, 20), (20, 30), (30, math.inf), (10, math.inf), (10, 30))
"""Bands of diameter in mm, from and below: steps of 10 up to 30, where a nodule becomes a mass; then those of 10 and
more together, with and without masses."""


def evaluate(
    detector: Detector,
    data: AnnotatedSet,
    *,
    alpha: float = 0.05,
    resamples: int = 500,
    trained_on: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a detector over annotated radiographs and measure it.

    Args:
        detector: The detector.
        data: Radiographs with their truth; any number without nodules.
        alpha: One-sided error rate of each bound.
        resamples: Of the cluster bootstrap behind the bounds; 0 leaves them out.
        trained_on: Perceptual hashes of training images by name; images that are nearly one of them are named.

    Returns:
        What :func:`measure` returns.

    Raises:
        DetectorError: the detector fails.
    """
    answers = answers_of(detector, data, hashed=bool(trained_on))
    return measure(detector.identity, data, answers, alpha=alpha, resamples=resamples, trained_on=trained_on)


def measure(
    identity: Identity,
    data: AnnotatedSet,
    answers: Sequence[Answer],
    *,
    alpha: float = 0.05,
    resamples: int = 500,
    trained_on: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Measure a detector by its answers to annotated radiographs.

    For FROC, AFROC and sensitivity a finding hits with its centre in the nodule's mask dilated by 5 mm. Average
    precision follows COCO, the NODE21 score hits at an IoU of at least 0.2. Images on which nodules may be unmarked
    give sensitivity and image scores, no false positives and no precision.

    Args:
        identity: The detector's.
        data: What it was shown.
        answers: Its answer to each case, with hashes where ``trained_on`` is given.
        alpha: One-sided error rate of each bound.
        resamples: Of the cluster bootstrap behind the bounds; 0 leaves them out.
        trained_on: Perceptual hashes of training images by name; images that are nearly one of them are named.

    Returns:
        Plain JSON values: ``identity``, ``images``, ``images_partly_marked``, ``nodules``, ``average_precision`` (by
        IoU, and the mean of 0.5 to 0.95), ``froc`` (sensitivity by false positives per image), ``sensitivity_at_1_fp``
        and the same ``by_size`` and ``by_region`` of the nodule's centre (other nodules are neither hits nor misses,
        findings on them no false positives), ``auc`` (image level), ``afroc`` (its area: how often a nodule's score
        exceeds the highest on an image without one), ``node21_score``, ``in_training`` (image -> training image).
        Where nothing defines a value it is None.
    """
    rule = Matching()
    tops, curves = tops_of(answers), Pooled.of([marks_of(answer, rule) for answer in answers])
    loose = Pooled.of([marks_of(answer, Matching(criterion="iou", at_least=0.2)) for answer in answers])
    bounds = Bounds([answer.cluster for answer in answers], alpha, resamples)
    curve = {f"{rate:g}": _sensitivity(curves, bounds, rate) for rate in FALSE_POSITIVE_RATES}
    score = as_dict(bounds.around(node21(tops, loose)))
    return {
        "identity": identity.as_dict(),
        "data": data.name,
        "images": len(answers),
        "images_partly_marked": sum(not answer.exhaustive for answer in answers),
        "images_with_nodules": sum(bool(answer.nodules) for answer in answers),
        "nodules": sum(len(answer.nodules) for answer in answers),
        "matching": rule.sentence(),
        "average_precision": _precision(answers, bounds),
        "froc": {rate: found["value"] for rate, found in curve.items()},
        "froc_bounds": curve,
        "sensitivity_at_1_fp": curve["1"],
        "by_size": {_size_name(*size): _of_some(answers, rule, _sized(size), bounds) for size in SIZES_MM},
        "by_region": {region: _of_some(answers, rule, _lying(region), bounds) for region in _regions(answers)},
        "auc": _auc(tops, bounds),
        "afroc": _afroc(curves, bounds),
        "node21_score": score["value"],
        "node21_score_bounds": score,
        "in_training": _in_training(data, answers, trained_on or {}),
    }


def _precision(answers: Sequence[Answer], bounds: Bounds) -> dict[str, object]:
    """Return average precision by IoU and its mean, as COCO counts, with bounds."""
    levels = [Pooled.of([coco_marks(answer, level) for answer in answers]) for level in IOUS]
    by_level = {f"{level:.2f}": pooled.precision(pooled.ones) for level, pooled in zip(IOUS, levels, strict=True)}

    def mean(weights: Weights) -> float:
        return float(np.mean([pooled.precision(weights) for pooled in levels]))

    return {
        **{level: number(value) for level, value in by_level.items()},
        "0.50:0.95": number(float(np.mean(list(by_level.values())))),
        "at_0.50": {**as_dict(bounds.around(levels[0].precision)), **counts(levels[0])},
        "at_0.50:0.95": as_dict(bounds.around(mean)),
    }


def _in_training(data: AnnotatedSet, answers: Sequence[Answer], trained_on: Mapping[str, str]) -> dict[str, str]:
    own = {case.id: answer.hash for case, answer in zip(data.cases, answers, strict=True)}
    return {twin.one: twin.other for twin in near_duplicates(own, trained_on)} if trained_on else {}


def _sized(size: tuple[float, float]) -> Wanted:
    return lambda truth, _: bool(size[0] <= truth.diameter_mm < size[1])


def _lying(region: str) -> Wanted:
    return lambda _, regions: region in regions


def _regions(answers: Sequence[Answer]) -> list[str]:
    return sorted({region for answer in answers for own in answer.regions for region in own})


def _auc(tops: Ranked, bounds: Bounds) -> dict[str, object] | None:
    """Return the area with DeLong's bounds; where patients repeat, with the wider of these and the bootstrap's."""
    positives, negatives = tops.sides
    if not len(positives) or not len(negatives):
        return None
    plain = delong(positives, negatives, alpha=bounds.alpha)
    return as_dict(bounds.around(tops.area, least=plain) if bounds.repeat else plain)


def _afroc(curves: Pooled, bounds: Bounds) -> dict[str, object] | None:
    """Return the area under the AFROC, bounds by the bootstrap: the nodules of an image are not independent."""
    ranked = curves.against_normal
    nodules, normal = ranked.sides
    if not len(nodules) or not len(normal):
        return None
    area = bounds.around(ranked.area, least=delong(nodules, normal, alpha=bounds.alpha))
    return {**as_dict(area), "nodules": len(nodules), "normal_images": len(normal)}


def _of_some(answers: Sequence[Answer], rule: Matching, wanted: Wanted, bounds: Bounds) -> dict[str, object]:
    return _sensitivity(Pooled.of([marks_of(answer, rule, wanted) for answer in answers]), bounds)


def _sensitivity(curves: Pooled, bounds: Bounds, rate: float = 1.0) -> dict[str, object]:
    return {**as_dict(bounds.around(partial(curves.sensitivity, rate=rate))), **counts(curves)}


def _size_name(low: float, high: float) -> str:
    return f"{low:g} mm and more" if math.isinf(high) else f"{low:g} to {high:g} mm"
