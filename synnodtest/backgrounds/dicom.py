"""DICOM radiographs: MONOCHROME1, rescale, VOI LUT or window, spacing. Nothing is reduced to 8 bits."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.dicom_header import DicomFacts, facts_of, noted_of
from synnodtest.backgrounds.dicom_range import stored_numbers, to_unit_range
from synnodtest.backgrounds.dicom_spacing import spacing_of
from synnodtest.backgrounds.reading import FILE_ALONE, Given, Stored
from synnodtest.errors import BackgroundError, SynnodError, require
from synnodtest.identity import instance_key


def is_dicom(path: Path) -> bool:
    """Return whether the file carries the DICOM magic after its 128-byte preamble."""
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


def read_dicom(path: Path, max_pixels: int, given: Given = FILE_ALONE) -> Stored:
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
        _refuse_foreign(path, data, max_pixels, given)
        notes = noted_of(data)
        stored, bits, told = stored_numbers(path, data, given.bits)
        notes += told
        unit, told = to_unit_range(path, data, stored, bits, by_bits=given.bits is not None)
        notes += told
        if data.PhotometricInterpretation == "MONOCHROME1":
            unit = 1.0 - unit
            notes.append("MONOCHROME1: inverted")
        notes += _contradiction(data)
        padding = _padding(data, stored)
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


def _refuse_foreign(path: Path, data: Any, max_pixels: int, given: Given) -> None:
    rows, columns = data.get("Rows"), data.get("Columns")
    if "PixelData" not in data or not rows or not columns:
        raise BackgroundError(f"{path}: a DICOM file without an image", hint="remove it from the folder")
    if objection := facts_of(data).foreign(given.accept):
        raise BackgroundError(
            f"{path}: {objection.says}: no frontal chest radiograph for presentation",
            hint=f"remove it, or write '{objection.check}' into the manifest's column 'accept' if it is one",
        )
    frames = int(data.get("NumberOfFrames", 1) or 1)
    if frames > 1:
        raise BackgroundError(
            f"{path}: {frames} frames: a series or volume, not one radiograph", hint="export one frame per file"
        )
    if int(rows) * int(columns) > max_pixels:
        raise BackgroundError(f"{path}: {columns} x {rows} pixels exceed the {max_pixels} that are read")
    kind = str(data.get("PhotometricInterpretation", ""))
    if kind not in ("MONOCHROME1", "MONOCHROME2"):
        raise BackgroundError(
            f"{path}: photometric interpretation {kind or '(none)'!r}: radiographs are MONOCHROME1 or 2",
            hint="export the original grey image, not a screenshot",
        )


def _contradiction(data: Any) -> list[str]:
    """Return a note where PresentationLUTShape says the opposite of the photometric interpretation."""
    shape = str(data.get("PresentationLUTShape") or "").strip().upper()
    usual = {"MONOCHROME1": "INVERSE", "MONOCHROME2": "IDENTITY"}[data.PhotometricInterpretation]
    if not shape or shape == usual:
        return []
    return [f"PresentationLUTShape {shape} contradicts {data.PhotometricInterpretation}, which is obeyed"]


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
