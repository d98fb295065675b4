"""Any radiograph file (PNG, JPEG, MHA, MHD, DICOM, JSRT's IMG) as one :class:`~synnodtest.Radiograph`.

How stored values become 0..1. By what the file can hold, never by its own minimum and maximum, so that two
files of one set stay comparable:

* 8-bit PNG and JPEG: divided by 255.
* 16-bit PNG and MHA of integers: divided by ``2**bits - 1`` with ``bits`` the smallest of 8, 10, 12, 14, 16 that
  holds the largest value (NODE21 stores 12 bits in 16), or ``bits`` of the manifest where that guess would be wrong.
* MHA of floats: as it is if within 0..1, else as integers.
* JSRT's raw IMG: 12 bits, inverted.
* DICOM: the output range of the VOI LUT or first window; without them the range of the stored bits after rescale.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.dicom import is_dicom, read_dicom
from synnodtest.backgrounds.jsrt import read_jsrt
from synnodtest.backgrounds.mha import read_mha
from synnodtest.backgrounds.raster import read_raster
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.radiograph import Radiograph

__all__ = ["MAX_PIXELS", "SUFFIXES", "read_mask", "read_radiograph"]

MAX_PIXELS = 8192 * 8192
MIN_SIDE_PX = 32
MAX_SIDE_MM = 1000.0
MIN_SIDE_MM = 20.0
SUFFIXES = (".png", ".jpg", ".jpeg", ".mha", ".mhd", ".dcm", ".dicom", ".img")

_DEPTHS = (8, 10, 12, 14, 16)


def read_radiograph(
    path: str | Path, *, spacing_mm: tuple[float, float] | None = None, bits: int | None = None
) -> Radiograph:
    """Read one radiograph.

    Args:
        path: A ``.png``, ``.jpg``, ``.mha``, ``.mhd``, DICOM or JSRT ``.img`` file.
        spacing_mm: Distance between pixels, ``(row, column)``; overrides the file's. PNG and JPEG need it.
        bits: How many bits the stored integers use, where it cannot be told from the largest value.

    Returns:
        Pixels float32, H x W, 0..1, air dark; no regions.

    Raises:
        BackgroundError: the file is missing, empty, truncated, coloured, three-dimensional, constant, too large,
            has NaN pixels or no spacing; the message names the file, the hint what to do.
    """
    path = Path(path)
    if not path.is_file():
        raise BackgroundError(f"{path}: no such file", hint="check the path, and the 'file' column of the manifest")
    pixels, found = _read_pixels(path, bits)
    spacing = spacing_mm or found
    if spacing is None:
        raise BackgroundError(
            f"{path}: the size of a pixel in mm is unknown",
            hint=f"write it into manifest.csv in {path.parent} or its parent, in a row with the columns file, "
            "mm_per_px_x, mm_per_px_y",
        )
    _check_pixels(path, pixels)
    _check_spacing(path, pixels.shape, spacing)
    return Radiograph(pixels=pixels, spacing_mm=(float(spacing[0]), float(spacing[1])), source=path.name)


def read_mask(path: str | Path, shape: tuple[int, int]) -> BoolArray:
    """Read a region mask: whatever exceeds half of its largest value is inside.

    Args:
        path: A ``.png``, ``.jpg`` or ``.mha`` file.
        shape: Height and width of the radiograph it belongs to.

    Raises:
        BackgroundError: the mask cannot be read or has another size than its radiograph.
    """
    path = Path(path)
    if not path.is_file():
        raise BackgroundError(f"{path}: no such mask file", hint="check the '<region>_mask' column of the manifest")
    if path.suffix.lower() in (".mha", ".mhd"):
        values = _flat(path, read_mha(path, max_values=MAX_PIXELS).array)
    else:
        values, _ = read_raster(path, MAX_PIXELS)
    if values.shape != shape:
        raise BackgroundError(
            f"{path}: {values.shape[1]} x {values.shape[0]} pixels, but its radiograph has {shape[1]} x {shape[0]}",
            hint="draw the mask on the radiograph's own pixel grid",
        )
    return np.asarray(values > values.max() / 2)


def _read_pixels(path: Path, bits: int | None) -> tuple[FloatArray, tuple[float, float] | None]:
    suffix = path.suffix.lower()
    if suffix in (".mha", ".mhd"):
        image = read_mha(path, max_values=MAX_PIXELS)
        spacing = image.spacing[-2:] if image.spacing else None
        return _by_bits(path, _flat(path, image.array), bits), (spacing[0], spacing[1]) if spacing else None
    if suffix == ".img":
        return read_jsrt(path)
    if suffix in (".dcm", ".dicom") or is_dicom(path):
        return read_dicom(path, MAX_PIXELS)
    values, depth = read_raster(path, MAX_PIXELS)
    return _by_bits(path, values, 8 if depth == 8 else bits), None


def _flat(path: Path, array: NDArray[Any]) -> NDArray[Any]:
    """Drop axes of length 1; refuse volumes and colour."""
    grey = array
    if grey.ndim == 3 and grey.shape[-1] in (3, 4) and grey.shape[0] > 4:
        if (grey[..., :1] != grey[..., 1:3]).any():
            raise BackgroundError(f"{path}: a colour picture, not a radiograph", hint="save it as greyscale")
        grey = grey[..., 0]
    while grey.ndim > 2 and 1 in (grey.shape[0], grey.shape[-1]):
        grey = grey[0] if grey.shape[0] == 1 else grey[..., 0]
    if grey.ndim != 2:
        raise BackgroundError(
            f"{path}: a volume of {' x '.join(str(n) for n in array.shape)}, not one radiograph",
            hint="give a single 2-D image per file",
        )
    return grey


def _by_bits(path: Path, values: NDArray[Any], bits: int | None) -> FloatArray:
    if values.dtype.kind == "f" and not np.isfinite(values).all():
        raise BackgroundError(f"{path}: NaN or infinite pixels", hint="repair them before use; none is guessed here")
    low, high = float(values.min()), float(values.max())
    if low < 0:
        raise BackgroundError(
            f"{path}: negative values (down to {low:g}) have no known display range",
            hint="export the radiograph with its window applied, as unsigned integers or as floats in 0..1",
        )
    if bits is None and values.dtype.kind == "f" and high <= 1.0:
        return np.ascontiguousarray(values, dtype=np.float32)
    depth = bits or next((d for d in _DEPTHS if high <= 2**d - 1), None)
    if depth is None or high > 2**depth - 1:
        raise BackgroundError(
            f"{path}: the largest value {high:g} exceeds {depth or 16} bits",
            hint="correct 'bits' in the manifest" if bits else "store the radiograph with at most 16 bits",
        )
    return (values / np.float64(2**depth - 1)).astype(np.float32)


def _check_pixels(path: Path, pixels: FloatArray) -> None:
    height, width = pixels.shape
    if min(height, width) < MIN_SIDE_PX:
        raise BackgroundError(f"{path}: {width} x {height} pixels are too few for a radiograph")
    if not np.isfinite(pixels).all():
        raise BackgroundError(f"{path}: NaN or infinite pixels", hint="repair them before use; none is guessed here")
    if float(pixels.min()) == float(pixels.max()):
        raise BackgroundError(
            f"{path}: all pixels have the same value: no picture", hint="export it again, or remove it from the set"
        )


def _check_spacing(path: Path, shape: tuple[int, ...], spacing_mm: tuple[float, float]) -> None:
    if not all(math.isfinite(value) and value > 0 for value in spacing_mm):
        raise BackgroundError(f"{path}: spacing {spacing_mm} mm per pixel is not a pair of positive numbers")
    for axis, pixels, spacing in zip(("height", "width"), shape, spacing_mm, strict=True):
        if not MIN_SIDE_MM <= pixels * spacing <= MAX_SIDE_MM:
            raise BackgroundError(
                f"{path}: {pixels} pixels of {spacing:g} mm make a {axis} of {pixels * spacing:.0f} mm: no chest",
                hint="the spacing is probably a default of the exporting program; write the true one into the "
                "manifest (columns mm_per_px_x, mm_per_px_y)",
            )
