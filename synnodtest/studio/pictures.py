"""Pixels for the page: 16 bits that the canvas windows itself, outlines of regions, small pictures of nodules."""

from __future__ import annotations

import io
from collections.abc import Iterable

import numpy as np
import scipy
from PIL import Image, ImageDraw

from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.radiograph import Radiograph

MIDDLE = 32768
"""Stands for no difference."""
COLOURS = {
    "lung": (90, 200, 250),
    "left_lung": (90, 200, 250),
    "right_lung": (90, 200, 250),
    "heart": (255, 120, 120),
    "retrocardiac": (255, 120, 120),
    "hilar": (255, 214, 10),
    "apical": (48, 209, 88),
    "peripheral": (191, 140, 255),
    "subdiaphragmatic": (255, 159, 10),
    "mediastinum": (172, 142, 104),
    "air_leak": (255, 105, 180),
}
OTHER = (220, 220, 220)
"""Colour of a region without its own, red, green and blue: light grey, which none of the others is."""
CROP_PX, CROP_MM = 220, 80.0
"""Side of a picture in pixels, and in mm of the radiograph; set by hand: the largest nodules and as much around
them."""


def sixteen_bits(pixels: FloatArray, minus: FloatArray | None = None) -> bytes:
    """Return H x W little-endian uint16: 0..1 over the whole range, or a difference about the middle."""
    if minus is None:
        values = np.rint(np.clip(pixels, 0, 1) * 65535)
    else:
        values = np.clip(np.rint((pixels.astype(np.float64) - minus) * 32767) + MIDDLE, 0, 65535)
    return values.astype("<u2").tobytes()


def outline_png(mask: BoolArray, name: str) -> bytes:
    """Return a transparent PNG of a region's border, wide enough to be seen when the film is shown small."""
    width = max(1, round(max(mask.shape) / 700))
    edge = mask & ~scipy.ndimage.binary_erosion(mask, iterations=width)
    rgba = np.zeros((*mask.shape, 4), dtype=np.uint8)
    rgba[edge, :3] = COLOURS.get(name, OTHER)
    rgba[edge, 3] = 230
    return _png(Image.fromarray(rgba))


def painted(shape: tuple[int, int], strokes: Iterable[dict[str, object]]) -> BoolArray:
    """Return the mask of brush strokes.

    Args:
        shape: Height and width.
        strokes: Each with ``points`` (pairs of pixels) and ``radius`` in pixels; a ``box`` fills its inside.
    """
    canvas = Image.new("L", (shape[1], shape[0]), 0)
    draw = ImageDraw.Draw(canvas)
    for stroke in strokes:
        box, points = stroke.get("box"), stroke.get("points")
        if isinstance(box, list) and len(box) == 4:
            x_min, y_min, x_max, y_max = (round(float(edge)) for edge in box)
            draw.rectangle((x_min, y_min, x_max - 1, y_max - 1), fill=255)
        if isinstance(points, list):
            radius = min(max(float(str(stroke.get("radius", 10))), 1.0), 500.0)
            path = [(float(x), float(y)) for x, y in points[:20_000]]
            if len(path) > 1:
                draw.line(path, fill=255, width=round(2 * radius), joint="curve")
            for x, y in path:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(canvas) > 127


def crop_png(radiograph: Radiograph, centre_mm: tuple[float, float]) -> bytes:
    """Return the surroundings of a place ``(x, y)`` as a small windowed picture."""
    rows, columns = (max(8, round(CROP_MM / step / 2)) for step in radiograph.spacing_mm)
    height, width = radiograph.shape
    row_mm, column_mm = radiograph.spacing_mm
    x = min(max(round(centre_mm[0] / column_mm), columns), width - columns)
    y = min(max(round(centre_mm[1] / row_mm), rows), height - rows)
    part = radiograph.pixels[max(y - rows, 0) : y + rows, max(x - columns, 0) : x + columns]
    low, high = np.percentile(part, [0.5, 99.8])
    grey = np.clip((part - low) / max(float(high - low), 1e-6) * 255, 0, 255).astype(np.uint8)
    return _png(Image.fromarray(grey).resize((CROP_PX, CROP_PX), Image.Resampling.BICUBIC))


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
