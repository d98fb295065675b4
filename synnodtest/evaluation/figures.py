"""Figures of some images, each one number of their marks, and their bounds from resampling patients."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

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

Rows = NDArray[np.intp]
"""Rows of the images that are drawn, any of them any number of times."""
Figure = Callable[[Rows], float]
"""A number of the images that are drawn."""


@dataclass(frozen=True, eq=False)
class Curves:
    """Marks of images, pooled once: a figure of any images that are drawn takes its findings from here.

    Attributes:
        scores: Of hits and false positives, by falling score.
        hits: Which of them are hits.
        owners: The image of each.
        nodules: Number of nodules of each image.
        full: Whether every nodule of an image is marked.
        top: Highest score of a false positive of each image, -inf without one.
        found: Score of each nodule's match, image by image; -inf where it was missed.
    """

    scores: NDArray[np.float64]
    hits: NDArray[np.bool_]
    owners: NDArray[np.intp]
    nodules: NDArray[np.intp]
    full: NDArray[np.bool_]
    top: NDArray[np.float64]
    found: NDArray[np.float64]

    @classmethod
    def of(cls, marks: Sequence[Marks]) -> Curves:
        """Return the marks of images, one item per image."""
        found = np.concatenate([np.empty(0), *(mark.found for mark in marks)])
        false = np.concatenate([np.empty(0), *(mark.false for mark in marks)])
        nodules = np.array([len(mark.found) for mark in marks], dtype=np.intp)
        images = np.arange(len(marks))
        owners = np.concatenate([images.repeat(nodules), images.repeat([len(mark.false) for mark in marks])])
        scores, hits = np.concatenate([found, false]), np.arange(len(owners)) < len(found)
        falling = np.argsort(-scores, kind="stable")
        falling = falling[scores[falling] > -math.inf]
        return cls(
            scores[falling],
            hits[falling],
            owners[falling],
            nodules,
            np.array([mark.exhaustive for mark in marks], dtype=bool),
            np.array([mark.false.max(initial=-math.inf) for mark in marks], dtype=float),
            found,
        )

    def precision(self, rows: Rows) -> float:
        """Return the average precision; NaN without nodules."""
        return average_precision(*self._drawn(rows), int(self.nodules[rows].sum()), ties_together=True)

    def sensitivity(self, rows: Rows, rate: float = 1.0) -> float:
        """Return the sensitivity at ``rate`` false positives per image; NaN without nodules, or full images."""
        images = int(np.count_nonzero(self.full[rows]))
        if not images:
            return math.nan
        return sensitivity_at_fppi(froc(*self._drawn(rows), int(self.nodules[rows].sum()), images), rate)

    def area(self, rows: Rows) -> float:
        """Return the area under the AFROC; NaN without nodules, or without normal images."""
        return afroc(self.normal(rows), np.repeat(self.found, self._times(rows).repeat(self.nodules)))

    def normal(self, rows: Rows) -> NDArray[np.float64]:
        """Return the highest score on each image that is known to have no nodule; -inf is unmarked."""
        top: NDArray[np.float64] = self.top[rows[self.full[rows] & (self.nodules[rows] == 0)]]
        return top

    @property
    def counts(self) -> dict[str, object]:
        """Numbers of nodules, and of images whose nodules are all marked."""
        return {"nodules": len(self.found), "images": int(np.count_nonzero(self.full))}

    def _times(self, rows: Rows) -> NDArray[np.intp]:
        return np.bincount(rows, minlength=len(self.nodules))

    def _drawn(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        again = self._times(rows)[self.owners]
        return self.scores.repeat(again), self.hits.repeat(again)


@dataclass(frozen=True, eq=False)
class Tops:
    """Highest score of each image, -inf without a finding; whether it has a nodule, whether it surely has none.

    An image without a marked nodule on which some may be unmarked is neither.
    """

    scores: NDArray[np.float64]
    ill: NDArray[np.bool_]
    well: NDArray[np.bool_]

    @classmethod
    def of(cls, answers: Sequence[Answer]) -> Tops:
        """Return those of a detector's answers, one per image."""
        scores, ill = [one.top_score for one in answers], [bool(one.nodules) for one in answers]
        well = [one.normal for one in answers]
        return cls(np.array(scores, dtype=float), np.array(ill, dtype=bool), np.array(well, dtype=bool))

    @property
    def sides(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """The scores of images with a nodule, and of those known to have none."""
        return self.scores[self.ill], self.scores[self.well]

    def area(self, rows: Rows) -> float:
        """Return the AUC of the images' highest scores; NaN without images of both kinds."""
        return auc(*Tops(self.scores[rows], self.ill[rows], self.well[rows]).sides)


def node21(tops: Tops, curves: Curves) -> Figure:
    """Return the NODE21 score as a figure; NaN without images of both kinds."""

    def score(rows: Rows) -> float:
        area = tops.area(rows)
        return math.nan if math.isnan(area) else node21_score(area, curves.sensitivity(rows, 0.25))

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

    @property
    def rows(self) -> Rows:
        """Every image once."""
        return np.arange(len(self.clusters))

    def around(self, figure: Figure, least: Estimate | None = None) -> Estimate:
        """Return the estimate of a figure of all images, no narrower than ``least``.

        Where nothing defines the value, or nothing is resampled, the bounds are NaN.
        """
        value = figure(self.rows)
        if math.isnan(value) or not self.resamples:
            return Estimate(value, math.nan, math.nan, alpha=self.alpha)
        estimate = cluster_bootstrap(
            figure,
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
