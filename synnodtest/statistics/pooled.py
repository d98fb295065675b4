"""Marks of images, pooled once: figures of images that count any number of times, as resampling wants them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from synnodtest.geometry import Array, Indices
from synnodtest.statistics.curves import mean_precision

Weights = Array
"""Number of times that each image counts; shape (n,)."""
Figure = Callable[[Weights], float]
"""A number of weighted images; NaN where they do not define it."""

_ROUNDING = 1 + 1e-12
"""On the false positives that are allowed: exactly as many as that are not too many by a rounding."""


def of_rows(figure: Figure, images: int) -> Callable[[Indices], float]:
    """Return the figure as one of rows of so many images, any of them any number of times."""
    return lambda rows: figure(np.bincount(rows, minlength=images).astype(np.float64))


@dataclass(frozen=True)
class Marks:
    """Findings of one image for one curve.

    An image on which nodules may be unmarked has no false positives, nor counts it among the images of their rate.

    Attributes:
        found: Score of each nodule's match, -inf where it was missed; shape (nodules,).
        false: Scores of the false positives.
        exhaustive: Whether every nodule of the image is marked.
    """

    found: Array
    false: Array
    exhaustive: bool = True


@dataclass(frozen=True, eq=False)
class Pooled:
    """Hits and false positives of n images by falling score; those of equal score enter a curve together.

    Attributes:
        score: Of each of them; shape (f,).
        hit: Whether it is the match of a nodule; shape (f,).
        image: Number of its image; shape (f,).
        nodules: Number of nodules of each image; shape (n,).
        full: Whether every nodule of an image is marked; shape (n,).
        found: Score of each nodule's match, image by image; -inf where it was missed; shape (m,).
    """

    score: Array
    hit: NDArray[np.bool_]
    image: Indices
    nodules: Indices
    full: NDArray[np.bool_]
    found: Array

    @classmethod
    def of(cls, marks: Sequence[Marks], **further: Any) -> Self:
        """Return the marks of images, one item per image; ``further`` are the fields of a subclass."""
        found = np.concatenate([np.empty(0), *(mark.found for mark in marks)])
        false = np.concatenate([np.empty(0), *(mark.false for mark in marks)])
        nodules = np.array([len(mark.found) for mark in marks], dtype=np.intp)
        beside = np.array([len(mark.false) for mark in marks], dtype=np.intp)
        images = np.arange(len(marks))
        image = np.concatenate([images.repeat(nodules), images.repeat(beside)])
        score, hit = np.concatenate([found, false]), np.arange(len(image)) < len(found)
        falling = np.argsort(-score, kind="stable")
        falling = falling[score[falling] > -math.inf]
        full = np.array([mark.exhaustive for mark in marks], dtype=bool)
        return cls(score[falling], hit[falling], image[falling], nodules, full, found, **further)

    @cached_property
    def owner(self) -> Indices:
        """Number of the image of each nodule; shape (m,)."""
        return np.arange(len(self.nodules)).repeat(self.nodules)

    @property
    def ones(self) -> Weights:
        """Every image once."""
        return np.ones(len(self.nodules))

    @cached_property
    def _last(self) -> Indices:
        """Position of the last finding of each distinct score."""
        return np.flatnonzero(np.append(self.score[1:] != self.score[:-1], True)[: len(self.score)])

    def steps(self, weights: Weights) -> tuple[Weights, Weights]:
        """Return weighted hits and false positives down to each distinct score, the origin first."""
        each = weights[self.image]
        true, false = (np.concatenate([[0.0], np.cumsum(each * kind)[self._last]]) for kind in (self.hit, ~self.hit))
        return true, false

    def sensitivity(self, weights: Weights, rate: float = 1.0) -> float:
        """Return the sensitivity at ``rate`` false positives per image; NaN without nodules, or full images."""
        nodules, images = float(weights @ self.nodules), float(weights @ self.full)
        if not nodules or not images:
            return math.nan
        true, false = self.steps(weights)
        return float(true[allowed(false, rate * images)]) / nodules

    def worst(self, cluster: Indices) -> Weights:
        """Return the false positives per image of the worst cluster down to each distinct score, the origin first.

        Args:
            cluster: Number of the cluster of each image; shape (n,).
        """
        owner, images, each = cluster[self.image], np.bincount(cluster), np.zeros(len(self.image))
        for number in np.unique(owner):
            own = np.flatnonzero((owner == number) & ~self.hit)
            each[own] = np.arange(1, len(own) + 1) / images[number]
        return np.concatenate([[0.0], np.maximum.accumulate(each)[self._last]])

    def hits_at(self, rate: float) -> NDArray[np.bool_]:
        """Return, nodule by nodule, whether it is hit where so many false positives per image are allowed."""
        _, false = self.steps(self.ones)
        distinct = np.concatenate([[math.inf], self.score[self._last]])
        return self.found >= distinct[allowed(false, rate * np.count_nonzero(self.full))]

    def precision(self, weights: Weights, ahead: float = 0.0) -> float:
        """Return COCO's average precision, of so many false positives ``ahead`` of all; NaN without nodules."""
        nodules = float(weights @ self.nodules)
        if not nodules:
            return math.nan
        true, false = (of[1:] for of in self.steps(weights))
        precision = np.divide(true, true + false + ahead, out=np.zeros_like(true), where=true > 0)
        return mean_precision(precision, true / nodules)

    @property
    def against_normal(self) -> Ranked:
        """Nodules and the loudest finding on each image that is known to have none: what AFROC ranks."""
        normal = np.flatnonzero(self.full & (self.nodules == 0))
        loudest = np.full(len(self.nodules), -math.inf)
        np.maximum.at(loudest, self.image, self.score)
        return Ranked(self.found, self.owner, loudest[normal], normal)


def allowed(false: Weights, most: float | Weights) -> Indices:
    """Return the last step of a curve with ``most`` false positives, or with each of several numbers."""
    return np.searchsorted(false, np.multiply(most, _ROUNDING), side="right") - 1


@dataclass(frozen=True, eq=False)
class Ranked:
    """Scores that ought to exceed those of rivals.

    Attributes:
        scores: Of nodules, or of images with nodules; shape (m,). Infinite ones rank.
        images: Number of the image of each; shape (m,).
        rivals: Of images without nodules; shape (k,).
        normal: Number of the image of each; shape (k,).
    """

    scores: Array
    images: Indices
    rivals: Array
    normal: Indices

    @classmethod
    def images_of(cls, scores: Array, ill: NDArray[np.bool_], well: NDArray[np.bool_]) -> Ranked:
        """Return images with a nodule and those known to have none, by one score of each; shape (n,)."""
        return cls(scores[ill], np.flatnonzero(ill), scores[well], np.flatnonzero(well))

    @property
    def sides(self) -> tuple[Array, Array]:
        """The scores and those of their rivals."""
        return self.scores, self.rivals

    @cached_property
    def _places(self) -> tuple[Indices, Indices, Indices]:
        """Rivals by rising score; how many of them each score exceeds, and how many it reaches."""
        order = np.argsort(self.rivals, kind="stable")
        below, up_to = (np.searchsorted(self.rivals[order], self.scores, side) for side in ("left", "right"))
        return self.normal[order], below, up_to

    def area(self, weights: Weights) -> float:
        """Return how often a score exceeds a rival's, ties half; NaN where a side is empty."""
        rivals, below, up_to = self._places
        first, total = weights[self.images], np.concatenate([[0.0], np.cumsum(weights[rivals])])
        pairs = first.sum() * total[-1]
        return float((first * (total[below] + total[up_to])).sum() / 2 / pairs) if pairs else math.nan
