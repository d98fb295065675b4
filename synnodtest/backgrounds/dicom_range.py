"""DICOM's stored numbers -> 0..1: modality transformation, then VOI table, window, or the range of the stored bits.

BitsStored and HighBit are obeyed; no pixel is more or less than the file says.
"""

from __future__ import annotations

import math
import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.reading import BY_LARGEST, OF_STORED, least_depth
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Array

READING = 2
"""Version of the way from stored numbers to a picture: raised when the same files become others, so that kept ones do
not count. Since 2 padding tells nothing of their range."""
_OVERLAYS = range(0x6000, 0x6020, 2)


def stored_numbers(path: Path, data: Any, bits: int | None) -> tuple[NDArray[np.int64], int, list[str]]:
    """Return the stored numbers (H x W), how many bits they have, and notes for the record.

    Args:
        path: For messages.
        data: A pydicom data set of one grey frame.
        bits: What the manifest says instead of BitsStored.

    Raises:
        BackgroundError: pixels that cannot be decoded, too few, too many, or with bits set where none may be.
    """
    allocated = int(data.BitsAllocated)
    stored = bits or int(data.get("BitsStored") or allocated)
    high = stored - 1 if bits else int(data.HighBit if data.get("HighBit") is not None else stored - 1)
    if int(data.get("SamplesPerPixel", 1) or 1) != 1:
        raise BackgroundError(f"{path}: {data.SamplesPerPixel} samples a pixel: not a grey image")
    if not (allocated in (8, 16, 32) and 1 <= stored <= high + 1 <= allocated and stored <= 16):
        raise BackgroundError(
            f"{path}: BitsAllocated {allocated}, BitsStored {stored} and HighBit {high} cannot be together",
            hint="write 'bits' into the manifest if you know how many the pixels use",
        )
    signed = bool(data.get("PixelRepresentation"))
    syntax = data.file_meta.TransferSyntaxUID
    if syntax.is_compressed and not syntax.is_deflated:
        _refuse_other_sign(path, data, signed)
        values = _decoded(path, data).astype(np.int64)
        if high != stored - 1:
            raise BackgroundError(f"{path}: HighBit {high} of a compressed image of {stored} bits is not read")
        least, largest = range_of(stored, signed)
        if values.min() < least or values.max() > largest:
            raise _too_wide(path, stored, int(values.max()))
        return values, stored, []
    values, notes = _cut_out(path, data, _words(path, data, allocated), stored, high, signed)
    return values, stored, notes


def range_of(bits: int, signed: bool) -> tuple[float, float]:
    """Return the least and the largest number of so many bits."""
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def is_big_endian(data: Any) -> bool:
    """Return whether the words of a data set's OW elements have their high byte first."""
    return not data.file_meta.TransferSyntaxUID.is_little_endian


def bytes_swapped(words: bytes | bytearray) -> bytes:
    """Return words of two bytes with the bytes of each exchanged."""
    return np.frombuffer(words, "u2").byteswap().tobytes()


def _refuse_other_sign(path: Path, data: Any, signed: bool) -> None:
    """Refuse a stream of JPEG 2000 whose numbers are signed where the header's are not, or the reverse.

    Decoders follow the one or the other, and half of the values come out wrapped around.

    Raises:
        BackgroundError: it is one.
    """
    from pydicom.encaps import get_frame
    from pydicom.pixels.utils import get_j2k_parameters
    from pydicom.uid import JPEG2000TransferSyntaxes

    if data.file_meta.TransferSyntaxUID in JPEG2000TransferSyntaxes:
        stream = get_j2k_parameters(get_frame(data.PixelData, 0, number_of_frames=1))  # in parts, too
        if stream.get("is_signed", signed) != signed:
            kinds = ("signed", "unsigned") if signed else ("unsigned", "signed")
            raise BackgroundError(
                f"{path}: its pixels are {kinds[0]} by PixelRepresentation and {kinds[1]} in their JPEG 2000",
                hint="export the radiograph again, without compression",
            )


def _decoded(path: Path, data: Any) -> NDArray[Any]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            decoded = np.asarray(data.pixel_array)
    except Exception as error:  # decoders raise many types
        syntax = data.file_meta.TransferSyntaxUID
        raise BackgroundError(
            f"{path}: its pixels cannot be decoded: {' '.join(str(error).split())}",
            hint=f"its transfer syntax is {syntax.name}: pip install pylibjpeg pylibjpeg-libjpeg pylibjpeg-openjpeg",
        ) from error
    if decoded.ndim != 2:
        raise BackgroundError(f"{path}: pixels of shape {decoded.shape}, not one grey image")
    return decoded


def _words(path: Path, data: Any, allocated: int) -> NDArray[np.int64]:
    """Return the allocated words as unsigned numbers."""
    rows, columns, raw = int(data.Rows), int(data.Columns), data.PixelData
    length = rows * columns * allocated // 8
    if len(raw) < length:
        raise BackgroundError(
            f"{path}: its pixels cannot be decoded: {len(raw)} bytes where {columns} x {rows} pixels take {length}",
            hint="the file is probably truncated; copy it again from its source",
        )
    if len(raw) > length + length % 2:
        raise BackgroundError(
            f"{path}: more pixels than rows times columns: {len(raw)} bytes where {columns} x {rows} take {length}",
            hint="Rows, Columns or BitsAllocated is wrong: export the radiograph again",
        )
    big = is_big_endian(data)
    if big and allocated == 8 and data["PixelData"].VR == "OW":
        raw = bytes_swapped(raw)  # two pixels a word, the first in its low byte
    kind = np.dtype(f"u{allocated // 8}").newbyteorder(">" if big else "<")
    return np.frombuffer(raw, dtype=kind, count=rows * columns).reshape(rows, columns).astype(np.int64)


def _cut_out(
    path: Path, data: Any, words: NDArray[np.int64], stored: int, high: int, signed: bool
) -> tuple[NDArray[np.int64], list[str]]:
    """Return the stored bits of the words as numbers; other bits must be empty, a sign, or an overlay."""
    shift, mask = high + 1 - stored, (1 << stored) - 1
    values = (words >> shift) & mask
    others = words & ~(mask << shift)
    if signed:
        values = np.where(values >> (stored - 1), values - (1 << stored), values)
        sign = ((1 << int(data.BitsAllocated)) - 1) & ~mask
        if not shift:
            others = np.where((values < 0) & (others == sign), 0, others)
    notes: list[str] = []
    if others.any():
        if int(np.bitwise_or.reduce(others, axis=None)) & ~_overlay_bits(data):
            raise _too_wide(path, stored, int(words.max()))
        notes.append("overlays in unused bits of the pixels were cut off")
    return values, notes


def _overlay_bits(data: Any) -> int:
    """Return the bits of the words in which overlay planes stand."""
    positions = [data[group, 0x0102].value for group in _OVERLAYS if (group, 0x0102) in data]
    return sum(1 << int(position) for position in set(positions) if position)


def _too_wide(path: Path, stored: int, largest: int) -> BackgroundError:
    return BackgroundError(
        f"{path}: its pixels (words up to {largest}) use bits outside the {stored} that BitsStored and HighBit name",
        hint="write 'bits' into the manifest if you know how many the pixels use, or export the radiograph again",
    )


FUNCTIONS = ("LINEAR", "LINEAR_EXACT", "SIGMOID")
_TABLES = {"VOILUTSequence": "VOI LUT", "ModalityLUTSequence": "modality LUT"}


def to_unit_range(
    path: Path, data: Any, stored: NDArray[np.int64], bits: int, *, by_bits: bool, padding: NDArray[np.bool_]
) -> tuple[Array, list[str]]:
    """Return the picture as the header says it is to be shown, 0..1, and notes for the record.

    Args:
        path: For messages.
        data: A pydicom data set.
        stored: Its stored numbers.
        bits: How many bits they have.
        by_bits: The range of the bits alone, because the manifest says so: no table, no window.
        padding: Where no picture is, whose values tell nothing of the range.

    Raises:
        BackgroundError: a table, window or rescale that cannot be applied.
    """
    if by_bits:
        low, high = range_of(bits, bool(data.get("PixelRepresentation")))
        return np.clip((stored - low) / (high - low), 0.0, 1.0), ["range of the bits that the manifest gives"]
    values, (low, high), notes = _modality(path, data, stored, bits, padding)
    if data.get("VOILUTSequence"):
        displayed, told = _table(path, data, "VOILUTSequence", values)
        several = ["the first of several VOI LUTs"] if len(data.VOILUTSequence) > 1 else []
        return displayed[0] / displayed[1], [*notes, *several, *told]
    window, told = _window(data)
    notes += told
    if window is not None:
        return _through(path, data, values, *window, notes)
    return np.clip((values - low) / (high - low), 0.0, 1.0), notes


def _modality(
    path: Path, data: Any, stored: NDArray[np.int64], bits: int, padding: NDArray[np.bool_]
) -> tuple[Array, tuple[float, float], list[str]]:
    """Return values after the modality transformation, the least and largest they may have, and notes."""
    if data.get("ModalityLUTSequence"):
        (values, top), note = _table(path, data, "ModalityLUTSequence", stored.astype(np.float64))
        return values, (0.0, top), note
    low, high, notes = _stored_range(path, data, stored if padding.all() else stored[~padding], bits)
    slope, intercept = _number(path, data, "RescaleSlope", 1), _number(path, data, "RescaleIntercept", 0)
    if slope == 0:
        raise BackgroundError(f"{path}: RescaleSlope is 0", hint="export the radiograph again, or give 'bits'")
    if (slope, intercept) != (1.0, 0.0):
        notes.append(f"rescaled (slope {slope:g}, intercept {intercept:g})")
    values = np.asarray(stored * slope + intercept, np.float64)
    first, last = sorted((low * slope + intercept, high * slope + intercept))
    return values, (first, last), notes


def _stored_range(path: Path, data: Any, stored: NDArray[np.int64], bits: int) -> tuple[float, float, list[str]]:
    """Return the range of the stored numbers without a window: BitsStored's, or of fewer bits that hold them all."""
    low, high = range_of(bits, bool(data.get("PixelRepresentation")))
    if data.get("VOILUTSequence") or _window(data)[0] is not None:
        return low, high, []
    if stored.min() >= 0:
        depth = min(least_depth(float(stored.max())) or bits, bits - bool(data.get("PixelRepresentation")))
        return 0.0, 2.0**depth - 1, [f"{depth} {BY_LARGEST} {OF_STORED} {bits}"]
    if max(-int(stored.min()), int(stored.max())) >= high / 2:
        return low, high, []
    raise BackgroundError(
        f"{path}: signed pixels of {bits} bits that use less than half of their range, and no window",
        hint="export the radiograph with its window applied, as unsigned numbers",
    )


def _number(path: Path, data: Any, name: str, usual: float) -> float:
    value = data.get(name)
    number = usual if value is None or value == "" else float(value)
    if not math.isfinite(number):
        raise BackgroundError(f"{path}: {name} is {value}, not a number")
    return float(number)


def _table(path: Path, data: Any, sequence: str, values: Array) -> tuple[tuple[Array, float], list[str]]:
    """Return the output of a table and the top of its range: what it says, or what it holds if that differs."""
    item, name = data[sequence][0], _TABLES[sequence]
    entries, first, bits = (int(one) for one in item.LUTDescriptor)
    entries = entries or 65536
    table = _entries(item.LUTData, entries, big=is_big_endian(data))
    if len(table) != entries:
        raise BackgroundError(
            f"{path}: its {name} says {entries} entries and holds {len(table)}",
            hint="write 'bits' into the manifest, to have the stored bits shown without it",
        )
    largest = float(table.max())
    if largest == float(table.min()):
        raise BackgroundError(f"{path}: its {name} makes all pixels the same", hint="write 'bits' into the manifest")
    notes = [f"shown through its {name}"]
    depth = least_depth(largest)
    top = 2.0**bits - 1
    if depth is None or not 8 <= bits <= 16 or depth < bits or largest > top:
        top = largest
        notes.append(f"range of the {name} is that of its largest entry (says {bits} bits, holds {largest:.0f})")
    if first > values.max():  # a negative number that was written as an unsigned one
        first -= 65536
    places = np.clip(np.rint(values).astype(np.int64) - first, 0, entries - 1)
    return (table[places].astype(np.float64), top), notes


def _entries(raw: Any, entries: int, *, big: bool) -> NDArray[Any]:
    if isinstance(raw, (bytes, bytearray)):
        raw = bytes_swapped(raw) if big else raw
        narrow = len(raw) in (entries, entries + entries % 2) and len(raw) < 2 * entries
        return np.frombuffer(raw, dtype="u1" if narrow else "<u2")[:entries]
    return np.asarray(raw, dtype=np.int64) & 0xFFFF


def _window(data: Any) -> tuple[tuple[float, float] | None, list[str]]:
    """Return centre and width of the first window, or None, and notes."""
    centre, width = data.get("WindowCenter"), data.get("WindowWidth")
    window = [value for value in (centre, width) if value is not None and value != ""]
    if not window:
        return None, []
    several = any(not isinstance(value, (int, float, str)) and len(value) > 1 for value in window)
    try:
        first = [float(value if isinstance(value, (int, float, str)) else value[0]) for value in window]
    except (TypeError, ValueError, IndexError):
        first = [math.nan]
    exact = str(data.get("VOILUTFunction") or "LINEAR").strip().upper() != "LINEAR"
    usable = len(first) == 2 and all(map(math.isfinite, first)) and (first[1] > 0 if exact else first[1] >= 1)
    if not usable:
        return None, [f"its window is unusable (centre {centre}, width {width}): range of the stored bits"]
    return (first[0], first[1]), ["the first of several windows"] if several else []


def _through(
    path: Path, data: Any, values: Array, centre: float, width: float, notes: list[str]
) -> tuple[Array, list[str]]:
    """Return the window's output in 0..1 (DICOM PS3.3 C.11.2.1.2 and C.11.2.1.3)."""
    function = str(data.get("VOILUTFunction") or "LINEAR").strip().upper()
    if function not in FUNCTIONS:
        raise BackgroundError(
            f"{path}: VOILUTFunction {function!r} is not known ({', '.join(FUNCTIONS)})",
            hint="write 'bits' into the manifest, to have the stored bits shown without the window",
        )
    if function == "SIGMOID":
        displayed = 1.0 / (1.0 + np.exp(-4.0 * (values - centre) / width))
    elif function == "LINEAR_EXACT":
        displayed = (values - centre) / width + 0.5
    elif width == 1:
        displayed = (values > centre - 0.5).astype(np.float64)
    else:
        displayed = (values - (centre - 0.5)) / (width - 1.0) + 0.5
    beyond = float(np.mean((displayed < 0) | (displayed > 1)))
    note = f"shown through its window (centre {centre:g}, width {width:g}, {beyond:.1%} of the pixels beyond it)"
    return np.clip(displayed, 0.0, 1.0), [*notes, note]
