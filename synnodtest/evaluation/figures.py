"""Figures of some images, each one number of their marks, and their bounds from resampling patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from synnodtest.evaluation.answers import Answer, Marks
from synnodtest.expectations.rule import no_narrower
from synnodtest.statistics import (
    Estimate,
    afroc,
    auc,
    average_precision,
    cluster_bootstrap,
    froc,
    node21_score,
    sensitivity_at_fppi,
)

FALSE_POSITIVE_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per image at which sensitivity is told: the seven of LUNA16."""

Item = TypeVar("Item")


def precision(marks: Sequence[Marks]) -> float:
    """Return the average precision; NaN without nodules."""
    return average_precision(*_pooled(marks), nodules_in(marks), ties_together=True)


def sensitivity(marks: Sequence[Marks], rate: float = 1.0) -> float:
    """Return the sensitivity at ``rate`` false positives per image; NaN without nodules, or images marked in full."""
    images = sum(mark.exhaustive for mark in marks)
    if not images:
        return math.nan
    return sensitivity_at_fppi(froc(*_pooled(marks), nodules_in(marks), images), rate)


def image_area(answers: Sequence[Answer]) -> float:
    """Return the AUC of the images' highest scores; NaN without images of both kinds."""
    return auc(*top_scores(answers))


def nodule_area(marks: Sequence[Marks]) -> float:
    """Return the area under the AFROC; NaN without nodules, or without normal images."""
    nodules, normal = nodules_and_normal(marks)
    return afroc(normal, nodules)


def node21(pairs: Sequence[tuple[Answer, Marks]]) -> float:
    """Return the NODE21 score; NaN without images of both kinds."""
    area = image_area([answer for answer, _ in pairs])
    return math.nan if math.isnan(area) else node21_score(area, sensitivity([marks for _, marks in pairs], 0.25))


def nodules_in(marks: Sequence[Marks]) -> int:
    """Return the number of nodules."""
    return sum(len(mark.found) for mark in marks)


def top_scores(answers: Sequence[Answer]) -> tuple[list[float], list[float]]:
    """Return the highest scores of images with a nodule, and of those without."""
    return [a.top_score for a in answers if a.nodules], [a.top_score for a in answers if not a.nodules]


def nodules_and_normal(marks: Sequence[Marks]) -> tuple[list[float], list[float]]:
    """Return the score of each nodule and the highest on each image that is known to have none; -inf is unmarked."""
    normal = [float(mark.false.max(initial=-math.inf)) for mark in marks if mark.exhaustive and not len(mark.found)]
    return [float(score) for mark in marks for score in mark.found], normal


def _pooled(marks: Sequence[Marks]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Return the scores of hits and false positives of all images, and which are hits."""
    hits = np.concatenate([np.empty(0), *(mark.found for mark in marks)])
    hits = hits[hits > -math.inf]
    scores = np.concatenate([hits, *(mark.false for mark in marks)])
    return scores, np.arange(len(scores)) < len(hits)


@dataclass(frozen=True)
class Bounds:
    """Values with bounds from resampling clusters.

    Args:
        clusters: The patient of each image.
        alpha: One-sided error rate of each bound.
        resamples: Of the bootstrap; 0 leaves the bounds out.
        limits: Range of the values.
        guarded: Whether something is decided by the bounds, see :func:`cluster_bootstrap`.
    """

    clusters: Sequence[str]
    alpha: float
    resamples: int
    limits: tuple[float, float] = (0.0, 1.0)
    guarded: bool = False

    @property
    def repeat(self) -> bool:
        """True where a patient has several images."""
        return len(set(self.clusters)) < len(self.clusters)

    def of(self, marks: Sequence[Marks], statistic: Callable[[Sequence[Marks]], float]) -> dict[str, object]:
        """Return value, bounds and numbers of one statistic of the images' marks."""
        counts = {"nodules": nodules_in(marks), "images": sum(mark.exhaustive for mark in marks)}
        return {**as_dict(self.around(marks, statistic)), **counts}

    def around(
        self, items: Sequence[Item], statistic: Callable[[Sequence[Item]], float], least: Estimate | None = None
    ) -> Estimate:
        """Return the estimate, no narrower than ``least``, of one statistic of the images, one item per image.

        Where nothing defines the value, or nothing is resampled, the bounds are NaN.
        """
        value = statistic(items)
        if math.isnan(value) or not self.resamples:
            return Estimate(value, math.nan, math.nan, alpha=self.alpha)
        estimate = cluster_bootstrap(
            lambda rows: statistic([items[row] for row in rows]),
            self.clusters,
            alpha=self.alpha,
            resamples=self.resamples,
            seed=0,
            limits=self.limits,
            guarded=self.guarded,
        )
        return estimate if least is None else no_narrower(estimate, least)


def as_dict(estimate: Estimate) -> dict[str, object]:
    """Return an estimate as plain JSON values; of one without bounds the value alone."""
    if math.isnan(estimate.lower):
        return {"value": number(estimate.value)}
    ends = {name: number(getattr(estimate, name)) for name in ("value", "lower", "upper")}
    return {**ends, "method": estimate.method, "clusters": estimate.clusters}


def number(value: float) -> float | None:
    """Return a number for JSON, which has neither NaN nor infinities."""
    return value if math.isfinite(value) else None
