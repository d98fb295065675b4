"""A detector against annotated radiographs: average precision, FROC, AUC and the NODE21 score."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from synnodtest.annotated.sets import AnnotatedSet
from synnodtest.datasets.similarity import near_duplicates, perceptual_hash
from synnodtest.engine.sightings import regions_at
from synnodtest.expectations.rule import no_narrower
from synnodtest.finding import Finding
from synnodtest.geometry import Box, centre_of, iou
from synnodtest.matching import Matching, match
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.statistics import (
    Estimate,
    auc,
    average_precision,
    cluster_bootstrap,
    delong,
    froc,
    node21_score,
    sensitivity_at_fppi,
)

FALSE_POSITIVE_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per image at which sensitivity is told: the seven of LUNA16."""
IOUS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
SIZES_MM: tuple[tuple[float, float], ...] = ((0, 10), (10, 20), (20, 30), (30, math.inf), (10, math.inf), (10, 30))
"""Bands of diameter in mm, from and below: steps of 10 up to 30, where a nodule becomes a mass; then those of 10 and
more together, with and without masses."""
COCO_FINDINGS = 100
"""COCO looks at the hundred findings of highest score per image."""
BATCH = 16
"""Radiographs held at once; nothing depends on it but memory."""

_Item = TypeVar("_Item")
_Wanted = Callable[[Truth, frozenset[str]], bool]


@dataclass(frozen=True)
class _Image:
    """Result of one radiograph after detection."""

    cluster: str
    findings: tuple[Finding, ...]
    nodules: tuple[Truth, ...]
    spacing_mm: tuple[float, float]
    regions: tuple[frozenset[str], ...] = ()
    """Regions that the centre of each nodule lies in."""
    hash: str = ""
    exhaustive: bool = True

    @property
    def top_score(self) -> float:
        return max((finding.score for finding in self.findings), default=-math.inf)


@dataclass(frozen=True)
class _Marks:
    """Findings of one image for one curve: hits, false positives, and the nodules that could be hit.

    An image on which nodules may be unmarked has no false positives, nor counts it among the images of their rate.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    nodules: int
    exhaustive: bool = True


def evaluate(
    detector: Detector,
    data: AnnotatedSet,
    *,
    alpha: float = 0.05,
    resamples: int = 500,
    trained_on: Mapping[str, str] | None = None,
    completed: Callable[[Radiograph], Radiograph] = lambda radiograph: radiograph,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> dict[str, Any]:
    """Run a detector over annotated radiographs and measure it.

    For FROC and sensitivity a finding hits with its centre in the nodule's mask dilated by 5 mm. Average precision
    follows COCO, the NODE21 score hits at an IoU of at least 0.2. Images on which nodules may be unmarked give
    sensitivity and image scores, no false positives and no precision.

    Args:
        detector: The detector.
        data: Radiographs with their truth; any number without nodules.
        alpha: One-sided error rate of each bound.
        resamples: Of the cluster bootstrap behind the bounds; 0 leaves them out.
        trained_on: Perceptual hashes of training images by name; images that are nearly one of them are named.
        completed: Adds regions to radiographs with nodules whose files bring none.
        progress: Called after each batch with the radiographs done and their total.

    Returns:
        Plain JSON values: ``identity``, ``images``, ``images_partly_marked``, ``nodules``, ``average_precision`` (by
        IoU, and the mean of 0.5 to 0.95), ``froc`` (sensitivity by false positives per image), ``sensitivity_at_1_fp``
        and the same ``by_size`` and ``by_region`` of the nodule's centre (other nodules are neither hits nor misses,
        findings on them no false positives), ``auc`` (image level), ``node21_score``, ``in_training`` (image ->
        training image). Where nothing defines a value it is None.

    Raises:
        DetectorError: the detector fails.
    """
    rule = Matching()
    images = list(_detected(detector, data, completed, progress, hashed=bool(trained_on)))
    clusters = [image.cluster for image in images]
    marks = [_marks(image, rule) for image in images]
    pairs = [(image, _marks(image, Matching(criterion="iou", at_least=0.2))) for image in images]
    bounds = _Bounds(clusters, alpha, resamples)
    curve = {f"{rate:g}": bounds.of(marks, partial(_at_fppi, rate=rate)) for rate in FALSE_POSITIVE_RATES}
    score = bounds.around(pairs, _node21)
    return {
        "identity": detector.identity.as_dict(),
        "data": data.name,
        "images": len(images),
        "images_partly_marked": sum(not image.exhaustive for image in images),
        "images_with_nodules": sum(bool(image.nodules) for image in images),
        "nodules": sum(len(image.nodules) for image in images),
        "matching": rule.sentence(),
        "average_precision": _precision(images, bounds),
        "froc": {rate: found["value"] for rate, found in curve.items()},
        "froc_bounds": curve,
        "sensitivity_at_1_fp": curve["1"],
        "by_size": {_size_name(*size): _of_some(images, rule, _sized(size), bounds) for size in SIZES_MM},
        "by_region": {region: _of_some(images, rule, _lying(region), bounds) for region in _regions(images)},
        "auc": _auc(images, bounds, alpha),
        "node21_score": score["value"],
        "node21_score_bounds": score,
        "in_training": _in_training(data, images, trained_on or {}),
    }


def _precision(images: Sequence[_Image], bounds: _Bounds) -> dict[str, object]:
    """Return average precision by IoU and its mean, as COCO counts, with bounds."""
    levels = [[_coco(image, level) for level in IOUS] for image in images]
    precision = {f"{level:.2f}": _ap([marks[k] for marks in levels]) for k, level in enumerate(IOUS)}
    return {
        **{level: _number(value) for level, value in precision.items()},
        "0.50:0.95": _number(float(np.mean(list(precision.values())))),
        "at_0.50": bounds.of([marks[0] for marks in levels], _ap),
        "at_0.50:0.95": bounds.around(levels, _mean_ap),
    }


def _detected(
    detector: Detector,
    data: AnnotatedSet,
    completed: Callable[[Radiograph], Radiograph],
    progress: Callable[[int, int], None],
    *,
    hashed: bool,
) -> Iterator[_Image]:
    cases = data.cases
    for start in range(0, len(cases), BATCH):
        batch = cases[start : start + BATCH]
        radiographs: list[Radiograph] = [data.load(case) for case in batch]
        answers = detector.detect([one.with_pixels(one.pixels, ()) for one in radiographs])  # without their truth
        for case, radiograph, findings in zip(batch, radiographs, answers, strict=True):
            ordered = tuple(sorted(findings, key=lambda finding: -finding.score))
            known = completed(radiograph) if radiograph.nodules and not radiograph.regions else radiograph
            regions = tuple(frozenset(regions_at(known, centre_of(_box(truth)))) for truth in radiograph.nodules)
            digest = perceptual_hash(radiograph.pixels) if hashed else ""
            seen = radiograph.nodules, radiograph.spacing_mm, regions, digest
            yield _Image(case.cluster, ordered, *seen, exhaustive=case.exhaustive)
        progress(min(start + BATCH, len(cases)), len(cases))


def _box(truth: Truth) -> Box:
    """Return the box as it was annotated; where truth is a mask, the mask's."""
    box = truth.requested.get("annotated_box")
    return truth.box if box is None else (box[0], box[1], box[2], box[3])


def _in_training(data: AnnotatedSet, images: Sequence[_Image], trained_on: Mapping[str, str]) -> dict[str, str]:
    own = {case.id: image.hash for case, image in zip(data.cases, images, strict=True)}
    return {twin.one: twin.other for twin in near_duplicates(own, trained_on)} if trained_on else {}


def _sized(size: tuple[float, float]) -> _Wanted:
    return lambda truth, _: bool(size[0] <= truth.diameter_mm < size[1])


def _lying(region: str) -> _Wanted:
    return lambda _, regions: region in regions


def _regions(images: Sequence[_Image]) -> list[str]:
    return sorted({region for image in images for own in image.regions for region in own})


def _marks(image: _Image, rule: Matching, wanted: _Wanted = lambda truth, regions: True) -> _Marks:
    """Match findings with nodules; only the wanted nodules count, and findings on others are set aside."""
    outcome = match(image.findings, image.nodules, image.spacing_mm, rule)
    regions = image.regions or (frozenset(),) * len(image.nodules)
    takes = [wanted(truth, own) for truth, own in zip(image.nodules, regions, strict=True)]
    marks = [index for index, take in zip(outcome.finding_of, takes, strict=True) if take and index is not None]
    false = outcome.false_positives if image.exhaustive else ()
    scores = [image.findings[index].score for index in (*marks, *false)]
    hits = [True] * len(marks) + [False] * len(false)
    return _Marks(np.array(scores, dtype=float), np.array(hits, dtype=bool), sum(takes), image.exhaustive)


def coco_hits(boxes: Sequence[Box], truths: Sequence[Box], level: float) -> list[bool]:
    """Return which boxes, by descending score, hit a truth as COCO counts it: the best free one at ``level`` IoU."""
    free = list(range(len(truths)))
    hits = []
    for box in boxes:
        best = max(free, key=lambda index: (iou(box, truths[index]), index), default=None)
        hit = best is not None and iou(box, truths[best]) >= min(level, 1 - 1e-10)
        if hit:
            free.remove(best)  # type: ignore[arg-type]
        hits.append(hit)
    return hits


def _coco(image: _Image, level: float) -> _Marks:
    if not image.exhaustive:
        return _Marks(np.empty(0), np.empty(0, dtype=bool), 0, exhaustive=False)
    findings = image.findings[:COCO_FINDINGS]
    hits = coco_hits([finding.box for finding in findings], [_box(truth) for truth in image.nodules], level)
    return _Marks(np.array([f.score for f in findings], dtype=float), np.array(hits, dtype=bool), len(image.nodules))


def _ap(marks: Sequence[_Marks]) -> float:
    return average_precision(*_pooled(marks), sum(mark.nodules for mark in marks), ties_together=True)


def _mean_ap(levels: Sequence[Sequence[_Marks]]) -> float:
    return float(np.mean([_ap([marks[k] for marks in levels]) for k in range(len(IOUS))]))


def _node21(pairs: Sequence[tuple[_Image, _Marks]]) -> float:
    """Return the NODE21 score; NaN without images of both kinds."""
    positives, negatives = _top_scores([image for image, _ in pairs])
    if not positives or not negatives:
        return math.nan
    return node21_score(auc(positives, negatives), _at_fppi([marks for _, marks in pairs], 0.25))


def _top_scores(images: Sequence[_Image]) -> tuple[list[float], list[float]]:
    """Return the highest scores of images with a nodule, and of those without."""
    return [i.top_score for i in images if i.nodules], [i.top_score for i in images if not i.nodules]


def _at_fppi(marks: Sequence[_Marks], rate: float = 1.0) -> float:
    images = sum(mark.exhaustive for mark in marks)
    if not images:
        return math.nan
    return sensitivity_at_fppi(froc(*_pooled(marks), sum(mark.nodules for mark in marks), images), rate)


def _pooled(marks: Sequence[_Marks]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    if not marks:
        return np.empty(0), np.empty(0, dtype=bool)
    return np.concatenate([mark.scores for mark in marks]), np.concatenate([mark.hits for mark in marks])


def _auc(images: Sequence[_Image], bounds: _Bounds, alpha: float) -> dict[str, object] | None:
    """Return the area with DeLong's bounds; where patients repeat, with the wider of these and the bootstrap's."""
    positives, negatives = _top_scores(images)
    if not positives or not negatives:
        return None
    plain = delong(positives, negatives, alpha=alpha)
    if len({image.cluster for image in images}) == len(images):
        return _as_dict(plain)
    return bounds.around(images, lambda some: auc(*_top_scores(some)), least=plain)


class _Bounds:
    """Values with bounds from resampling clusters."""

    def __init__(self, clusters: Sequence[str], alpha: float, resamples: int) -> None:
        self._clusters = clusters
        self._alpha = alpha
        self._resamples = resamples

    def of(self, marks: Sequence[_Marks], statistic: Callable[[Sequence[_Marks]], float]) -> dict[str, object]:
        """Return value, bounds and numbers of one statistic of the images' marks."""
        counts = {"nodules": sum(mark.nodules for mark in marks), "images": sum(mark.exhaustive for mark in marks)}
        return {**self.around(marks, statistic), **counts}

    def around(
        self, items: Sequence[_Item], statistic: Callable[[Sequence[_Item]], float], least: Estimate | None = None
    ) -> dict[str, object]:
        """Return value and bounds, no narrower than ``least``, of one statistic of the images, one item per image."""
        value = statistic(items)
        if math.isnan(value) or not self._resamples:
            return {"value": _number(value)}
        estimate = cluster_bootstrap(
            lambda rows: statistic([items[row] for row in rows]),
            self._clusters,
            alpha=self._alpha,
            resamples=self._resamples,
            seed=0,
            limits=(0.0, 1.0),
        )
        return _as_dict(estimate if least is None else no_narrower(estimate, least))


def _of_some(images: Sequence[_Image], rule: Matching, wanted: _Wanted, bounds: _Bounds) -> dict[str, object]:
    marks = [_marks(image, rule, wanted) for image in images]
    return bounds.of(marks, _at_fppi)


def _size_name(low: float, high: float) -> str:
    return f"{low:g} mm and more" if math.isinf(high) else f"{low:g} to {high:g} mm"


def _as_dict(estimate: Estimate) -> dict[str, object]:
    ends = {name: _number(getattr(estimate, name)) for name in ("value", "lower", "upper")}
    return {**ends, "method": estimate.method, "clusters": estimate.clusters}


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
