"""The detector's pixel grid and mass-conserving splatting of thin structures onto it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from synnodtest.phantom.anatomy import Anatomy
from synnodtest.phantom.solids import Array


@dataclass(frozen=True, eq=False)
class Grid:
    """Pixel centres of a square detector in the coordinates of the patient.

    Args:
        anatomy: Whose pose (shift, tilt, rotation) places the patient on the detector.
        size: Pixels along each side.
    """

    anatomy: Anatomy
    size: int
    x: Array = field(init=False, repr=False)
    """Patient x at depth 0 of every pixel, (size, size), mm."""
    y: Array = field(init=False, repr=False)
    """Patient y of every row, (size, 1), mm."""

    def __post_init__(self) -> None:
        a = self.anatomy
        along = (np.arange(self.size) + 0.5) * self.spacing
        y = (along - a.top)[:, None]
        x = (along - a.field / 2 - a.shift)[None, :] - a.tilt * (y - a.height / 2)
        object.__setattr__(self, "x", x.astype(np.float32))
        object.__setattr__(self, "y", y.astype(np.float32))

    @property
    def spacing(self) -> float:
        """Distance of pixel centres in mm."""
        return self.anatomy.field / self.size

    def rows(self, y0: float, y1: float) -> slice:
        """Return the rows between two heights of the patient."""
        a = self.anatomy
        low = int(np.clip(np.floor((y0 + a.top) / self.spacing), 0, self.size))
        return slice(low, int(np.clip(np.ceil((y1 + a.top) / self.spacing), low, self.size)))

    def to_px(self, points: Array) -> tuple[Array, Array]:
        """Return column and row (fractional, pixel centres at integers) of points (..., 3) of the patient."""
        a = self.anatomy
        x, y, z = points[..., 0], points[..., 1], points[..., 2]
        column = a.rotation * z
        column += x  # in place: a skeleton is millions of points
        column += a.tilt * (y - a.height / 2)
        column += a.field / 2
        column += a.shift
        column /= self.spacing
        return column - 0.5, (y + a.top) / self.spacing - 0.5

    def to_image_mm(self, points: Array) -> Array:
        """Return ``(x, y)`` in mm from the image's top left corner of points (..., 3) of the patient."""
        column, row = self.to_px(points)
        return np.stack([column + 0.5, row + 0.5], axis=-1) * self.spacing

    def splat(self, images: tuple[Array, ...], points: Array, volumes: tuple[Array, ...]) -> None:
        """Add the line integrals of point masses to images; each is shared by the four nearest pixels.

        Args:
            images: (size, size) float32, changed in place.
            points: (n, 3), patient coordinates; best a compact bunch, for only its bounding box is worked on.
            volumes: One (n,) array per image: mm^3, or mm^3 times attenuation.
        """
        column, row = self.to_px(points)
        inside = (column >= 0) & (column < self.size - 1) & (row >= 0) & (row < self.size - 1)
        if not inside.all():
            column, row, volumes = column[inside], row[inside], tuple(volume[inside] for volume in volumes)
        if not column.size:
            return
        j, i = column.astype(np.intp), row.astype(np.intp)
        fx, fy = column - j, row - i
        top, left = int(i.min()), int(j.min())
        height, width = int(i.max()) - top + 2, int(j.max()) - left + 2
        flat = (i - top) * width + (j - left)
        gx, gy = 1 - fx, 1 - fy
        for image, volume in zip(images, volumes, strict=True):
            low, high = volume * gy, volume * fy
            total = np.zeros(height * width)
            for offset, mass in ((0, low * gx), (1, low * fx), (width, high * gx), (width + 1, high * fx)):
                total[offset:] += np.bincount(flat, weights=mass, minlength=total.size)[: total.size - offset]
            image[top : top + height, left : left + width] += total.reshape(height, width) / self.spacing**2

    def capsule(self, image: Array, ends: tuple[Array, Array], radii: tuple[float, float]) -> None:
        """Raise an image (in place) to the mm along each ray in a round tube between two points, ends rounded.

        The tube's axis may lean against the image plane; its radius changes linearly from end to end.
        """
        (x0, y0), (x1, y1) = self.to_image_mm(ends[0]), self.to_image_mm(ends[1])
        reach = max(radii)
        bounds = []
        for low, high in ((min(y0, y1), max(y0, y1)), (min(x0, x1), max(x0, x1))):
            first = int(np.clip((low - reach) / self.spacing, 0, self.size))
            bounds.append(slice(first, int(np.clip(np.ceil((high + reach) / self.spacing), first, self.size))))
        rows, columns = bounds
        dy = ((np.arange(rows.start, rows.stop) + 0.5) * self.spacing - y0)[:, None]
        dx = ((np.arange(columns.start, columns.stop) + 0.5) * self.spacing - x0)[None, :]
        flat = float(np.hypot(x1 - x0, y1 - y0))
        t = np.clip((dx * (x1 - x0) + dy * (y1 - y0)) / max(flat * flat, 1e-6), 0, 1)
        away = (dx - t * (x1 - x0)) ** 2 + (dy - t * (y1 - y0)) ** 2
        radius = radii[0] + (radii[1] - radii[0]) * t
        lean = min(float(np.linalg.norm(ends[1] - ends[0])) / max(flat, 1e-6), 2.0)
        mm = (2 * lean * np.sqrt(np.maximum(radius * radius - away, 0))).astype(np.float32)
        image[rows, columns] = np.maximum(image[rows, columns], mm)

    def blank(self) -> Array:
        """Return an empty image."""
        return np.zeros((self.size, self.size), dtype=np.float32)
