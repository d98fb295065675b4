"""Lungs estimated from the picture alone, for radiographs that come without masks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from scipy import ndimage
from scipy.signal import fftconvolve

from synnodtest.geometry import BoolArray, FloatArray

__all__ = ["ESTIMATOR_VERSION", "LUNGS", "LungEstimate", "estimate_lungs", "estimate_lungs_of", "split_lung"]

ESTIMATOR_VERSION = "1"
LUNGS = ("lung", "left_lung", "right_lung")

_SIZE = 256
_WIDTHS = (0.5, 0.6, 0.7, 0.8, 0.9, 1.0)
_HEIGHTS = (0.4, 0.5, 0.6, 0.7, 0.8, 0.9)

# Outlines of both lungs in the box around them, x from the right costophrenic angle to the left one,
# y from the apex to the deeper angle; drawn for this project.
_RIGHT_OUTLINE = np.fromstring(
    """.27 0 .35 .03 .40 .10 .42 .2 .415 .3 .40 .45 .39 .6 .385 .75 .38 .845 .32 .815 .24 .80 .16 .82 .09 .89
    .03 .97 .01 .98 0 .85 .01 .7 .035 .5 .07 .33 .12 .18 .18 .06 .22 .015""",
    sep=" ",
).reshape(-1, 2)
_LEFT_OUTLINE = np.fromstring(
    """.72 0 .78 .02 .83 .07 .89 .2 .935 .35 .965 .5 .985 .7 1 .87 .99 1 .93 .93 .85 .87 .78 .855 .755 .84
    .755 .78 .735 .70 .69 .6 .63 .48 .605 .38 .61 .28 .59 .2 .60 .1 .645 .03""",
    sep=" ",
).reshape(-1, 2)


@dataclass(frozen=True, eq=False)
class LungEstimate:
    """Two estimated lungs.

    Args:
        left_lung: Mask (H x W) of the patient's left lung, on the right of the picture.
        right_lung: Mask of the patient's right lung.
        atlas: True if the picture was too unclear for an outline, and the masks are a fitted average shape.
    """

    left_lung: BoolArray
    right_lung: BoolArray
    atlas: bool


def estimate_lungs(pixels: FloatArray, spacing_mm: tuple[float, float]) -> dict[str, BoolArray]:
    """Return masks (H x W) of ``lung``, ``left_lung`` and ``right_lung`` of a frontal chest radiograph."""
    estimate = estimate_lungs_of(pixels, spacing_mm)
    left, right = estimate.left_lung, estimate.right_lung
    return {"lung": left | right, "left_lung": left, "right_lung": right}


def estimate_lungs_of(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LungEstimate:
    """Estimate both lungs."""
    small, _ = _reduced(pixels, spacing_mm)
    body = _body(small)
    equalised = _equalised(small, body)
    x, y, width, height = _fitted_box(equalised)
    masks = []
    for outline in (_LEFT_OUTLINE, _RIGHT_OUTLINE):
        mask = _filled(outline * (width, height) + (x, y), small.shape) & body
        masks.append(_enlarged(mask, pixels.shape))
    return LungEstimate(masks[0], masks[1], atlas=True)


def _reduced(pixels: FloatArray, spacing_mm: tuple[float, float]) -> tuple[FloatArray, float]:
    """Return the picture on square pixels with a longer side of 256, and their size in mm."""
    height, width = pixels.shape[0] * spacing_mm[0], pixels.shape[1] * spacing_mm[1]
    scale = max(height, width) / _SIZE
    size = (max(round(width / scale), 16), max(round(height / scale), 16))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX)), scale


def _enlarged(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    grey = Image.fromarray(mask.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(grey) > 0.5)


def _body(small: FloatArray) -> BoolArray:
    """Return all but the air around the patient: dark pixels that reach the border."""
    smooth = ndimage.gaussian_filter(small, 1.5)
    low, high = np.percentile(smooth, [1, 99])
    labels, _ = ndimage.label(smooth < low + 0.12 * (high - low))
    border = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return ~np.isin(labels, np.unique(border[border > 0]))


def _equalised(small: FloatArray, body: BoolArray) -> FloatArray:
    """Return ranks within the body (0 the darkest), 1 outside of it."""
    levels = np.quantile(small[body], np.linspace(0, 1, 129)) + np.arange(129) * 1e-9
    ranks = np.interp(small, levels, np.linspace(0, 1, 129))
    ranks[~body] = 1.0
    return ranks.astype(np.float32)


def _filled(outline: NDArray[np.float64], shape: tuple[int, ...]) -> BoolArray:
    canvas = Image.new("1", (shape[1], shape[0]))
    ImageDraw.Draw(canvas).polygon([(x, y) for x, y in outline.tolist()], fill=1)
    return np.array(canvas)


def _fitted_box(equalised: FloatArray) -> tuple[float, float, float, float]:
    """Return ``(x, y, width, height)`` of the box in which the average lungs differ most from their surroundings."""
    coarse = ndimage.zoom(ndimage.gaussian_filter(equalised, 2), 0.25, order=1)
    fits = [_best_place(coarse, w, h) for w in _WIDTHS for h in _HEIGHTS]
    _, x, y, width, height = max(fits)
    return 4 * x, 4 * y, 4 * width, 4 * height


def _best_place(coarse: FloatArray, width_part: float, height_part: float) -> tuple[float, float, float, float, float]:
    """Return the score and the box of one size of template at its best place (normalised correlation)."""
    rows, columns = coarse.shape
    width, height = width_part * columns, height_part * rows
    margin = max(3, round(0.09 * width))
    shape = (int(height + 2 * margin) + 1, int(width + 2 * margin) + 1)
    pad = margin + round(0.05 * columns)
    if not 0.6 < height / width < 1.35 or shape[0] > rows + 2 * pad or shape[1] > columns + 2 * pad:
        return -np.inf, 0.0, 0.0, 0.0, 0.0
    lungs = _filled(_RIGHT_OUTLINE * (width, height) + margin, shape)
    lungs |= _filled(_LEFT_OUTLINE * (width, height) + margin, shape)
    around = ndimage.binary_dilation(lungs, iterations=margin) & ~lungs
    window = (lungs | around) / np.count_nonzero(lungs | around)
    contrast = around / np.count_nonzero(around) - lungs / np.count_nonzero(lungs)
    padded = np.pad(coarse, pad, mode="edge")
    found, mean, square = (
        fftconvolve(image, kernel[::-1, ::-1], "valid")
        for image, kernel in ((padded, contrast), (padded, window), (padded**2, window))
    )
    y, x = np.mgrid[: found.shape[0], : found.shape[1]] - pad + margin
    off_x, off_y = (x + width / 2) / columns - 0.5, (y + height / 2) / rows - 0.48
    score = found / np.sqrt(np.maximum(square - mean**2, 1e-3)) - 1.5 * off_x**2 - 0.8 * off_y**2
    score += 0.25 * np.log(2 * width_part * height_part)
    best = np.unravel_index(int(score.argmax()), score.shape)
    return float(score[best]), float(x[best]), float(y[best]), width, height


def split_lung(lung: BoolArray) -> dict[str, BoolArray]:
    """Return ``left_lung`` and ``right_lung`` of a mask of both (the patient's left is on the right)."""
    labels, count = ndimage.label(lung)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    columns = np.arange(lung.shape[1])
    middle = float(np.average(columns, weights=lung.sum(axis=0)))
    left = np.zeros(lung.shape, dtype=np.bool_)
    for index in np.flatnonzero(sizes):
        part = labels == index + 1
        if sizes[index] > 0.75 * sizes.sum():
            left |= part & (columns >= middle)
        elif float(np.average(columns, weights=part.sum(axis=0))) >= middle:
            left |= part
    return {"left_lung": left, "right_lung": lung & ~left}
