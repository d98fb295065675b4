"""Figures of some images, each one number of their marks, and their bounds from resampling patients."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.evaluation.answers import Answer
from synnodtest.expectations.rule import no_narrower
from synnodtest.statistics import Estimate, cluster_bootstrap, node21_score
from synnodtest.statistics.pooled import Figure, Pooled, Ranked, Weights, of_rows

FALSE_POSITIVE_RATES = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
"""False positives per image at which sensitivity is told: the seven of LUNA16."""


def tops_of(answers: Sequence[Answer]) -> Ranked:
    """Return the highest score of each image, -inf without a finding: those with a nodule against those without.

    An image without a marked nodule on which some may be unmarked is neither.
    """
    scores = np.array([one.top_score for one in answers], dtype=float)
    ill = np.array([bool(one.nodules) for one in answers], dtype=bool)
    well = np.array([one.normal for one in answers], dtype=bool)
    return Ranked.images_of(scores, ill, well)


def counts(pooled: Pooled) -> dict[str, object]:
    """Return the numbers of nodules, and of images whose nodules are all marked."""
    return {"nodules": len(pooled.found), "images": int(np.count_nonzero(pooled.full))}


def node21(tops: Ranked, curves: Pooled) -> Figure:
    """Return the NODE21 score as a figure; NaN without images of both kinds."""

    def score(weights: Weights) -> float:
        area = tops.area(weights)
        return math.nan if math.isnan(area) else node21_score(area, curves.sensitivity(weights, 0.25))

    return score


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

    def around(self, figure: Figure, least: Estimate | None = None) -> Estimate:
        """Return the estimate of a figure of all images, no narrower than ``least``.

        Where nothing defines the value, or nothing is resampled, the bounds are NaN.
        """
        value = figure(np.ones(len(self.clusters)))
        if math.isnan(value) or not self.resamples:
            return Estimate(value, math.nan, math.nan, alpha=self.alpha)
        estimate = cluster_bootstrap(
            of_rows(figure, len(self.clusters)),
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
