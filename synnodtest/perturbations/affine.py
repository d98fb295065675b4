"""Affine maps of the pixel plane, and radiographs, region masks and truth moved by them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import scipy

from synnodtest.geometry import BoolArray, FloatArray, equal_area_diameter_mm
from synnodtest.radiograph import Radiograph, Truth, with_truth

Shape = tuple[int, int]
Point = tuple[float, float]
_Moved = Callable[[BoolArray], BoolArray]


@dataclass(frozen=True)
class Affine:
    """The map ``x' = a x + b y + c``, ``y' = d x + e y + f`` of points ``(x, y)`` in pixels.

    Coordinates count from the top left corner: the centre of the first pixel is ``(0.5, 0.5)``.
    """

    a: float = 1.0
    b: float = 0.0
    c: float = 0.0
    d: float = 0.0
    e: float = 1.0
    f: float = 0.0

    def __call__(self, point: Point) -> Point:
        """Return where a point goes."""
        x, y = point
        return self.a * x + self.b * y + self.c, self.d * x + self.e * y + self.f

    def inverse(self) -> Affine:
        """Return the map back."""
        determinant = self.a * self.e - self.b * self.d
        a, b, d, e = self.e / determinant, -self.b / determinant, -self.d / determinant, self.a / determinant
        return Affine(a, b, -(a * self.c + b * self.f), d, e, -(d * self.c + e * self.f))

    @property
    def shrinks_by(self) -> float:
        """Number of old pixels along one new one (1 where nothing shrinks)."""
        return max(1.0, 1 / math.sqrt(abs(self.a * self.e - self.b * self.d)))


def flip(shape: Shape, *, horizontal: bool) -> Affine:
    """Return the mirror image, left to right or top to bottom."""
    return Affine(a=-1.0, c=float(shape[1])) if horizontal else Affine(e=-1.0, f=float(shape[0]))


def shift(right: float, down: float) -> Affine:
    """Return the shift by pixels."""
    return Affine(c=right, f=down)


def rotation(degrees: float, shape: Shape, spacing_mm: tuple[float, float]) -> Affine:
    """Return the rotation about the centre, counter-clockwise as seen, rigid in millimetres."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    tall = spacing_mm[0] / spacing_mm[1]
    return _about_centre(shape, cosine, sine * tall, -sine / tall, cosine)


def scaling(factor: float, shape: Shape) -> Affine:
    """Return the zoom about the centre."""
    return _about_centre(shape, factor, 0.0, 0.0, factor)


def _about_centre(shape: Shape, a: float, b: float, d: float, e: float) -> Affine:
    x, y = shape[1] / 2, shape[0] / 2
    return Affine(a, b, x - a * x - b * y, d, e, y - d * x - e * y)


def warp(radiograph: Radiograph, forward: Affine) -> Radiograph:
    """Move pixels (bilinear), regions and truth masks (the pixel that contains the centre).

    Truth that leaves the radiograph is cut, and dropped where nothing of it remains; diameters are measured again.
    """
    inverse = forward.inverse()
    lookup = _lookup(inverse, (0, 0), radiograph.shape, (0, 0), radiograph.shape)
    return replace(
        with_truth(radiograph, lambda truth: _move_truth(truth, forward, inverse, radiograph)),
        pixels=_move_pixels(radiograph.pixels, inverse, forward.shrinks_by),
        regions={name: lookup(mask) for name, mask in radiograph.regions.items()},
    )


def swap_sides(radiograph: Radiograph) -> Radiograph:
    """Rename ``left_*`` regions ``right_*`` and the reverse, as a mirrored radiograph is read."""
    regions: Mapping[str, BoolArray] = {_other_side(name): mask for name, mask in radiograph.regions.items()}
    return replace(radiograph, regions=regions, estimated=frozenset(map(_other_side, radiograph.estimated)))


def _other_side(name: str) -> str:
    swapped = {"left": "right", "right": "left"}
    return "_".join(swapped.get(word, word) for word in name.split("_"))


def _move_pixels(pixels: FloatArray, inverse: Affine, shrinks_by: float) -> FloatArray:
    if shrinks_by > 1.0:
        pixels = scipy.ndimage.gaussian_filter(pixels, min((shrinks_by - 1) / 2, max(pixels.shape) / 8), mode="nearest")
    x, y = inverse((0.5, 0.5))
    matrix = np.array([[inverse.e, inverse.d], [inverse.b, inverse.a]])
    moved: FloatArray = scipy.ndimage.affine_transform(
        pixels,
        np.diag(matrix) if inverse.b == inverse.d == 0 else matrix,
        offset=(y - 0.5, x - 0.5),
        order=1,
        mode="grid-constant",
        output=np.float32,
    )
    return np.clip(moved, 0.0, 1.0)


def _lookup(inverse: Affine, start: Shape, shape: Shape, origin: Shape, source: Shape) -> _Moved:
    """Return what gives a window of the new radiograph from an old mask: each pixel from the one that it comes from.

    The window's first pixel is ``start``; the mask has the shape ``source`` and begins at ``origin``.
    """
    y, x = np.ogrid[start[0] + 0.5 : start[0] + shape[0], start[1] + 0.5 : start[1] + shape[1]]
    column = np.floor(inverse.a * x + inverse.b * y + inverse.c).astype(np.intp) - origin[1]
    row = np.floor(inverse.d * x + inverse.e * y + inverse.f).astype(np.intp) - origin[0]
    inside = (row >= 0) & (row < source[0]) & (column >= 0) & (column < source[1])
    flat = np.where(inside, row * source[1] + column, 0)
    return lambda mask: mask.ravel()[flat] & inside


def _move_truth(truth: Truth, forward: Affine, inverse: Affine, radiograph: Radiograph) -> Truth | None:
    top, left = truth.origin
    height, width = truth.crop.shape
    corners = [forward((x, y)) for x in (left, left + width) for y in (top, top + height)]
    columns = _span([x for x, _ in corners], radiograph.shape[1])
    rows = _span([y for _, y in corners], radiograph.shape[0])
    start, shape = (rows[0], columns[0]), (rows[1] - rows[0], columns[1] - columns[0])
    crop = _lookup(inverse, start, shape, truth.origin, truth.crop.shape)(truth.crop)
    if not crop.any():
        return None
    diameter_mm = equal_area_diameter_mm(float(crop.sum()), radiograph.spacing_mm)
    return replace(truth, crop=crop, origin=start, diameter_mm=diameter_mm)


def _span(values: list[float], length: int) -> tuple[int, int]:
    first = min(max(math.floor(min(values)), 0), length)
    return first, max(min(math.ceil(max(values)), length), first)
