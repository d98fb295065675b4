"""Words that all readers share: a manifest's on a file, and a file's own; stored numbers -> 0..1.

By what the format can hold; never by a picture's own minimum and maximum.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import BackgroundError
from synnodtest.geometry import FloatArray

ACCEPTABLE = ("size", "brightness", "orientation", "polarity", "modality", "body_part", "view", "intent")
"""Checks that the manifest's column ``accept`` may name: someone has looked and waives it for one file."""


MAX_PIXELS = 8192 * 8192
"""Pixels that a header may claim before memory is taken for them: 16 times those of a JSRT film, 256 MiB in float32."""


@dataclass(frozen=True)
class Given:
    """The manifest's word on one radiograph; it wins over the file.

    Args:
        spacing_mm: ``(row, column)`` of the pixels as stored.
        bits: Bits that the stored integers use. Of a DICOM file it also says that its window is not to be used.
        polarity: ``inverted`` if air is bright in the file as read otherwise, ``normal`` if someone looked at it.
        rotate_deg: Degrees clockwise by which the stored picture must be turned to stand upright.
        accept: Names of :data:`ACCEPTABLE`.
    """

    spacing_mm: tuple[float, float] | None = None
    bits: int | None = None
    polarity: str = ""
    rotate_deg: int | None = None
    accept: frozenset[str] = frozenset()


FILE_ALONE = Given()
"""No manifest: the file speaks for itself."""


@dataclass(frozen=True, eq=False)
class Stored:
    """A file as its format says it is to be shown.

    Args:
        pixels: float32, H x W, 0..1, air dark.
        spacing_mm: ``(row, column)``, or None if the file gives none.
        notes: What was corrected or applied, in plain words, for the record.
        instance: Key of the DICOM instance, from its SOP Instance UID.
    """

    pixels: FloatArray
    spacing_mm: tuple[float, float] | None = None
    notes: tuple[str, ...] = ()
    instance: str = ""


DEPTHS = (8, 10, 12, 14, 16)
"""Bits per value that detectors and file formats use; PNG and MHA do not say which, and 16 bits cannot hold more."""
BY_LARGEST = "bits by its largest value"
OF_STORED = "of BitsStored"
"""Suffix where the file says how many bits its numbers may have."""
OVERSHOOT = 0.1
"""Floats may pass either end of their range by this share of it and are clipped: burnt-in markers and splines
overshoot by a few percent."""


def least_depth(largest: float) -> int | None:
    """Return the smallest of :data:`DEPTHS` whose range holds ``largest``; None above 16 bits."""
    return next((depth for depth in DEPTHS if largest <= 2**depth - 1), None)


def by_bits(path: Path, values: NDArray[Any], given: Given) -> Stored:
    """Return stored numbers as 0..1.

    Integers are divided by the range of the smallest depth that holds them, which is noted, or of ``given.bits``.
    Floats of 0..1 stay as they are; others need ``given.bits``. A small overshoot of floats is clipped and noted.

    Raises:
        BackgroundError: negative, not finite, above 16 bits, or floats whose range cannot be told; names the file.
    """
    kind = values.dtype.kind
    if kind not in "iuf":
        raise BackgroundError(f"{path}: pixels of type {values.dtype} are no grey values")
    if kind == "f":
        return _floats(path, values, given.bits)
    low, high = float(values.min()), float(values.max())
    if low < 0:
        raise BackgroundError(
            f"{path}: negative values (down to {low:g}) have no known display range",
            hint="export the radiograph with its window applied, as unsigned integers or as floats in 0..1",
        )
    depth = given.bits or least_depth(high)
    if depth is None or high > 2**depth - 1:
        raise BackgroundError(
            f"{path}: the largest value {high:g} exceeds {depth or 16} bits",
            hint="correct 'bits' in the manifest, or cut the values of a burnt-in label off at the white of the rest"
            if given.bits
            else "store the radiograph with at most 16 bits",
        )
    notes: tuple[str, ...] = (f"{depth} {BY_LARGEST}",) if not given.bits and values.dtype.itemsize > 1 else ()
    if depth == DEPTHS[0] and high < 2**depth / 2:
        notes += (f"nothing is brighter than half of white, as where it was scaled to another range ({high:g} of 255)",)
    return Stored((values / np.float64(2**depth - 1)).astype(np.float32), notes=notes)


def _floats(path: Path, values: NDArray[Any], bits: int | None) -> Stored:
    if not np.isfinite(values).all():
        raise BackgroundError(f"{path}: NaN or infinite pixels", hint="repair them before use; none is guessed here")
    shares = values / np.float64(2**bits - 1) if bits else values
    low, high = float(shares.min()), float(shares.max())
    if not -OVERSHOOT <= low <= high <= 1 + OVERSHOOT:
        largest = f"{float(values.min()):g} to {float(values.max()):g}"
        raise BackgroundError(
            f"{path}: floats from {largest} are not in 0..1, so that their range is not known",
            hint="write 'bits' into the manifest (8 if white is 255, 12 if it is 4095), or store them as 0..1",
        )
    if low >= 0 and high <= 1:
        return Stored(np.ascontiguousarray(shares, dtype=np.float32))
    outside = float(np.mean((shares < 0) | (shares > 1)))
    note = f"floats beyond 0..1 (from {low:.4g} to {high:.4g}, {outside:.2%} of the pixels) were clipped"
    return Stored(np.clip(shares, 0, 1).astype(np.float32), notes=(note,))
