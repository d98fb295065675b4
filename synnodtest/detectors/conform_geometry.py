"""All the ways in which adapters write boxes, and which of them lies on the nodules."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.finding import Finding
from synnodtest.geometry import Box, iou
from synnodtest.radiograph import Radiograph

OVERLAP = 0.25
"""Least IoU with the nodule; set by hand: detectors draw boxes wider or tighter than the truth, and of a wrong reading
hardly any overlap it by chance."""
TOP = 3
"""Findings per radiograph, highest scores first, of which one may lie on the nodule; with more, a wrong reading would
fit some of them by chance."""
NETWORK_SIZES = (224, 256, 320, 384, 416, 448, 512, 608, 640, 672, 736, 768, 800, 832, 896, 960, 1024, 1280, 1333, 1536)
"""Sides of network inputs, in pixels, that the usual classifiers and detectors come with (EfficientDet's 512 to 1536,
torchvision's 800 and 1333, multiples of 32); one that is missing is only diagnosed less well."""

Convert = Callable[[Box, Radiograph], Box]


@dataclass(frozen=True)
class Reading:
    """One way to read four numbers as a box.

    Args:
        convert: Numbers and radiograph -> the box that is meant, in pixels.
        says: The way, in words.
        remedy: What the adapter must do instead.
    """

    convert: Convert
    says: str
    remedy: str


def _scaled(box: Box, x: float, y: float) -> Box:
    return box[0] * x, box[1] * y, box[2] * x, box[3] * y


def _cornered(box: Box) -> Box:
    return box[0], box[1], box[0] + box[2], box[1] + box[3]


def _centred(box: Box) -> Box:
    return box[0] - box[2] / 2, box[1] - box[3] / 2, box[0] + box[2] / 2, box[1] + box[3] / 2


def _as_centred(box: Box) -> Box:
    """Undo that corners were read as centre and size."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]


def _in_mm(box: Box, radiograph: Radiograph) -> Box:
    return _scaled(box, 1 / radiograph.spacing_mm[1], 1 / radiograph.spacing_mm[0])


def _of_sides(whole: float) -> Convert:
    return lambda box, radiograph: _scaled(box, radiograph.shape[1] / whole, radiograph.shape[0] / whole)


def _upwards(box: Box, radiograph: Radiograph) -> Box:
    height = radiograph.shape[0]
    return box[0], height - box[3], box[2], height - box[1]


def _of_letterbox(size: int, padded: bool) -> Convert:
    def convert(box: Box, radiograph: Radiograph) -> Box:
        height, width = radiograph.shape
        scale = size / max(height, width)
        left, top = ((size - width * scale) / 2, (size - height * scale) / 2) if padded else (0.0, 0.0)
        return (box[0] - left) / scale, (box[1] - top) / scale, (box[2] - left) / scale, (box[3] - top) / scale

    return convert


def _unpadded(box: Box, radiograph: Radiograph) -> Box:
    """Undo the padding of a square that keeps the radiograph's scale."""
    return _of_letterbox(max(radiograph.shape), padded=True)(box, radiograph)


def _padded(box: Box, radiograph: Radiograph) -> Box:
    left, top = ((max(radiograph.shape) - side) / 2 for side in radiograph.shape[::-1])
    return box[0] + left, box[1] + top, box[2] + left, box[3] + top


def _as_shares(box: Box, radiograph: Radiograph) -> Box:
    return _scaled(box, 1 / radiograph.shape[1], 1 / radiograph.shape[0])


_ORDER = "write (x_min, y_min, x_max, y_max), x along columns"
IN_PIXELS = "write pixels of the radiograph as given: undo scaling and padding of the network's input"

_ORDERS = (
    Reading(lambda box, _: (box[1], box[0], box[3], box[2]), "(y_min, x_min, y_max, x_max)", _ORDER),
    Reading(lambda box, _: _cornered(box), "(x_min, y_min, width, height)", _ORDER),
    Reading(lambda box, _: _centred(box), "(x, y, width, height) around the centre", _ORDER),
    Reading(lambda box, _: _as_centred(box), "corners that were taken for centre and size", _ORDER),
    Reading(lambda box, _: _cornered(_as_centred(box)), "a corner that was taken for the centre", _ORDER),
    Reading(lambda box, _: _cornered((box[1], box[0], box[3], box[2])), "(y_min, x_min, height, width)", _ORDER),
)
_SIDES = "multiply x by the width and y by the height in pixels"
_UNITS = (
    Reading(_in_mm, "millimetres", "divide x by spacing_mm[1] and y by spacing_mm[0]"),
    Reading(_of_sides(1), "shares of width and height", _SIDES),
    Reading(_of_sides(100), "percent of width and height", f"{_SIDES}, divided by 100"),
    Reading(_of_sides(1000), "thousandths of width and height", f"{_SIDES}, divided by 1000"),
)


def _both(order: Reading, unit: Reading) -> Reading:
    """Return the reading of boxes that are of another order and in another unit."""

    def convert(box: Box, radiograph: Radiograph) -> Box:
        return unit.convert(order.convert(box, radiograph), radiograph)

    return Reading(convert, f"{order.says}, in {unit.says}", f"{order.remedy}; {unit.remedy}")


def _inside(order: Reading, into: Convert, back: Convert, fit: str) -> Reading:
    """Return the reading of boxes of another order in a network's square input, of which the fit is undone rightly."""

    def convert(box: Box, radiograph: Radiograph) -> Box:
        return back(order.convert(into(box, radiograph), radiograph), radiograph)

    return Reading(convert, f"{order.says}, in a {fit} input", f"{order.remedy}, before the {fit} input is undone")


READINGS: tuple[Reading, ...] = (
    Reading(lambda box, _: box, "(x_min, y_min, x_max, y_max) in pixels", ""),
    *_ORDERS,
    *_UNITS,
    Reading(_upwards, "y counted from the bottom", "count y from the top"),
    Reading(_unpadded, "pixels of a padded square", IN_PIXELS),
    *(
        reading
        for size in NETWORK_SIZES
        for reading in (
            Reading(_of_letterbox(size, True), f"pixels of a padded input of {size} x {size}", IN_PIXELS),
            Reading(_of_letterbox(size, False), f"pixels of an input with the longer side {size}", IN_PIXELS),
            Reading(_of_sides(size), f"pixels of an input stretched to {size} x {size}", IN_PIXELS),
        )
    ),
    *(_both(order, unit) for unit in _UNITS for order in _ORDERS),
    *(_inside(order, _padded, _unpadded, "padded") for order in _ORDERS),
    *(_inside(order, _as_shares, _of_sides(1), "stretched") for order in _ORDERS),
)
"""The right reading first."""


def _best(radiograph: Radiograph, found: Sequence[Finding], reading: Reading = READINGS[0]) -> Box | None:
    """Return the box among the top findings that lies on the nodule, or None."""
    truth = radiograph.nodules[0].box
    top = sorted(found, key=lambda one: -one.score)[:TOP]
    boxes = [reading.convert(one.box, radiograph) for one in top]
    best = max(boxes, key=lambda box: iou(box, truth), default=None)
    return best if best is not None and iou(best, truth) >= OVERLAP else None


def hits(reading: Reading, radiographs: Sequence[Radiograph], found: Sequence[Sequence[Finding]]) -> int:
    """Return on how many radiographs a top finding lies on the nodule if boxes are read so."""
    return sum(_best(one, items, reading) is not None for one, items in zip(radiographs, found, strict=True))


def hits_of_smaller(
    radiographs: Sequence[Radiograph], smaller: Sequence[Radiograph], found: Sequence[Sequence[Finding]]
) -> tuple[int, int]:
    """Return on how many smaller copies a box lies on the nodule, and on how many where that of the radiograph does.

    Args:
        radiographs: With their nodules.
        smaller: Copies of them of fewer pixels.
        found: On the copies.
    """
    back = [
        [Finding(_scaled(f.box, one.shape[1] / less.shape[1], one.shape[0] / less.shape[0]), f.score) for f in items]
        for one, less, items in zip(radiographs, smaller, found, strict=True)
    ]
    return hits(READINGS[0], radiographs, back), hits(READINGS[0], radiographs, found)


def offset_along_x(
    radiographs: Sequence[Radiograph], found: Sequence[Sequence[Finding]], mirrored: Sequence[Sequence[Finding]]
) -> list[float]:
    """Return half the disagreement, in pixels along x, of each nodule's box and that on the mirrored radiograph."""
    offsets = []
    for radiograph, plain, turned in zip(radiographs, found, mirrored, strict=True):
        width = radiograph.shape[1]
        box = _best(radiograph, plain)
        back = [Finding((width - f.box[2], f.box[1], width - f.box[0], f.box[3]), f.score) for f in turned]
        other = _best(radiograph, back)
        if box is not None and other is not None:
            offsets.append(((box[0] + box[2]) - (other[0] + other[2])) / 4)
    return offsets


def offset_from_truth(radiographs: Sequence[Radiograph], found: Sequence[Sequence[Finding]]) -> tuple[float, float]:
    """Return the median offset ``(x, y)``, in pixels, of boxes from the centres of their nodules."""
    offsets = []
    for radiograph, items in zip(radiographs, found, strict=True):
        box, truth = _best(radiograph, items), radiograph.nodules[0].box
        if box is not None:
            offsets.append([(box[k] + box[k + 2] - truth[k] - truth[k + 2]) / 2 for k in (0, 1)])
    x, y = np.median(np.array(offsets), axis=0)
    return float(x), float(y)
