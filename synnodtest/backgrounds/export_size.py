"""A radiograph made ready for export: brought to a square, marked in the picture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray, FloatArray, equal_area_diameter_mm, iou
from synnodtest.radiograph import Radiograph, Truth

WORD = "SYNTHETIC"
LEAST_SIDE, MOST_SIDE = 64, 8192
"""Sides of an exported picture, in pixels; set by hand: below, a nodule is a pixel or two; above, no reader here takes
it (``MAX_PIXELS``)."""


def resized(radiograph: Radiograph, size: int) -> Radiograph:
    """Return the radiograph on ``size`` x ``size`` pixels, its longer side filling them, the rest black.

    Pixels keep their shape: both spacings change by the same factor. The same size gives the same pixels. Truth is
    resampled with it; regions are left out.

    Raises:
        BackgroundError: the size is not between 64 and 8192.
    """
    if not LEAST_SIDE <= size <= MOST_SIDE:
        raise BackgroundError(f"a picture of {size} x {size} pixels is not written", hint="64 to 8192")
    height, width = radiograph.shape
    if height == width == size:
        return radiograph
    scale = size / max(height, width)
    inner = (round(height * scale), round(width * scale))
    corner = ((size - inner[0]) // 2, (size - inner[1]) // 2)
    spacing = (radiograph.spacing_mm[0] * height / inner[0], radiograph.spacing_mm[1] * width / inner[1])

    def drawn(values: FloatArray) -> FloatArray:
        smaller = Image.fromarray(values).resize((inner[1], inner[0]), Image.Resampling.BICUBIC)
        canvas = np.zeros((size, size), dtype=np.float32)
        canvas[corner[0] : corner[0] + inner[0], corner[1] : corner[1] + inner[1]] = np.clip(np.asarray(smaller), 0, 1)
        return canvas

    nodules = tuple(
        _redrawn(truth, drawn(truth.mask(radiograph.shape).astype(np.float32)) > 0.5, spacing)
        for truth in radiograph.nodules
    )
    return replace(
        radiograph,
        pixels=drawn(radiograph.pixels),
        spacing_mm=spacing,
        regions={},
        estimated=frozenset(),
        nodules=nodules,
    )


def _redrawn(truth: Truth, mask: BoolArray, spacing_mm: tuple[float, float]) -> Truth:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    if not rows.size:
        return replace(truth, crop=np.zeros((1, 1), dtype=np.bool_), origin=(0, 0))
    crop = mask[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].copy()
    diameter = equal_area_diameter_mm(float(crop.sum()), spacing_mm)
    return replace(truth, crop=crop, origin=(int(rows[0]), int(columns[0])), diameter_mm=diameter)


def marked(radiograph: Radiograph) -> Radiograph:
    """Return the radiograph with SYNTHETIC written into a corner that holds no nodule."""
    height, width = radiograph.shape
    font = ImageFont.load_default(size=max(12, round(height / 40)))
    left, top, right, bottom = (int(edge) for edge in font.getbbox(WORD))
    word, pad = (right - left, bottom - top), max(4, height // 100)
    corners = [
        (x, y)
        for y in (height - word[1] - 2 * pad, pad)
        for x in (pad, width - word[0] - 2 * pad)
        if not any(iou((x, y, x + word[0] + pad, y + word[1] + pad), truth.box) for truth in radiograph.nodules)
    ]
    if not corners:
        raise BackgroundError(
            "no corner of the radiograph is free of nodules for the mark", hint="write it without mark"
        )
    x, y = corners[0]
    label = Image.new("L", (word[0] + pad, word[1] + pad), 0)
    ImageDraw.Draw(label).text((pad // 2 - left, pad // 2 - top), WORD, fill=255, font=font)
    pixels = radiograph.pixels.copy()
    inked = np.asarray(label, dtype=np.float32)[: height - y, : width - x] / 255
    pixels[y : y + inked.shape[0], x : x + inked.shape[1]] = inked
    return radiograph.with_pixels(pixels)
