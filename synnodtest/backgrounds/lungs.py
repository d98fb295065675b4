"""Lungs estimated from the picture alone, for radiographs that come without masks.

An average pair of lungs is fitted to the picture, its base and apices are moved to the diaphragm and the first
ribs, and its outline is drawn to the borders of the dark. The estimate covers the *visible* lungs, without
what lies behind heart and diaphragm. It is meant for choosing places and measuring contrast, not for diagnosis.

Seen from its centroid a lung is a star: one radius per direction. Its outline is the closed contour of least cost, by
dynamic programming: the template's with a factor per direction, chosen so that it encloses dark and excludes bright
pixels (by a threshold that varies over the picture, taken from the previous contour), runs along edges, and changes
smoothly.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from PIL import Image

from synnodtest.backgrounds.lung_picture import LungPicture, prepare
from synnodtest.backgrounds.lung_template import Outlines, fill, plausibility, template_fits
from synnodtest.geometry import BoolArray, FloatArray

_Array = NDArray[np.float64]

ESTIMATOR_VERSION = "2"
CLEAR_QUALITY = 1.0
"""Quality below which an estimate is doubtful; set by hand halfway between none (0.5) and an ordinary radiograph (1.5).
It doubts 8 of 38 NIH films (models/segmenter/README.md)."""

_CANDIDATES = 3
"""Places of the average lungs that are drawn to the picture; set by hand: with one the mean Dice on eight Hannover
films is 0.818, with six 0.852, here 0.856."""

_DIRECTIONS = 120
"""Rays of a star, 3 degrees apart; set by eye: on eight Hannover films the mean Dice is 0.844 with 60, 0.856 with
these, 0.861 with 240, which take a fifth longer."""
_FACTORS = np.linspace(0.5, 1.6, 56)
_ROUNDS = 3
"""Contours drawn one after the other, each with the threshold of the one before; set by eye: on the eight films one
gives 0.854, five 0.856."""
_RING_PX = 9
"""Width of the surroundings that the threshold is taken from, in pixels of about 1.6 mm; set by eye: on the eight films
5 give 0.848, 15 give 0.851."""
_STEP = 3
"""Most levels of the factors (2% of a radius each) between neighbouring rays; set by eye: on the eight films 1 gives
0.854, 2 and 5 the same 0.856."""
_SMOOTHNESS = 0.08
"""Cost of one level squared between neighbouring rays; set by eye: more rounds angles off (0.3: 0.845 on the eight
films), 0.02 gives 0.858."""
_THRESHOLD_PX = 14.0
"""Blur, in pixels, over which the threshold may vary; set by eye: on the eight films 7 and 28 give a mean as good, and
a worse film."""
_BRIGHT = 0.45
"""Excess over the threshold (-1..1) that is no longer lung at the base; set by eye: on the eight films 0.2 gives 0.853,
0.8 gives 0.857."""


@dataclass(frozen=True, eq=False)
class LungEstimate:
    """Two estimated lungs.

    Args:
        left_lung: Mask (H x W) of the patient's left lung, on the right of the picture.
        right_lung: Mask of the patient's right lung.
        quality: How convincing they are: contrast at the borders, fit to an average chest. About 0.5 for a
            picture without lungs, 1.5 and more for an ordinary radiograph.
    """

    left_lung: BoolArray
    right_lung: BoolArray
    quality: float

    @property
    def doubtful(self) -> bool:
        """True where someone should look: rotated patients, a white hemithorax, or no chest at all."""
        return self.quality < CLEAR_QUALITY


def estimate_lungs(pixels: FloatArray, spacing_mm: tuple[float, float]) -> dict[str, BoolArray]:
    """Return masks (H x W) of ``lung``, ``left_lung`` and ``right_lung`` of a frontal chest radiograph."""
    estimate = estimate_lungs_of(pixels, spacing_mm)
    left, right = estimate.left_lung, estimate.right_lung
    return {"lung": left | right, "left_lung": left, "right_lung": right}


def estimate_lungs_of(pixels: FloatArray, spacing_mm: tuple[float, float]) -> LungEstimate:
    """Return the lungs of a frontal chest radiograph and how convincing they are.

    Args:
        pixels: float32, H x W, 0..1, air dark, patient upright, the patient's left on the right.
        spacing_mm: Distance between pixels, ``(row, column)``.
    """
    picture = prepare(pixels, spacing_mm)
    drawn = _drawn(picture, template_fits(picture, _CANDIDATES))
    masks = drawn.left_lung & ~drawn.right_lung, drawn.right_lung
    left, right = (_enlarged(mask & picture.body, pixels.shape) for mask in masks)
    return LungEstimate(left, right & ~left, drawn.quality)


def split_lung(lung: BoolArray) -> dict[str, BoolArray]:
    """Return ``left_lung`` and ``right_lung`` of a mask of both (the patient's left is on the right)."""
    labels, count = scipy.ndimage.label(lung)
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


def _enlarged(mask: BoolArray, shape: tuple[int, ...]) -> BoolArray:
    grey = Image.fromarray(mask.astype(np.float32)).resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.asarray(np.asarray(grey) > 0.5)


@dataclass(frozen=True, eq=False)
class _Star:
    centre: _Array
    rays: _Array
    radii: _Array

    def points(self, factors: _Array) -> _Array:
        """Return ``(x, y)`` of the contour with one factor per direction."""
        return np.asarray(self.centre + self.rays * (self.radii * factors)[:, None])


def _drawn(picture: LungPicture, candidates: Sequence[Outlines]) -> LungEstimate:
    """Draw every candidate to the prepared picture and return the most convincing result, on its pixels."""
    outlines = [outline for pair in candidates for outline in (pair.right, pair.left)]
    stars = [_star(outline) for outline in outlines]
    templates = masks = [fill(outline, picture.shape) for outline in outlines]
    edges = scipy.ndimage.gaussian_filter(picture.local, 2.0)
    for _ in range(_ROUNDS):
        excess = [_excess(picture.ranks, right | left) for right, left in _pairs(masks)]
        costs = [_cost(star, excess[index // 2], edges) for index, star in enumerate(stars)]
        factors = _FACTORS[_cheapest(np.stack(costs))]
        smooth = scipy.ndimage.gaussian_filter1d(factors, 1.0, axis=1, mode="wrap")
        masks = [fill(star.points(row), picture.shape) for star, row in zip(stars, smooth, strict=True)]
    results = [
        LungEstimate(left, right, _quality(picture, right, left, one | other, pair.fit))
        for (right, left), (one, other), pair in zip(_pairs(masks), _pairs(templates), candidates, strict=True)
    ]
    best = max(results, key=lambda result: result.quality)
    above = scipy.ndimage.gaussian_filter(_excess(picture.ranks, best.right_lung | best.left_lung), 2.5)
    return LungEstimate(_above_diaphragm(best.left_lung, above), _above_diaphragm(best.right_lung, above), best.quality)


def _pairs(masks: Sequence[BoolArray]) -> list[tuple[BoolArray, BoolArray]]:
    """Return right and left lung of each candidate."""
    return list(zip(masks[::2], masks[1::2], strict=True))


def _above_diaphragm(lung: BoolArray, excess: FloatArray) -> BoolArray:
    """Cut bright tissue off the lower third of a lung: the template's angles reach deeper than most."""
    rows = np.flatnonzero(lung.any(axis=1))
    if not rows.size:
        return lung
    lower = np.arange(lung.shape[0])[:, None] > rows[0] + 0.65 * (rows[-1] - rows[0])
    kept = scipy.ndimage.binary_opening(lung & ~(lower & (excess > _BRIGHT)), iterations=3)
    labels, count = scipy.ndimage.label(kept)
    if not count:
        return lung
    largest = labels == 1 + np.argmax(np.bincount(labels.ravel())[1:])
    return np.asarray(scipy.ndimage.binary_fill_holes(largest))


def _star(outline: _Array) -> _Star:
    """Return centroid, directions, and the distance of the outline in each direction."""
    centre = _centroid(outline)
    angles = np.arange(_DIRECTIONS) * (2 * np.pi / _DIRECTIONS)
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    start = outline - centre
    side = np.roll(start, -1, axis=0) - start
    cross = rays[:, :1] * side[None, :, 1] - rays[:, 1:] * side[None, :, 0]
    cross = np.where(np.abs(cross) < 1e-9, np.inf, cross)
    distance = (start[:, 0] * side[:, 1] - start[:, 1] * side[:, 0])[None] / cross
    place = (start[None, :, 0] * rays[:, 1:] - start[None, :, 1] * rays[:, :1]) / cross
    hit = (place >= 0) & (place <= 1) & (distance > 0)
    radii = np.where(hit, distance, 0.0).max(axis=1)
    return _Star(centre, rays, np.maximum(radii, 1.0))


def _centroid(outline: _Array) -> _Array:
    after = np.roll(outline, -1, axis=0)
    cross = outline[:, 0] * after[:, 1] - after[:, 0] * outline[:, 1]
    return np.asarray(((outline + after) * cross[:, None]).sum(axis=0) / (3 * cross.sum()))


def _excess(ranks: FloatArray, lungs: BoolArray) -> FloatArray:
    """Return how far each pixel lies above the local threshold between lung and surroundings (-1..1)."""
    inner = scipy.ndimage.binary_erosion(lungs, iterations=2, border_value=1)
    outer = scipy.ndimage.binary_dilation(lungs, iterations=_RING_PX) & ~scipy.ndimage.binary_dilation(lungs)
    inside, outside = _local_mean(ranks, inner), _local_mean(ranks, outer)
    gap = np.maximum(outside - inside, 0.08)
    return np.asarray(np.clip((ranks - (inside + outside) / 2) / gap, -1, 1), dtype=np.float32)


def _local_mean(image: FloatArray, where: BoolArray) -> FloatArray:
    """Return the mean of the nearby pixels of ``where``, computed on half the resolution."""
    mask = where.astype(np.float32)
    overall = float((image * mask).sum() / max(float(mask.sum()), 1.0))
    weight, total = (scipy.ndimage.gaussian_filter(part[::2, ::2], _THRESHOLD_PX / 2) for part in (mask, image * mask))
    coarse = (total + 1e-3 * overall) / (weight + 1e-3)
    full = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
    return np.asarray(full[: image.shape[0], : image.shape[1]])


def _cost(star: _Star, excess: FloatArray, edges: FloatArray) -> _Array:
    """Return the cost (directions x factors) of a contour through each point of the star."""
    reach = star.radii[:, None] * _FACTORS
    x, y = (star.centre[axis] + star.rays[:, axis, None] * reach for axis in (0, 1))
    bright = scipy.ndimage.map_coordinates(excess, [y, x], order=1, mode="constant", cval=1.0)
    step = star.radii[:, None] * (_FACTORS[1] - _FACTORS[0])
    enclosed = np.cumsum(bright * step, axis=1) / star.radii.mean()
    profile = scipy.ndimage.map_coordinates(edges, [y, x], order=1, mode="nearest")
    rise = np.clip(2.4 * np.gradient(profile, axis=1) / step, -1, 1)
    return np.asarray(4 * enclosed - rise + 6 * np.log(_FACTORS) ** 2)


def _cheapest(costs: _Array) -> NDArray[np.intp]:
    """Return the factor index per direction (lungs x directions) of the cheapest closed contour of each lung.

    The ring is unrolled two and a half times, and the middle turn is kept.
    """
    lungs, directions, levels = costs.shape
    unrolled = np.concatenate([costs, costs, costs[:, : directions // 2]], axis=1)
    steps = unrolled.shape[1]
    penalty = _SMOOTHNESS * np.arange(-_STEP, _STEP + 1) ** 2
    total = np.full((lungs, levels + 2 * _STEP), np.inf)
    total[:, _STEP:-_STEP] = unrolled[:, 0]
    came_from = np.zeros((steps, lungs, levels), dtype=np.intp)
    for step in range(1, steps):
        options = sliding_window_view(total, 2 * _STEP + 1, axis=1) + penalty
        came_from[step] = options.argmin(axis=2)
        total[:, _STEP:-_STEP] = options.min(axis=2) + unrolled[:, step]
    path = np.zeros((steps, lungs), dtype=np.intp)
    path[-1] = total[:, _STEP:-_STEP].argmin(axis=1)
    rows = np.arange(lungs)
    for step in range(steps - 1, 0, -1):
        path[step - 1] = path[step] + came_from[step, rows, path[step]] - _STEP
    first = directions // 2
    return np.roll(path[first : first + directions], first, axis=0).T


def _quality(picture: LungPicture, right: BoolArray, left: BoolArray, template: BoolArray, fit: float) -> float:
    """Return how convincing two lungs are: contrast at their borders, fit of the template, size, no air inside."""
    both = right | left
    contrasts = [_border_contrast(picture.ranks, mask, both) for mask in (right, left)]
    if min(contrasts) == -np.inf:
        return -np.inf
    rows, columns = np.flatnonzero(both.any(axis=1)), np.flatnonzero(both.any(axis=0))
    size = plausibility((np.ptp(columns) + 1) * picture.mm, (np.ptp(rows) + 1) * picture.mm)
    in_air = float((~picture.body)[template].mean())
    area = 0.15 * float(np.log(4 * both.mean()))
    return 0.5 * min(contrasts) + 0.5 * float(np.mean(contrasts)) + 0.5 * fit + size + area - 5.0 * in_air


def _border_contrast(ranks: FloatArray, lung: BoolArray, both: BoolArray) -> float:
    """Return the difference of the strips outside and inside of a lung's border, over their spread."""
    inside = ranks[lung & ~scipy.ndimage.binary_erosion(lung, iterations=5, border_value=1)]
    outside = ranks[scipy.ndimage.binary_dilation(lung, iterations=5) & ~both]
    if lung.sum() < 200 or min(inside.size, outside.size) < 10:
        return -np.inf
    return float((outside.mean() - inside.mean()) / np.sqrt((outside.var() + inside.var()) / 2 + 1e-3))
