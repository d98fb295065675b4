"""An average pair of lungs, and where in a picture it fits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synnodtest.backgrounds.lung_picture import LungPicture
from synnodtest.geometry import BoolArray, FloatArray

Outline = NDArray[np.float64]

# Outlines of the visible lungs in the box around both: x from the right costophrenic angle to the left one,
# y from the apex to the deeper angle; drawn for this project after the anatomy of an adult in deep inspiration.
_RIGHT = np.fromstring(
    """.27 0 .35 .03 .40 .10 .42 .2 .415 .3 .40 .45 .39 .6 .385 .75 .38 .845 .32 .815 .24 .80 .16 .82 .09 .89
    .03 .97 .01 .98 0 .85 .01 .7 .035 .5 .07 .33 .12 .18 .18 .06 .22 .015""",
    sep=" ",
).reshape(-1, 2)
_LEFT = np.fromstring(
    """.72 0 .78 .02 .83 .07 .89 .2 .935 .35 .965 .5 .985 .7 1 .87 .99 1 .93 .93 .85 .87 .78 .855 .755 .84
    .755 .78 .735 .70 .69 .6 .63 .48 .605 .38 .61 .28 .59 .2 .60 .1 .645 .03""",
    sep=" ",
).reshape(-1, 2)
_BASES = [8, 9, 10, 11, 12, 13, 14], [9, 10, 11, 12]
"""Points of the outlines above that lie on the diaphragm; they change with the drawing alone."""
_APICES = [19, 20, 21, 0, 1, 2], [20, 21, 0, 1, 2]
"""Points of the outlines above that lie at the top; they change with the drawing alone."""

_WIDTHS = (0.45, 0.52, 0.6, 0.68, 0.76, 0.84, 0.92, 1.0)
"""Widths of both lungs tried, as shares of the picture; set by hand from a film with much rim to one cut to the lungs.
What lies between is made up by the contour."""
_HEIGHTS = (0.35, 0.43, 0.51, 0.59, 0.67, 0.75, 0.83, 0.91, 1.0)
"""Heights tried, as shares of the picture, likewise; base and apex are moved afterwards."""
_ADULT_MM = (280.0, 240.0)
"""Width and height of both visible lungs of an adult, in mm; set by hand, and weak: 20% off in both costs 0.05 of a
score that reaches about 1.5."""
_COARSE = 4
"""Times that the picture is made smaller for the search; set by hand: at 8 the mean Dice on eight Hannover films is
0.800, at 2 it is 0.854, here 0.856."""


@dataclass(frozen=True, eq=False)
class Outlines:
    """Polygons ``(x, y)`` of the right and the left lung, and how well they fit (about 0..1.5)."""

    right: Outline
    left: Outline
    fit: float


def fill(outline: Outline, shape: tuple[int, int]) -> BoolArray:
    """Return the mask of a polygon ``(x, y)``."""
    canvas = Image.new("1", (shape[1], shape[0]))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in outline.tolist()], fill=1)
    return np.array(canvas)


def plausibility(width_mm: float, height_mm: float) -> float:
    """Return how much a width and height of both lungs speak against an adult's chest (0 or less)."""
    width, height = np.log(width_mm / _ADULT_MM[0]) / 0.2, np.log(height_mm / _ADULT_MM[1]) / 0.25
    ratio = np.log(height_mm / width_mm / 0.95) / 0.2
    return float(-0.04 * (width**2 + height**2) - 0.1 * ratio**2)


def template_fits(picture: LungPicture, count: int) -> list[Outlines]:
    """Return the ``count`` best distinct fits of the average lungs, base and apex of either lung adjusted.

    At least one: where no size fits the picture, the middle of it.
    """
    rows, columns = picture.shape
    middle = (0.0, 0.15 * columns, 0.15 * rows, 0.7 * columns, 0.7 * rows)
    fits = sorted(_all_fits(picture), key=lambda fit: -fit[0]) or [middle]
    kept: list[tuple[float, float, float, float, float]] = []
    for fit in fits:
        if all(_distance(fit, other) > 30 for other in kept):
            kept.append(fit)
        if len(kept) == count:
            break
    return [_adjusted(picture, score, (x, y), (width, height)) for score, x, y, width, height in kept]


def _distance(a: Sequence[float], b: Sequence[float]) -> float:
    (_, ax, ay, aw, ah), (_, bx, by, bw, bh) = a, b
    return abs(ax - bx) + abs(ay - by) + abs(ax + aw - bx - bw) + abs(ay + ah - by - bh)


def _all_fits(picture: LungPicture) -> list[tuple[float, float, float, float, float]]:
    """Return score and box ``(score, x, y, width, height)`` of every size of template at its best place."""
    coarse = scipy.ndimage.zoom(scipy.ndimage.gaussian_filter(picture.neutral, 1.5), 1 / _COARSE, order=1)
    air = scipy.ndimage.zoom(picture.air, 1 / _COARSE, order=1)
    search = _Search(coarse, air, picture.mm * _COARSE)
    fits = [search.best(width, height) for width in _WIDTHS for height in _HEIGHTS]
    return [(fit[0], *(_COARSE * value for value in fit[1:])) for fit in fits if fit is not None]  # type: ignore[misc]


class _Search:
    """Normalised correlation of templates with a coarse picture, by Fourier transform."""

    def __init__(self, coarse: FloatArray, air: FloatArray, mm: float) -> None:
        self.shape, self.mm = coarse.shape, mm
        self.pad = max(3, round(0.09 * coarse.shape[1])) + round(0.08 * coarse.shape[0])
        padded = [np.pad(image, self.pad, mode="edge") for image in (coarse, coarse**2, air)]
        self.size = padded[0].shape
        self.extent = tuple(scipy.fft.next_fast_len(length, real=True) for length in self.size)
        self.image, self.square, self.air = (scipy.fft.rfft2(image, self.extent) for image in padded)

    def best(self, width_part: float, height_part: float) -> tuple[float, float, float, float, float] | None:
        """Return score and box of one size at its best place; None if it does not fit the picture."""
        rows, columns = self.shape
        width, height = width_part * columns, height_part * rows
        margin = max(3, round(0.09 * width))
        shape = (int(height + 2 * margin) + 1, int(width + 2 * margin) + 1)
        if not 0.6 < height / width < 1.35 or shape[0] > self.size[0] or shape[1] > self.size[1]:
            return None
        lungs = fill(_RIGHT * (width, height) + margin, shape) | fill(_LEFT * (width, height) + margin, shape)
        around = scipy.ndimage.binary_dilation(lungs, iterations=margin) & ~lungs
        window, wider = lungs | around, scipy.ndimage.binary_dilation(lungs)
        contrast = self._correlated(self.image, around / around.sum() - lungs / lungs.sum())
        mean, square = (self._correlated(image, window / window.sum()) for image in (self.image, self.square))
        in_air = self._correlated(self.air, wider / wider.sum())
        places = (self.size[0] - shape[0] + 1, self.size[1] - shape[1] + 1)
        contrast, mean, square, in_air = (found[: places[0], : places[1]] for found in (contrast, mean, square, in_air))
        y, x = np.mgrid[: places[0], : places[1]] - self.pad + margin
        off_x, off_y = (x + width / 2) / columns - 0.5, (y + height / 2) / rows - 0.48
        score = contrast / np.sqrt(np.maximum(square - mean**2, 1e-3)) - 5.0 * in_air - 1.5 * off_x**2 - 0.8 * off_y**2
        score += 0.25 * np.log(2 * width_part * height_part) + plausibility(width * self.mm, height * self.mm)
        best = np.unravel_index(int(score.argmax()), score.shape)
        return float(score[best]), float(x[best]), float(y[best]), width, height

    def _correlated(
        self, spectrum: NDArray[np.complexfloating[Any, Any]], kernel: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.asarray(scipy.fft.irfft2(spectrum * np.conj(scipy.fft.rfft2(kernel, self.extent)), self.extent))


def _adjusted(picture: LungPicture, score: float, place: tuple[float, float], size: tuple[float, float]) -> Outlines:
    """Move diaphragm and apex of either lung to where the picture has them; the other end stays."""
    sides = [outline * size + place for outline in (_RIGHT, _LEFT)]
    steps, edges = np.arange(-0.25 * size[1], 0.6 * size[1], 2.0), _edges(picture.local)
    scores = [_base_scores(picture, edges, *side, steps) for side in zip(sides, _BASES, strict=True)]
    ends = zip(sides, _BASES, _together(steps / size[1], *scores), strict=True)
    sides = [_stretched(one, one[:, 1].min(), one[base, 1].min(), steps[best]) for one, base, best in ends]
    height = float(np.ptp(np.concatenate(sides)[:, 1]))
    steps, edges = np.arange(-0.3 * height, 0.3 * height, 2.0), _edges(picture.neutral_local)
    scores = [_apex_scores(picture, edges, *side, steps) for side in zip(sides, _APICES, strict=True)]
    ends = zip(sides, _APICES, _together(steps / height, *scores), strict=True)
    right, left = (_stretched(one, one[:, 1].max(), one[apex, 1].max(), steps[best]) for one, apex, best in ends)
    return Outlines(right, left, score)


def _edges(local: FloatArray) -> FloatArray:
    """Return the change of brightness downwards."""
    return np.asarray(4 * scipy.ndimage.gaussian_filter(local, (2, 3), order=(1, 0)))


def _base_scores(
    picture: LungPicture, edges: FloatArray, outline: Outline, part: list[int], steps: Outline
) -> NDArray[np.float64]:
    """Return how well each vertical shift puts the base on a diaphragm: an edge, dark above it, bright below."""
    section, height = _dense(outline[part]), float(np.ptp(outline[:, 1]))
    above, below = _beside(picture.ranks, section, height, steps)
    edge = _along(np.clip(edges, -1, 1), section, steps)
    return np.asarray(edge + below - above - 0.5 * (steps / height) ** 2)


def _apex_scores(
    picture: LungPicture, edges: FloatArray, outline: Outline, part: list[int], steps: Outline
) -> NDArray[np.float64]:
    """Return how well each vertical shift puts the apex under a first rib: an edge, and no air close above it."""
    section, height = _dense(outline[part]), float(np.ptp(outline[:, 1]))
    above, below = _beside(picture.neutral, section, height, steps)
    edge = _along(np.clip(-edges, -1, 1), section, steps)
    air = np.mean([_along(picture.air, section, steps - part * height) for part in (-0.05, 0.0, 0.05, 0.1)], axis=0)
    return np.asarray(edge - 4.0 * air + 0.3 * (above - below) - 2.0 * (steps / height) ** 2)


def _beside(image: FloatArray, section: Outline, height: float, steps: Outline) -> list[NDArray[np.float64]]:
    """Return the means of the strips above and below a section for each vertical shift."""
    strips = np.linspace(0.04, 0.22, 6) * height
    return [np.mean([_along(image, section, steps + side * strip) for strip in strips], axis=0) for side in (-1, 1)]


def _together(steps: Outline, right: NDArray[np.float64], left: NDArray[np.float64]) -> tuple[int, int]:
    """Return the best pair of shifts; the two sides differ little."""
    joint = right[:, None] + left[None] - 3.0 * (steps[:, None] - steps[None]) ** 2
    best = np.unravel_index(int(joint.argmax()), joint.shape)
    return int(best[0]), int(best[1])


def _dense(section: Outline) -> Outline:
    at = np.linspace(0, len(section) - 1, 40)
    return np.stack([np.interp(at, np.arange(len(section)), section[:, axis]) for axis in (0, 1)], axis=1)


def _along(image: FloatArray, section: Outline, shifts: Outline) -> NDArray[np.float64]:
    """Return the mean of ``image`` along a section for each vertical shift."""
    y = section[None, :, 1] + shifts[:, None]
    x = np.broadcast_to(section[None, :, 0], y.shape)
    return np.asarray(scipy.ndimage.map_coordinates(image, [y, x], order=1, mode="nearest").mean(axis=1))


def _stretched(outline: Outline, still: float, moved: float, shift: float) -> Outline:
    """Move the height ``moved`` by ``shift``, and what lies from there to the height ``still`` in proportion."""
    part = np.clip((outline[:, 1] - still) / (moved - still), 0, 1)
    return np.asarray(outline + np.stack([np.zeros_like(part), part * shift], axis=1))
