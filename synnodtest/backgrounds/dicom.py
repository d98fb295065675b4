"""DICOM radiographs: MONOCHROME1, rescale, VOI LUT or window, spacing. Nothing is reduced to 8 bits."""

from __future__ import annotations

import contextlib
import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import BackgroundError, SynnodError, missing_extra

__all__ = ["DicomFacts", "is_dicom", "read_dicom", "read_dicom_facts"]

_SLICES = ("CT", "MR", "PT", "NM", "US")
_LATERAL = ("LL", "RL", "LLD", "RLD", "LATERAL", "LAT")
_SPACING_TAGS = ("ImagerPixelSpacing", "PixelSpacing", "NominalScannedPixelSpacing")


@dataclass(frozen=True)
class DicomFacts:
    """What a set needs of a header: the patient (to be pseudonymised by the caller), view, sex and age in years.

    ``foreign`` says why the file is no frontal radiograph (a report, a CT slice, a lateral view); empty if it is one.
    """

    patient: str = ""
    view: str = ""
    sex: str = ""
    age: str = ""
    foreign: str = ""


def is_dicom(path: Path) -> bool:
    """Return whether the file carries the DICOM magic after its 128-byte preamble."""
    try:
        with path.open("rb") as file:
            return file.read(132)[128:] == b"DICM"
    except OSError:
        return False


def read_dicom_facts(path: Path) -> DicomFacts:
    """Return patient, view, sex and age from the header, without touching the pixels.

    Raises:
        BackgroundError: the file is no DICOM file.
    """
    with _reading(path):
        return _facts(_open(path, stop_before_pixels=True))


def _facts(data: Any) -> DicomFacts:
    age = str(data.get("PatientAge", "") or "")
    years = str(int(age[:3])) if age.endswith("Y") and age[:3].isdigit() else ""
    return DicomFacts(
        patient=str(data.get("PatientID", "") or ""),
        view=str(data.get("ViewPosition", "") or ""),
        sex=str(data.get("PatientSex", "") or ""),
        age=years,
        foreign=_foreign(data),
    )


def _foreign(data: Any) -> str:
    modality, view = str(data.get("Modality", "")), str(data.get("ViewPosition", "") or "").upper()
    if not data.get("Rows") or not data.get("Columns"):
        return f"no image (modality {modality})"
    if modality in _SLICES:
        return f"modality {modality}"
    return f"view {view}" if view in _LATERAL else ""


def read_dicom(path: Path, max_pixels: int) -> tuple[NDArray[np.float32], tuple[float, float] | None]:
    """Return the pixels as displayed (0..1, air dark) and the spacing ``(row, column)`` in mm, if given.

    The range 0..1 is that of the VOI LUT or of the first window; without either, that of the stored bits
    after the modality rescale. Padding is black.

    Raises:
        BackgroundError: not a single-frame grey radiograph, or damaged; names the file and the remedy.
        SynnodError: pydicom is not installed.
    """
    with _reading(path):
        data = _open(path)
        _refuse_foreign(path, data, max_pixels)
        stored = _pixel_array(path, data)
        shown = _to_unit_range(data, stored)
        if data.PhotometricInterpretation == "MONOCHROME1":
            shown = 1.0 - shown
        shown[_padding(data, stored)] = 0.0
        return shown.astype(np.float32), _spacing(path, data)


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
    try:
        import pydicom
        from pydicom.errors import InvalidDicomError
    except ImportError as error:
        raise missing_extra("pydicom", "dicom", f"reading {path}") from error
    try:
        return pydicom.dcmread(path, stop_before_pixels=stop_before_pixels)
    except InvalidDicomError as error:
        raise BackgroundError(
            f"{path}: not a DICOM file: the DICM mark is missing", hint="export it again, or rename it if it is a PNG"
        ) from error


def _refuse_foreign(path: Path, data: Any, max_pixels: int) -> None:
    modality = str(data.get("Modality", ""))
    if modality in _SLICES:
        raise BackgroundError(f"{path}: modality {modality}, not a radiograph", hint="keep only CR and DX files here")
    rows, columns = data.get("Rows"), data.get("Columns")
    if "PixelData" not in data or not rows or not columns:
        raise BackgroundError(f"{path}: a DICOM file without an image", hint="remove it from the folder")
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


def _pixel_array(path: Path, data: Any) -> NDArray[Any]:
    try:
        stored = np.asarray(data.pixel_array)
    except Exception as error:  # decoders raise many types
        syntax = getattr(getattr(data, "file_meta", None), "TransferSyntaxUID", None)
        if syntax is not None and getattr(syntax, "is_compressed", False):
            hint = f"its transfer syntax is {syntax.name}: pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg"
        else:
            hint = "the file is probably truncated; copy it again from its source"
        raise BackgroundError(
            f"{path}: its pixels cannot be decoded: {' '.join(str(error).split())}", hint=hint
        ) from error
    if stored.ndim != 2:
        raise BackgroundError(f"{path}: pixels of shape {stored.shape}, not one grey image")
    return stored


def _to_unit_range(data: Any, stored: NDArray[Any]) -> NDArray[np.float64]:
    """Apply modality and VOI transformation; the transformation's own output range becomes 0..1."""
    from pydicom.pixels.processing import apply_modality_lut, apply_voi

    values = np.asarray(apply_modality_lut(stored, data), dtype=np.float64)
    lookup = data.get("VOILUTSequence")
    if lookup and int(lookup[0].LUTDescriptor[2]) > 0:
        shown = np.asarray(apply_voi(values.astype(np.int64), data), dtype=np.float64)
        return np.clip(shown / (2.0 ** int(lookup[0].LUTDescriptor[2]) - 1.0), 0.0, 1.0)
    window = _window(data)
    if window is not None:
        return _apply_window(values, *window, function=str(data.get("VOILUTFunction", "LINEAR") or "LINEAR"))
    low, high = _stored_range(data)
    return np.clip((values - low) / (high - low), 0.0, 1.0)


def _window(data: Any) -> tuple[float, float] | None:
    centre, width = data.get("WindowCenter"), data.get("WindowWidth")
    if centre is None or width is None or centre == "" or width == "":
        return None
    first = [float(value if isinstance(value, (int, float)) else value[0]) for value in (centre, width)]
    return (first[0], first[1]) if math.isfinite(first[0]) and first[1] >= 1 else None


def _apply_window(values: NDArray[np.float64], centre: float, width: float, *, function: str) -> NDArray[np.float64]:
    """Return the window's output in 0..1 (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    if function == "SIGMOID":
        return np.asarray(1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width)))
    if function == "LINEAR_EXACT":
        return np.clip((values - centre) / width + 0.5, 0.0, 1.0)
    if width == 1:
        return (values > centre - 0.5).astype(np.float64)
    return np.clip((values - (centre - 0.5)) / (width - 1.0) + 0.5, 0.0, 1.0)


def _stored_range(data: Any) -> tuple[float, float]:
    """Return the lowest and highest value that the stored bits can hold, after the modality transformation."""
    modality = data.get("ModalityLUTSequence")
    if modality:
        return 0.0, 2.0 ** int(modality[0].LUTDescriptor[2]) - 1.0
    bits = int(data.get("BitsStored", 16))
    low, high = (
        (-(2.0 ** (bits - 1)), 2.0 ** (bits - 1) - 1) if data.get("PixelRepresentation") else (0.0, 2.0**bits - 1)
    )
    slope, intercept = float(data.get("RescaleSlope", 1) or 1), float(data.get("RescaleIntercept", 0) or 0)
    ends = sorted((low * slope + intercept, high * slope + intercept))
    return ends[0], ends[1]


def _padding(data: Any, stored: NDArray[Any]) -> NDArray[np.bool_]:
    value = data.get("PixelPaddingValue")
    if not isinstance(value, int):
        return np.zeros(stored.shape, dtype=np.bool_)
    limit = data.get("PixelPaddingRangeLimit")
    low, high = sorted((value, limit if isinstance(limit, int) else value))
    return np.asarray((stored >= low) & (stored <= high))


def _spacing(path: Path, data: Any) -> tuple[float, float] | None:
    for tag in _SPACING_TAGS:
        value = data.get(tag)
        if not value:
            continue
        try:
            return float(value[0]), float(value[1])
        except (TypeError, ValueError, IndexError) as error:
            raise BackgroundError(f"{path}: {tag} {value!r} is not a pair of numbers in mm") from error
    return None
