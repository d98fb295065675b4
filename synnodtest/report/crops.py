"""The gallery's pictures: background, synthetic, difference and boxes of one scene, cut around its nodules and mimics.

Everything is cut from the same square, windowed by the same two grey values and written below ``evidence/``.
WebP for looking at; a lossless 16-bit PNG of the same cut stands beside it, so that no lossy picture is the only copy.
"""

from __future__ import annotations

import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFont
from PIL import WebPImagePlugin as _  # noqa: F401  named, else Pillow loads all its forty formats to find this one

from synnodtest.errors import RecordError
from synnodtest.files import write_atomic
from synnodtest.finding import Finding
from synnodtest.geometry import Box, FloatArray
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.record.model.judged import DEFAULT_POINT

THUMBNAIL_PX = 192
"""Side of a gallery picture, in pixels; set by hand: four stand side by side, and each is embedded
(``EMBEDDED_BYTES``)."""
CROP_PX = 512
"""Side of the larger picture of a failure, in pixels; set by hand: a cut of 60 mm then shows every pixel of a
radiograph."""
DIFFERENCE_RANGE = 0.15
"""Added brightness (of the full range 0..1) that is drawn white in the difference; as much taken away is black."""
CONTEXT_MM = 60.0
"""Least side of the cut."""
FRAME = 0.02
"""Below it a pixel lies beyond a film's collimation or edge, with no say in which greys are black and white."""
WITH_BOXES = ("boxes", "boxes_crop", "whole")
"""Roles that show findings, which hang on the operating point: their files name it where it is not the usual one."""
YELLOW, BLUE, HALO = (255, 221, 0), (86, 180, 233), (0, 0, 0)
"""Blue is for a second detector, which is dotted as well, so that colour is not alone."""
DASHED, DOTTED = 4.0, 1.5
"""Length of a dash, in widths of the line."""


def gallery_pictures(
    scene_id: str,
    background: Radiograph,
    synthetic: Radiograph,
    findings: Sequence[Finding],
    *,
    failing: bool = False,
    operating_point: float = 0.0,
) -> tuple[dict[str, str], dict[str, bytes]]:
    """Return the pictures of one scene.

    Args:
        scene_id: Key of the scene (hex); names the files.
        background: The untouched radiograph.
        synthetic: What the detector saw.
        findings: What it reported.
        failing: Also draw cuts of 512 px.
        operating_point: Findings below it are left out of the drawn boxes.

    Returns:
        Paths by role, and what the file at each path holds. Roles are ``background``, ``synthetic``, ``difference``,
        ``boxes`` and ``whole`` (192 px), the first four also as ``..._crop`` (512 px) for a failing scene, and
        ``background_png16`` and ``synthetic_png16``. Paths are relative to the run's folder.
    """
    if not scene_id or not all(c in "0123456789abcdef" for c in scene_id):
        raise RecordError(f"the scene id {scene_id!r} is not hexadecimal", hint="use Scene.key()")
    truths = synthetic.nodules
    drawn = [f for f in findings if f.score >= operating_point]
    planted = [t.box for t in (*truths, *synthetic.mimics)]
    cut = square_around(planted or [f.box for f in drawn[:1]], synthetic)
    before, after = cut.of(background.pixels), cut.of(synthetic.pixels)
    if background.shape != synthetic.shape:
        before = np.zeros_like(after)
    window = _window(after, before if before.any() else after)
    panels = {
        "background": _grey(before, window),
        "synthetic": _grey(after, window),
        "difference": _signed(after - before),
    }
    made: dict[str, bytes] = {}
    for side, suffix in ((THUMBNAIL_PX, ""), (CROP_PX, "_crop")) if failing else ((THUMBNAIL_PX, ""),):
        made |= {role + suffix: _webp(scaled(panel, side)) for role, panel in panels.items()}
        boxed = scaled(panels["synthetic"], side).convert("RGB")
        _draw(boxed, cut, truths, drawn)
        made["boxes" + suffix] = _webp(boxed)
    whole = scaled(_grey(synthetic.pixels, _window(synthetic.pixels)), THUMBNAIL_PX).convert("RGB")
    _draw(whole, Cut(0, 0, *synthetic.shape), truths, drawn)
    made |= {"whole": _webp(whole), "background_png16": _png(_grey16(before)), "synthetic_png16": _png(_grey16(after))}
    stem, at = f"evidence/{scene_id[:16]}", "" if operating_point == DEFAULT_POINT else f"-{operating_point:g}"
    names = {role: role.replace("_", "-") + at * (role in WITH_BOXES) for role in made}
    paths = {role: f"{stem}-{name}.{'png' if role.endswith('png16') else 'webp'}" for role, name in names.items()}
    return paths, {paths[role]: content for role, content in made.items()}


def write_whole_pictures(
    folder: Path,
    background: Radiograph,
    synthetic: Radiograph,
    findings: Sequence[Finding],
    others: Sequence[Finding] = (),
) -> dict[str, Path]:
    """Write whole radiographs in full resolution into ``folder``.

    Returns:
        Paths by role: ``background`` and ``synthetic`` (16-bit grey, 0..1 over the full range), ``difference``
        (mid-grey is no change, white :data:`DIFFERENCE_RANGE` added, or the largest change if that is more; left out
        where a perturbation changed the shape)
        and ``boxes`` (truth solid, findings dashed, ``others``, those of a second detector, blue and dotted).
    """
    boxed = _grey(synthetic.pixels, _window(synthetic.pixels)).convert("RGB")
    whole = Cut(0, 0, *synthetic.shape)
    _draw(boxed, whole, synthetic.nodules, findings)
    if others:
        _draw(boxed, whole, (), others, colour=BLUE, dash=DOTTED)
    pictures = {"background": _grey16(background.pixels), "synthetic": _grey16(synthetic.pixels)}
    if background.shape == synthetic.shape:
        pictures["difference"] = _signed(synthetic.pixels - background.pixels)
    pictures["boxes"] = boxed
    paths = {role: Path(folder) / f"{role}.png" for role in pictures}
    for role, picture in pictures.items():
        write_atomic(paths[role], _png(picture))
    return paths


@dataclass(frozen=True)
class Cut:
    """The part of a radiograph that a picture shows."""

    row: int
    column: int
    height: int
    width: int

    def of(self, pixels: FloatArray) -> FloatArray:
        """Return these pixels."""
        return pixels[self.row : self.row + self.height, self.column : self.column + self.width]


def square_around(boxes: Sequence[Box], radiograph: Radiograph) -> Cut:
    """Return a square (in mm) around the boxes with room about them, moved inside the radiograph."""
    height, width = radiograph.shape
    per_row, per_column = radiograph.spacing_mm
    if not boxes:
        return Cut(0, 0, height, width)
    x_min, y_min = min(b[0] for b in boxes), min(b[1] for b in boxes)
    x_max, y_max = max(b[2] for b in boxes), max(b[3] for b in boxes)
    extent = max((x_max - x_min) * per_column, (y_max - y_min) * per_row)
    side = max(CONTEXT_MM, 1.25 * extent, min(2.5 * extent, 120.0))
    rows, columns = min(height, round(side / per_row)), min(width, round(side / per_column))
    top = int(np.clip((y_min + y_max - rows) / 2, 0, height - rows))
    left = int(np.clip((x_min + x_max - columns) / 2, 0, width - columns))
    return Cut(top, left, max(rows, 1), max(columns, 1))


def _window(pixels: FloatArray, untouched: FloatArray | None = None) -> tuple[float, float]:
    """Return the greys shown black and white: those of the untouched pixels, widened to show the inside of a nodule."""
    reference = pixels if untouched is None else untouched
    lit = reference[reference > FRAME]
    low, high = (float(v) for v in np.percentile(lit if lit.size else reference, [0.5, 99.5]))
    return low, max(high, low + 0.02, float(np.percentile(pixels, 99.9)))


def _grey(pixels: FloatArray, window: tuple[float, float]) -> Image.Image:
    low, high = window
    return Image.fromarray((np.clip((pixels - low) / (high - low), 0, 1) * 255 + 0.5).astype(np.uint8))


def _grey16(pixels: FloatArray) -> Image.Image:
    return Image.fromarray((np.clip(pixels, 0, 1) * 65535 + 0.5).astype(np.uint16))


def _signed(difference: FloatArray) -> Image.Image:
    most = max(DIFFERENCE_RANGE, float(np.abs(difference).max(initial=0.0)))
    return Image.fromarray((np.clip(0.5 + difference / (2 * most), 0, 1) * 255 + 0.5).astype(np.uint8))


def scaled(
    image: Image.Image,
    side: int,
    larger: Image.Resampling = Image.Resampling.BICUBIC,
    smaller: Image.Resampling = Image.Resampling.LANCZOS,
) -> Image.Image:
    """Return a picture with this longer side, by the filter for those that become larger, or smaller."""
    factor = side / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, larger if factor > 1 else smaller)


def _draw(
    image: Image.Image,
    cut: Cut,
    truths: Sequence[Truth],
    findings: Sequence[Finding],
    *,
    colour: tuple[int, int, int] = YELLOW,
    dash: float = DASHED,
) -> None:
    """Draw truth solid and findings dashed, yellow on a dark halo; scores where there is room for them."""
    pen = ImageDraw.Draw(image)
    small = image.width <= THUMBNAIL_PX
    thick = 2 if small else 3
    scale = (image.width / cut.width, image.height / cut.height)

    def place(box: Box, room: float) -> tuple[float, float, float, float]:
        x0, x1 = ((edge - cut.column) * scale[0] for edge in (box[0], box[2]))
        y0, y1 = ((edge - cut.row) * scale[1] for edge in (box[1], box[3]))
        wide, high = max(room, 5 - (x1 - x0) / 2), max(room, 5 - (y1 - y0) / 2)
        return x0 - wide, y0 - high, x1 + wide, y1 + high

    boxes = [(place(t.box, thick), 0) for t in truths]
    boxes += [(place(f.box, 3 * thick), round(dash * thick)) for f in findings]
    boxes = [(box, length) for box, length in boxes if _touches(box, image.size, thick + 2)]
    for ink, extra in ((HALO, 2), (colour, 0)):
        for box, length in boxes:
            _outline(pen, box, ink, thick + extra, length)
    if not small:
        font = ImageFont.load_default(size=22)
        for finding in findings:
            x, y = place(finding.box, 3 * thick)[:2]
            if 0 <= x < image.width - 20 and -20 <= y < image.height:
                pen.text((x, max(y - 28, 2)), f"{finding.score:.2f}", colour, font, stroke_width=3, stroke_fill=HALO)


def _touches(box: tuple[float, float, float, float], size: tuple[int, int], pen: int) -> bool:
    """Return whether any of a box as drawn with a pen lies on a picture of this size."""
    x0, y0, x1, y1 = box
    return x1 + pen >= 0 and y1 + pen >= 0 and x0 - pen <= size[0] and y0 - pen <= size[1]


def _outline(pen: ImageDraw.ImageDraw, box: Box, colour: tuple[int, int, int], width: int, dash: int) -> None:
    x0, y0, x1, y1 = box
    for start, end in (((x0, y0), (x1, y0)), ((x1, y0), (x1, y1)), ((x1, y1), (x0, y1)), ((x0, y1), (x0, y0))):
        for piece in _dashes(start, end, dash):
            pen.line(piece, fill=colour, width=width)


def _dashes(start: tuple[float, float], end: tuple[float, float], dash: int) -> list[Any]:
    if not dash:
        return [[start, end]]
    wide, high = end[0] - start[0], end[1] - start[1]
    count = min(max(1, round(math.hypot(wide, high) / (2 * dash))), 200)
    step = 1 / (2 * count)
    at = [(start[0] + i * step * wide, start[1] + i * step * high) for i in range(2 * count)]
    return [[at[2 * i], at[2 * i + 1]] for i in range(count)]


def _webp(image: Image.Image) -> bytes:
    # method 4, the codec's own choice, takes 2.5 times as long for 5% less: a quarter of the time of some runs
    return encoded(image, "webp", quality=82, method=2)


def _png(image: Image.Image) -> bytes:
    return encoded(image, "png", compress_level=6)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Return a picture as a file of a kind."""
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()
