"""The numbers that a DICOM file stores: BitsStored and HighBit obeyed, and no pixel more or less than it says."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import BackgroundError

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
        values = _decoded(path, data).astype(np.int64)
        if high != stored - 1:
            raise BackgroundError(f"{path}: HighBit {high} of a compressed image of {stored} bits is not read")
        least, largest = range_of(stored, signed)
        if values.min() < least or values.max() > largest:
            raise _too_wide(path, stored, int(values.max()))
        return values, stored, []
    values, notes = _cut_out(path, data, _words(path, data, allocated), stored, high, signed)
    return values, stored, notes


def range_of(bits: int, signed: bool) -> tuple[int, int]:
    """Return the least and the largest number of so many bits."""
    return (-(1 << (bits - 1)), (1 << (bits - 1)) - 1) if signed else (0, (1 << bits) - 1)


def is_big_endian(data: Any) -> bool:
    """Return whether the words of a data set's OW elements have their high byte first."""
    return not data.file_meta.TransferSyntaxUID.is_little_endian


def bytes_swapped(words: bytes | bytearray) -> bytes:
    """Return words of two bytes with the bytes of each exchanged."""
    return np.frombuffer(words, "u2").byteswap().tobytes()


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
