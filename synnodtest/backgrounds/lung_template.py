"""A radiograph prepared for finding lungs, an average pair of lungs, and where in the picture it fits.

The picture is small, of square pixels, with brightness as ranks; the air around the patient is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from synnodtest.geometry import Array, BoolArray, FloatArray

Outline = Array

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
_WIDTHS = (0.45, 0.52, 0.6, 0.68, 0.76, 0.84, 0.92, 1.0)
"""Widths of both lungs tried, as shares of the picture; set by hand from a film with much rim to one cut to the lungs.
What lies between is made up by the dark around it."""
_HEIGHTS = (0.35, 0.43, 0.51, 0.59, 0.67, 0.75, 0.83, 0.91, 1.0)
"""Heights tried, as shares of the picture, likewise."""
_ADULT_MM = (280.0, 240.0)
"""Width and height of both visible lungs of an adult, in mm; set by hand, and weak: 20% off in both costs 0.05 of a
score that reaches about 1.5."""
_COARSE = 4
"""Times that the picture is made smaller for the search; set by hand: at 8 the mean Dice on eight Hannover films is
0.894, at 2 it is 0.890, here 0.896."""
_LONGER_SIDE = 256
"""Pixels, about 1.6 mm each on an adult's film; set by hand: at 128 the mean Dice on eight Hannover films falls from
0.896 to 0.877, the least from 0.84 to 0.75."""
_NEUTRAL = 0.6
"""Rank given to air around the patient; set by eye, a little above the middle: 0.4 and 0.8 change the Dice of eight
Hannover films by 0.001."""


@dataclass(frozen=True, eq=False)
class LungPicture:
    """The picture in which lungs are sought; all arrays have one shape, the longer side 256.

    Args:
        mm: Size of a pixel.
        body: All but the air around the patient.
        ranks: Brightness as rank within the body, 0 the darkest, smoothed; 1 in air, where no lung can be.
        neutral: The same with a middle value in air.
        air: 1 in air, smoothed.
    """

    mm: float
    body: BoolArray
    ranks: FloatArray
    neutral: FloatArray
    air: FloatArray

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width."""
        return int(self.body.shape[0]), int(self.body.shape[1])


def prepare(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LungPicture:
    """Return the prepared picture of a radiograph (H x W, 0..1, air dark; spacing row, column)."""
    height, width = pixels.shape[0] * spacing_mm[0], pixels.shape[1] * spacing_mm[1]
    mm = max(height, width) / _LONGER_SIDE
    size = (max(round(width / mm), 64), max(round(height / mm), 64))
    small = np.asarray(Image.fromarray(pixels.astype(np.float32)).resize(size, Image.Resampling.BOX))
    body = _body(small)
    ranks = _ranks(small, body)
    neutral = np.where(body, ranks, np.float32(_NEUTRAL))
    return LungPicture(
        mm=mm,
        body=body,
        ranks=scipy.ndimage.gaussian_filter(ranks, 1.5),
        neutral=scipy.ndimage.gaussian_filter(neutral, 1.5),
        air=scipy.ndimage.gaussian_filter((~body).astype(np.float32), 2.0),
    )


def _body(small: FloatArray) -> BoolArray:
    """Return all but the dark that reaches the border; everything, if hardly anything would be left."""
    smooth = scipy.ndimage.gaussian_filter(small, 1.5)
    low, high = np.percentile(smooth, [1, 99])
    labels, _ = scipy.ndimage.label(smooth < low + 0.12 * (high - low))
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    body = ~np.isin(labels, np.unique(border[border > 0]))
    return np.asarray(body if body.mean() > 0.2 else np.ones_like(body))


def _ranks(small: FloatArray, body: BoolArray) -> FloatArray:
    low, high = np.percentile(small[body], [2, 98])
    clipped = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    levels = np.quantile(clipped[body], np.linspace(0, 1, 129)) + np.arange(129) * 1e-9
    ranks = np.interp(clipped, levels, np.linspace(0, 1, 129))
    ranks[~body] = 1.0
    return np.asarray(ranks, dtype=np.float32)


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


def within(mask: BoolArray, steps: int) -> BoolArray:
    """Return the pixels at most so many steps along rows and columns from a mask: SciPy's dilation, at once."""
    if not mask.any():
        return mask
    return np.asarray(scipy.ndimage.distance_transform_cdt(~mask, metric="taxicab") <= steps)


def plausibility(width_mm: float, height_mm: float) -> float:
    """Return how much a width and height of both lungs speak against an adult's chest (0 or less)."""
    width, height = np.log(width_mm / _ADULT_MM[0]) / 0.2, np.log(height_mm / _ADULT_MM[1]) / 0.25
    ratio = np.log(height_mm / width_mm / 0.95) / 0.2
    return float(-0.04 * (width**2 + height**2) - 0.1 * ratio**2)


def template_fits(picture: LungPicture, count: int) -> list[Outlines]:
    """Return the ``count`` best distinct fits of the average lungs.

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
    return [
        Outlines(_RIGHT * (width, height) + (x, y), _LEFT * (width, height) + (x, y), score)
        for score, x, y, width, height in kept
    ]


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
        around = within(lungs, margin) & ~lungs
        window, wider = lungs | around, within(lungs, 1)
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

    def _correlated(self, spectrum: NDArray[np.complexfloating[Any, Any]], kernel: Array) -> Array:
        return np.asarray(scipy.fft.irfft2(spectrum * np.conj(scipy.fft.rfft2(kernel, self.extent)), self.extent))
