"""DICOM radiographs: MONOCHROME1, rescale, VOI LUT or window. Nothing is reduced to 8 bits.

Several tags may give the size of a pixel: which of them counts, and when none can be trusted, is told here.
"""

from __future__ import annotations

import contextlib
import math
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.dicom_header import DicomFacts, facts_of, noted_of
from synnodtest.backgrounds.dicom_range import stored_numbers, to_unit_range
from synnodtest.backgrounds.reading import FILE_ALONE, MAX_PIXELS, Given, Stored
from synnodtest.errors import BackgroundError, SynnodError, require
from synnodtest.identity import instance_key

_TRUNCATED = "the file is probably truncated; copy it again from its source"


def is_dicom(path: Path) -> bool:
    """Return whether the file carries the DICOM magic after its 128-byte preamble; no pipe is waited for."""
    if not os.path.isfile(path):
        return False
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_dicom_facts(path: Path) -> DicomFacts:
    """Return patient, view, sex, age and objections from the header, without touching the pixels.

    Raises:
        BackgroundError: the file is no DICOM file.
    """
    with _reading(path):
        return facts_of(_open(path, stop_before_pixels=True))


def read_dicom(path: Path, given: Given = FILE_ALONE) -> Stored:
    """Return the pixels as displayed (0..1, air dark) and the spacing ``(row, column)`` in mm, if given.

    The range 0..1 is that of the VOI LUT or of the first window; without either, that of the stored bits
    after the modality rescale. Padding is black.

    Raises:
        BackgroundError: not a single-frame grey radiograph of a chest from the front, or damaged; names the file and
            the remedy.
        SynnodError: pydicom is not installed.
    """
    with _reading(path):
        data = _open(path)
        _refuse_foreign(path, data, given)
        notes = noted_of(data)
        stored, bits, told = stored_numbers(path, data, given.bits)
        notes += told
        padding = _padding(data, stored)
        unit, told = to_unit_range(path, data, stored, bits, by_bits=given.bits is not None, padding=padding)
        notes += told
        if data.PhotometricInterpretation == "MONOCHROME1":
            unit = 1.0 - unit
            notes.append("MONOCHROME1: inverted")
        notes += [*_contradiction(data), *_shutter(data)]
        if padding.any():
            unit[padding] = 0.0
            notes.append(f"padding made black ({padding.mean():.1%} of the pixels)")
        spacing, told = (None, []) if given.spacing_mm else spacing_of(path, data)
        instance = instance_key(str(data.get("SOPInstanceUID", "")))
        return Stored(unit.astype(np.float32), spacing, (*notes, *told), instance)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turn whatever pydicom raises on damaged bytes (header values are parsed when used) into one error."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    except SynnodError:
        raise
    except Exception as error:
        raise BackgroundError(
            f"{path}: damaged DICOM file: {' '.join(str(error).split())}", hint="copy the file again from its source"
        ) from error


def _open(path: Path, *, stop_before_pixels: bool = False) -> Any:
    require("pydicom", "dicom", f"reading {path}")
    import pydicom
    from pydicom.errors import InvalidDicomError

    try:
        return pydicom.dcmread(path, stop_before_pixels=stop_before_pixels)
    except InvalidDicomError as error:
        raise BackgroundError(
            f"{path}: not a DICOM file: the DICM mark is missing", hint="export it again, or rename it if it is a PNG"
        ) from error


def _refuse_foreign(path: Path, data: Any, given: Given) -> None:
    rows, columns = data.get("Rows"), data.get("Columns")
    if not rows or not columns:  # of a compressed file that ends early pydicom gives nothing at all
        hint = "remove it from the folder" if len(data) else _TRUNCATED
        raise BackgroundError(f"{path}: a DICOM file without an image", hint=hint)
    if "PixelData" not in data:
        raise BackgroundError(f"{path}: {columns} x {rows} pixels by its header, and none are there", hint=_TRUNCATED)
    frames = int(data.get("NumberOfFrames", 1) or 1)
    if frames > 1:
        raise BackgroundError(
            f"{path}: {frames} frames: a series or volume, not one radiograph", hint="export one frame per file"
        )
    if int(rows) * int(columns) > MAX_PIXELS:
        raise BackgroundError(f"{path}: {columns} x {rows} pixels exceed the {MAX_PIXELS} that are read")
    kind = str(data.get("PhotometricInterpretation", ""))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise BackgroundError(
            f"{path}: photometric interpretation {kind or '(none)'!r}: radiographs are MONOCHROME1 or 2",
            hint="export the original grey image, not a screenshot",
        )
    if objection := facts_of(data).foreign(given.accept):
        raise BackgroundError(
            f"{path}: {objection.says}: no frontal chest radiograph for presentation",
            hint=f"remove it, or write '{objection.check}' into the manifest's column 'accept' if it is one",
        )


def _contradiction(data: Any) -> list[str]:
    """Return a note where PresentationLUTShape says the opposite of the photometric interpretation."""
    shape = str(data.get("PresentationLUTShape") or "").strip().upper()
    usual = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}[data.PhotometricInterpretation]
    if not shape or shape == usual:
        return []
    return [f"PresentationLUTShape {shape} contradicts {data.PhotometricInterpretation}, which is obeyed"]


def _shutter(data: Any) -> list[str]:
    """Return a note where viewers blacken what lies outside of a shape, and detectors are given it."""
    shape = str(data.get("ShutterShape") or "").strip()
    return [f"display shutter is not applied ({shape})"] if shape else []


def _padding(data: Any, stored: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return where a picture is padding; programs write signed values of it as unsigned ones (63488 for -2048)."""
    value = data.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=np.bool_)
    limit = data.get("PixelPaddingRangeLimit")
    ends = (value, limit if isinstance(limit, int) else value)
    if data.get("PixelRepresentation"):
        words = 1 << int(data.BitsAllocated)
        ends = (ends[0] - words * (2 * ends[0] >= words), ends[1] - words * (2 * ends[1] >= words))
    return np.asarray((stored >= min(ends)) & (stored <= max(ends)))


CALIBRATED = ("GEOMETRY", "FIDUCIAL")
"""Calibration types by which PixelSpacing is measured in the patient (DICOM PS3.3 10.7)."""
SAME = 0.01
"""Spacings that differ by less than this share count as equal: they were rounded."""

_Pair = tuple[float, float]


def spacing_of(path: Path, data: Any) -> tuple[_Pair | None, list[str]]:
    """Return ``(row, column)`` in mm, or None if no tag gives it, and notes for the record.

    Raises:
        BackgroundError: a tag holds no pair of positive numbers, or two contradict each other.
    """
    imager, pixel = _pair(path, data, "ImagerPixelSpacing"), _pair(path, data, "PixelSpacing")
    if imager is None and pixel is None:
        scanned = _pair(path, data, "NominalScannedPixelSpacing")
        return scanned, ["spacing from NominalScannedPixelSpacing"] if scanned else []
    if imager is None or pixel is None:
        return pixel or imager, [*_magnified(data, imager), *_aspect(data, pixel or imager)]
    if _agree(imager, pixel, 1.0):
        return pixel, [*_magnified(data, imager), *_aspect(data, pixel)]
    reason = _why_pixel_spacing(data, imager, pixel)
    note = f"PixelSpacing {_shown(pixel)} and ImagerPixelSpacing {_shown(imager)} differ"
    if reason:
        return pixel, [f"{note}: PixelSpacing counts, {reason}"]
    raise BackgroundError(
        f"{path}: {note}, and nothing says which is that of these pixels",
        hint="write the true spacing into the manifest (columns mm_per_px_x, mm_per_px_y)",
    )


def _magnified(data: Any, imager: _Pair | None) -> list[str]:
    """Return a note where lengths are those on the detector and the header says how much larger than in the patient."""
    factor = float(data.get("EstimatedRadiographicMagnificationFactor") or 1)
    if imager is None or abs(factor - 1) <= SAME:
        return []
    return [f"spacing is that of the detector: a magnification is not applied ({factor:g})"]


def _aspect(data: Any, spacing: _Pair | None) -> list[str]:
    """Return a note where PixelAspectRatio (vertical, horizontal) is not that of the spacing."""
    ratio = data.get("PixelAspectRatio")
    if spacing is None or ratio is None or isinstance(ratio, (str, int)) or len(ratio) != 2:
        return []
    vertical, horizontal = (float(one) for one in ratio)
    if math.isclose(vertical * spacing[1], horizontal * spacing[0], rel_tol=SAME):
        return []
    return [f"PixelAspectRatio contradicts the spacing, which is obeyed ({vertical:g}:{horizontal:g})"]


def _why_pixel_spacing(data: Any, imager: _Pair, pixel: _Pair) -> str:
    kind = str(data.get("PixelSpacingCalibrationType") or "").strip().upper()
    if kind in CALIBRATED:
        return f"calibrated by {kind}"
    if kind:
        return ""
    factor = data.get("EstimatedRadiographicMagnificationFactor")
    if factor and _agree(imager, pixel, float(factor)):
        return f"corrected for a magnification of {float(factor):g}"
    image_type = data.get("ImageType")
    first = str(image_type[0] if image_type and not isinstance(image_type, str) else image_type or "").upper()
    return "since the image is DERIVED" if first == "DERIVED" else ""


def _agree(imager: _Pair, pixel: _Pair, factor: float) -> bool:
    return all(math.isclose(one, other * factor, rel_tol=SAME) for one, other in zip(imager, pixel, strict=True))


def _pair(path: Path, data: Any, tag: str) -> _Pair | None:
    value = data.get(tag)
    if value is None or value == "" or (not isinstance(value, (str, int, float)) and len(value) == 0):
        return None
    try:
        row, column = (float(one) for one in value)
    except (TypeError, ValueError):
        row = column = math.nan
    if not all(math.isfinite(one) and one > 0 for one in (row, column)):
        raise BackgroundError(
            f"{path}: {tag} {value!r} is not a pair of positive numbers in mm",
            hint="write the true spacing into the manifest (columns mm_per_px_x, mm_per_px_y)",
        )
    return row, column


def _shown(pair: _Pair) -> str:
    return f"{pair[0]:g} x {pair[1]:g} mm"
