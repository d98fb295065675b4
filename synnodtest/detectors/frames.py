"""From a radiograph to a network's input, and its boxes back; in numpy, so that every backend sees the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synnodtest.finding import Finding
from synnodtest.geometry import FloatArray

PADDING = 114 / 255
"""The grey that ultralytics pads with."""


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
    whole = (0, 0, pixels.shape[1], pixels.shape[0])
    picture = Image.fromarray(pixels).transform(shape[::-1], Image.Transform.EXTENT, whole, Image.Resampling.BILINEAR)
    return np.array(picture)


def findings_of(boxes: NDArray[Any], scores: NDArray[Any], frame: Frame) -> list[Finding]:
    """Map boxes (n, 4) ``x_min, y_min, x_max, y_max`` of the input back; what falls into the padding is cut off."""
    height, width = frame.shape
    edges = np.asarray(boxes, dtype=float).reshape(-1, 4)
    edges = (edges - np.tile(frame.offset, 2)) / np.tile(frame.scale, 2)
    edges = np.clip(edges, 0.0, [width, height, width, height])
    whole = (edges[:, 0] < edges[:, 2]) & (edges[:, 1] < edges[:, 3]) | ~np.isfinite(edges).all(axis=1)
    return [
        Finding((float(box[0]), float(box[1]), float(box[2]), float(box[3])), float(score))
        for box, score, keep in zip(edges, np.asarray(scores, dtype=float), whole, strict=True)
        if keep
    ]


def suppress(
    boxes: NDArray[Any], scores: NDArray[Any], iou: float, most: int, kinds: NDArray[np.intp] | None = None
) -> NDArray[np.intp]:
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
