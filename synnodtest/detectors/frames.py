"""From a radiograph to a network's input, and its boxes back; in numpy, so that every backend sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.finding import Finding
from synnodtest.geometry import FloatArray, Indices

MAX_FINDINGS = 300
"""Findings kept per radiograph, as ``max_det`` of ultralytics; a curve over scores needs no more for the few nodules of
a scene."""
PADDING = 114 / 255
"""The grey that ultralytics pads with."""
ROWS = 64
"""Scaled at once: so few stay in the processor's cache, and a picture takes a fifth of the time."""


@dataclass(frozen=True)
class Frame:
    """Fit of a radiograph into the network's input.

    Args:
        shape: Height and width of the radiograph.
        scale: Input pixels per radiograph pixel, ``(x, y)``.
        offset: Padding before the radiograph, ``(x, y)``, in input pixels.
    """

    shape: tuple[int, int]
    scale: tuple[float, float]
    offset: tuple[int, int]

    @classmethod
    def letterbox(cls, pixels: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, Frame]:
        """Scale to fit ``size`` (height, width) with the aspect kept, and pad with grey; return picture and frame."""
        height, width = pixels.shape
        scale = min(size[0] / height, size[1] / width)
        new = max(round(height * scale), 1), max(round(width * scale), 1)
        left, top = (size[1] - new[1]) // 2, (size[0] - new[0]) // 2
        picture = np.full(size, PADDING, dtype=np.float32)
        picture[top : top + new[0], left : left + new[1]] = resized(pixels, new)
        return picture, cls((height, width), (new[1] / width, new[0] / height), (left, top))

    @classmethod
    def stretch(cls, pixels: FloatArray, size: tuple[int, int]) -> tuple[FloatArray, Frame]:
        """Scale to ``size`` (height, width), the aspect lost; return picture and frame."""
        height, width = pixels.shape
        return resized(pixels, size), cls((height, width), (size[1] / width, size[0] / height), (0, 0))


def resized(pixels: FloatArray, shape: tuple[int, int]) -> FloatArray:
    """Return the picture at another shape: bilinear between pixel centres, as OpenCV's ``INTER_LINEAR``."""
    (above, below, down), (left, right, across) = map(_neighbours, pixels.shape, shape)
    picture = np.empty(shape, dtype=np.float32)
    for start in range(0, shape[0], ROWS):
        part = slice(start, start + ROWS)
        lines = _between(pixels[above[part]], pixels[below[part]], down[part, None])
        low, high = (lines.take(column, axis=1, mode="clip") for column in (left, right))
        picture[part] = _between(low, high, across)
    return picture


def _neighbours(old: int, length: int) -> tuple[Indices, Indices, NDArray[np.float32]]:
    """Return, for an axis scaled to another length, the pixels before and after each place and the second's weight."""
    place = np.clip((np.arange(length) + 0.5) * old / length - 0.5, 0, old - 1)
    if old == length:
        return place.astype(np.intp), place.astype(np.intp), np.zeros(length, dtype=np.float32)
    first = np.minimum(place.astype(np.intp), max(old - 2, 0))
    return first, np.minimum(first + 1, old - 1), (place - first).astype(np.float32)


def _between(low: FloatArray, high: FloatArray, weight: NDArray[np.float32]) -> FloatArray:
    """Return ``low + weight * (high - low)``, in the memory of ``high``."""
    high -= low
    high *= weight
    high += low
    return high


def findings_of(boxes: NDArray[Any], scores: NDArray[Any], frame: Frame) -> list[Finding]:
    """Map boxes (n, 4) ``x_min, y_min, x_max, y_max`` of the input back; what falls into the padding is cut off.

    What is not finite stays so, for the guard to refuse.
    """
    height, width = frame.shape
    given = np.asarray(boxes, dtype=float).reshape(-1, 4)
    given = (given - np.tile(frame.offset, 2)) / np.tile(frame.scale, 2)
    broken = ~np.isfinite(given).all(axis=1)
    edges = np.where(broken[:, None], given, np.clip(given, 0.0, [width, height, width, height]))
    whole = (edges[:, 0] < edges[:, 2]) & (edges[:, 1] < edges[:, 3]) | broken
    return [
        Finding((float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(score))
        for box, score, keep in zip(edges, np.asarray(scores, dtype=float), whole, strict=True)
        if keep
    ]


def suppress(boxes: NDArray[Any], scores: NDArray[Any], iou: float, most: int, kinds: Indices | None = None) -> Indices:
    """Return the indices of boxes that survive greedy non-maximum suppression, by descending score.

    Args:
        boxes: (n, 4) ``x_min, y_min, x_max, y_max``.
        scores: (n,).
        iou: A box that overlaps a better one by more than this is dropped.
        most: Stop after so many.
        kinds: (n,) classes: boxes of different classes do not suppress each other.
    """
    if kinds is not None and len(boxes):
        boxes = boxes + (kinds * (2 * np.abs(boxes).max() + 1))[:, None]
    order = np.argsort(-scores, kind="stable")
    area = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.size and len(kept) < most:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        low = np.maximum(boxes[best, :2], boxes[rest, :2])
        high = np.minimum(boxes[best, 2:], boxes[rest, 2:])
        shared = np.prod(np.maximum(high - low, 0), axis=1)
        overlap = shared / np.maximum(area[best] + area[rest] - shared, 1e-12)
        order = rest[overlap <= iou]
    return np.array(kept, dtype=np.intp)
