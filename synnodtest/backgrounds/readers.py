"""Any radiograph file (PNG, JPEG, MHA, MHD, DICOM, JSRT's IMG) as one :class:`~synnodtest.Radiograph`.

How stored values become 0..1. By what the file can hold, never by its own minimum and maximum, so that two
files of one set stay comparable:

* 8-bit PNG and JPEG: divided by 255.
* 16-bit PNG and MHA of integers: divided by ``2**bits - 1`` with ``bits`` the smallest of 8, 10, 12, 14, 16 that
  holds the largest value (NODE21 stores 12 bits in 16), or ``bits`` of the manifest where that guess would be wrong.
* MHA of floats: as it is within 0..1, a small overshoot clipped; other floats need ``bits``.
* JSRT's raw IMG: 12 bits, inverted.
* DICOM: the output range of the VOI LUT or first window; without them the range of the stored bits after rescale.

Whatever was corrected stands in the radiograph's notes. After reading, every file passes one check of plausibility.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.backgrounds.dicom import is_dicom, read_dicom
from synnodtest.backgrounds.file_formats import format_of
from synnodtest.backgrounds.jsrt import read_jsrt
from synnodtest.backgrounds.mha import flat, read_metaimage, read_mha
from synnodtest.backgrounds.plausible import check_chest, check_picture, check_spacing
from synnodtest.backgrounds.png_jpeg import read_raster
from synnodtest.backgrounds.reading import MAX_PIXELS, Given, Stored, by_bits, least_depth
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.radiograph import Radiograph

TURNED_NOTE = "turned by"
MOST_LABELS = 16
"""Regions that one map may hold; the grey values of a soft edge are larger numbers, or more of them."""
WIDEST_RIM_PX = 6
"""A soft edge has a rim of each of its grey values, at most so wide; a label has an area."""


def read_radiograph(
    path: str | Path,
    *,
    spacing_mm: tuple[float, float] | None = None,
    bits: int | None = None,
    polarity: str = "",
    rotate_deg: int | None = None,
    accept: frozenset[str] = frozenset(),
) -> Radiograph:
    """Read one radiograph.

    Args:
        path: A ``.png``, ``.jpg``, ``.mha``, ``.mhd``, DICOM or JSRT ``.img`` file.
        spacing_mm: Distance between pixels, ``(row, column)``; overrides the file's. PNG and JPEG need it.
        bits: How many bits the stored integers use, where it cannot be told from the largest value.
        polarity: ``inverted`` if air is bright in the file; ``normal`` if someone looked at it.
        rotate_deg: 0, 90, 180 or 270: degrees clockwise by which the stored picture must be turned.
        accept: Checks that someone has looked at and waives, such as ``size`` or ``view``.

    Returns:
        Pixels float32, H x W, 0..1, air dark; no regions. ``notes`` say what was corrected.

    Raises:
        BackgroundError: the file is missing, empty, truncated, coloured, three-dimensional, constant, too large,
            has NaN pixels or no spacing, or is implausible as a frontal chest radiograph; the message names the file,
            the hint what to do.
    """
    return read_as(Path(path), Given(spacing_mm, bits, polarity, rotate_deg, accept))


def read_as(path: Path, given: Given) -> Radiograph:
    """Read one radiograph as a manifest describes it.

    Raises:
        BackgroundError: as :func:`read_radiograph`.
    """
    radiograph = read_given(path, given)
    return radiograph.with_notes(check_chest(path, radiograph.pixels, radiograph.spacing_mm, given))


def read_given(path: Path, given: Given) -> Radiograph:
    """Read one radiograph as :func:`read_radiograph` does, but for the check that looks for the chest in it.

    Raises:
        BackgroundError: as there.
    """
    if not path.is_file():
        what = "a folder, where one radiograph is read" if path.is_dir() else "no such file"
        raise BackgroundError(f"{path}: {what}", hint="check the path, and the 'file' column of the manifest")
    stored = _shown(path, given)
    spacing = stored.spacing_mm
    if spacing is None:
        raise BackgroundError(
            f"{path}: the size of a pixel in mm is unknown",
            hint=f"write it into manifest.csv in {path.parent} or its parent, in a row with the columns file, "
            "mm_per_px_x, mm_per_px_y",
        )
    check_picture(path, stored.pixels)
    notes = check_spacing(path, stored.pixels.shape, spacing, given)
    all_notes = (*stored.notes, *notes)
    spacing = float(spacing[0]), float(spacing[1])
    return Radiograph(stored.pixels, spacing, source=path.name, notes=all_notes, instance=stored.instance)


def read_pixels(path: Path, given: Given) -> FloatArray:
    """Return the pixels of :func:`read_given` alone, without asking for their size or whether they are a chest.

    Raises:
        BackgroundError: they cannot be read.
    """
    return _shown(path, given).pixels


def read_mask(path: str | Path, shape: tuple[int, int], rotate_deg: int | None = None) -> BoolArray:
    """Read a region mask: whatever exceeds half of its largest value is inside.

    Args:
        path: A ``.png``, ``.jpg`` or ``.mha`` file.
        shape: Height and width of the radiograph it belongs to.
        rotate_deg: The turn of that radiograph, as the manifest gives it: its mask is turned with it.

    Raises:
        BackgroundError: the mask cannot be read, has another size than its radiograph, or is a map of several labels.
    """
    path = Path(path)
    if not path.is_file():
        raise BackgroundError(f"{path}: no such mask file", hint="check the '<region>_mask' column of the manifest")
    if path.suffix.lower() in (".mha", ".mhd"):
        values = flat(path, read_mha(path, max_values=MAX_PIXELS).array)
    else:
        values = read_raster(path, by_exif=rotate_deg is None).values
    values = np.rot90(values, -(rotate_deg or 0) // 90)
    if values.shape != shape:
        raise BackgroundError(
            f"{path}: {values.shape[1]} x {values.shape[0]} pixels, but its radiograph has {shape[1]} x {shape[0]}",
            hint="draw the mask on the radiograph's own pixel grid",
        )
    if path.suffix.lower() not in (".jpg", ".jpeg"):
        _refuse_labels(path, values)
    return np.asarray(values > values.max() / 2)


def _refuse_labels(path: Path, values: NDArray[Any]) -> None:
    """Refuse a map of labels, of which half of the largest value would take some and drop the others.

    Raises:
        BackgroundError: several values above 0 that no soft edge makes: small numbers, or areas of their own.
    """
    labels = np.unique(values[values > 0])
    if len(labels) < 2 or len(labels) > MOST_LABELS:
        return
    small = labels[-1] <= MOST_LABELS and np.array_equal(labels, np.rint(labels))
    inner = (scipy.ndimage.binary_erosion(values == label, iterations=WIDEST_RIM_PX // 2) for label in labels[:-1])
    if small or any(part.any() for part in inner):
        raise BackgroundError(
            f"{path}: holds the values {', '.join(f'{label:g}' for label in labels[:5])} as a map of labels does, "
            "and a mask is of one region",
            hint="write one mask for each region, such as <stem>.left_lung.png and <stem>.right_lung.png",
        )


def _read_stored(path: Path, given: Given) -> Stored:
    """Return the file as its format says; a spacing that the manifest gives has replaced the file's."""
    suffix, further = path.suffix.lower(), format_of(path)
    if further is not None:
        stored = further.stored(path)
    elif suffix in (".mha", ".mhd"):
        stored = read_metaimage(path, given)
    elif suffix in (".dcm", ".dicom") or is_dicom(path):
        stored = read_dicom(path, given)
    elif suffix == ".img":
        stored = read_jsrt(path)
    else:
        stored = _picture(path, given)
    return replace(stored, spacing_mm=given.spacing_mm or stored.spacing_mm)


def _picture(path: Path, given: Given) -> Stored:
    raster = read_raster(path, by_exif=given.rotate_deg is None)
    if raster.depth == 8 and given.bits not in (None, 8):
        raise BackgroundError(
            f"{path}: an 8-bit file, and 'bits' says {given.bits}", hint="correct 'bits' in the manifest"
        )
    if raster.transposed and given.spacing_mm and given.spacing_mm[0] != given.spacing_mm[1]:
        raise BackgroundError(
            f"{path}: turned by its {raster.notes[0]}, so that it is not clear which of mm_per_px_x and y is which",
            hint="write 'rotate_deg' into the manifest: then both are those of the picture as stored",
        )
    bits = given.bits or (8 if raster.depth == 8 else None)
    stored = by_bits(path, raster.values, Given(bits=bits))
    notes, depth = [*raster.notes, *stored.notes], least_depth(float(raster.values.max()))
    if given.bits and depth and depth < given.bits:
        notes.append(f"bits {given.bits} of the manifest, where {depth} hold every value")
    return Stored(stored.pixels, notes=tuple(notes))


def _shown(path: Path, given: Given) -> Stored:
    """Read a file, turned and inverted as the manifest says."""
    stored = _read_stored(path, given)
    pixels, spacing, notes = stored.pixels, stored.spacing_mm, list(stored.notes)
    if given.rotate_deg:
        quarter = given.rotate_deg // 90
        pixels = np.ascontiguousarray(np.rot90(pixels, -quarter))
        spacing = spacing[::-1] if spacing and quarter % 2 else spacing
        notes.append(f"{TURNED_NOTE} {given.rotate_deg} degrees, as the manifest says")
    if given.polarity == "inverted":
        pixels = (np.float32(1) - pixels).astype(np.float32)
        notes.append("inverted, as the manifest says")
    instance = "" if given.rotate_deg else stored.instance
    return Stored(pixels, spacing, tuple(notes), instance)
