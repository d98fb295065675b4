"""MetaImage (``.mha``, or ``.mhd`` with its data beside it), read without ITK, and the radiograph in one.

Of a radiograph it is one grey picture in mm, its header's other claims obeyed, noted or refused.
"""

from __future__ import annotations

import io
import math
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.reading import FILE_ALONE, MAX_PIXELS, Given, Stored, by_bits
from synnodtest.errors import BackgroundError, system_faults

MAX_VALUES = 256 * 1024 * 1024
"""Voxels that a header may claim before memory is taken for them: a CT of 1,024 slices of 512 x 512, 1 GiB in
float32."""
MAX_HEADER_BYTES = 64 * 1024
"""Bytes in which the header must end: MetaImage's take a few hundred, so a file without an end of one is none."""

KNOWN_TYPES = {
    "MET_CHAR": "i1", "MET_UCHAR": "u1", "MET_SHORT": "i2", "MET_USHORT": "u2", "MET_INT": "i4", "MET_UINT": "u4",
    "MET_LONG": "i4", "MET_ULONG": "u4", "MET_LONG_LONG": "i8", "MET_ULONG_LONG": "u8", "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}  # fmt: skip
"""Element types that are read -> how NumPy calls them."""

MODALITIES = ("", "MET_MOD_OTHER", "MET_MOD_UNKNOWN", "MET_MOD_XR", "MET_MOD_CR", "MET_MOD_DX")
"""Values of the header's ``Modality``; CT, MR, NM and US are no radiographs."""
UNITS = ("", "mm", "?", "millimeter", "millimetre")


@dataclass(frozen=True, eq=False)
class MetaImage:
    """A MetaImage of two or three dimensions.

    Args:
        array: Values as stored, slowest axis first: ``(y, x)`` or ``(z, y, x)``; a last axis holds the channels
            if there is more than one.
        spacing: Distance in mm along the axes of ``array`` in the same order, ``(y, x)`` or ``(z, y, x)``
            (a MetaImage header lists them the other way round); None if the header gives none.
        header: All header fields as text.
    """

    array: NDArray[Any]
    spacing: tuple[float, ...] | None
    header: Mapping[str, str]


def read_mha(path: str | Path, *, max_values: int = MAX_VALUES) -> MetaImage:
    """Read a ``.mha`` or ``.mhd`` file, raw or zlib-compressed, of either byte order.

    Orientation and offset are not applied. A file of more than ``max_values`` values is refused before any is read.

    Raises:
        BackgroundError: the file is missing, truncated, too large or not a MetaImage that is read here; names it.
    """
    path = Path(path)
    header, start = _read_header(path)
    shape, channels, dtype = _layout(path, header, max_values)
    expected = math.prod(shape) * channels * dtype.itemsize
    payload = _read_payload(path, header, start, expected)
    if len(payload) != expected:
        raise BackgroundError(
            f"{path}: truncated: {len(payload)} bytes of pixel data where the header promises {expected}",
            hint="copy the file again from its source",
        )
    full_shape = (*shape, channels) if channels > 1 else shape
    array = np.frombuffer(payload, dtype=dtype).reshape(full_shape).astype(dtype.newbyteorder("="), copy=False)
    return MetaImage(array, _spacing(path, header, len(shape)), header)


def data_file_of(path: Path) -> Path | None:
    """Return the separate file that holds the pixels of a ``.mhd``, or None if they stand in ``path`` itself.

    Raises:
        BackgroundError: the header cannot be read or names a file outside its folder.
    """
    return _data_file(path, _read_header(path)[0])


def _read_header(path: Path) -> tuple[dict[str, str], int]:
    """Return the header fields and the offset of the first byte after them."""
    with system_faults(path, BackgroundError), path.open("rb") as file:
        head = file.read(MAX_HEADER_BYTES)
    header: dict[str, str] = {}
    lines = io.BytesIO(head)
    for line in lines:
        key, equals, value = line.decode("latin-1").partition("=")
        if not equals:
            break
        header[key.strip()] = value.strip()
        if key.strip() == "ElementDataFile":
            return header, lines.tell()
    raise BackgroundError(
        f"{path}: not a MetaImage: " + ("the file is empty" if not head else "its header has no ElementDataFile line"),
        hint="export the radiograph as .mha again, or copy the file again from its source",
    )


def _layout(path: Path, header: Mapping[str, str], max_values: int) -> tuple[tuple[int, ...], int, np.dtype[Any]]:
    """Return the shape (slowest axis first), the number of channels and the stored type."""
    sizes = _numbers(path, header, "DimSize")
    if not sizes or len(sizes) not in (2, 3) or any(size < 1 or size != int(size) for size in sizes):
        raise BackgroundError(
            f"{path}: DimSize {header.get('DimSize', '(none)')!r} is not that of an image or volume",
            hint="its keys are written DimSize, ElementType, ElementSpacing: export the radiograph as .mha again",
        )
    shape = tuple(int(size) for size in reversed(sizes))
    channels = int((_numbers(path, header, "ElementNumberOfChannels") or [1])[0])
    if channels < 1 or math.prod(shape) * channels > max_values:
        raise BackgroundError(f"{path}: {header['DimSize']} values are more than the {max_values} that are read")
    name = header.get("ElementType", "")
    if name not in KNOWN_TYPES:
        raise BackgroundError(f"{path}: ElementType {name!r} is not read; known are {', '.join(KNOWN_TYPES)}")
    if not _flag(header, "BinaryData", default=True):
        raise BackgroundError(f"{path}: pixels written as text are not read", hint="save it with BinaryData = True")
    big = _flag(header, "BinaryDataByteOrderMSB") or _flag(header, "ElementByteOrderMSB")
    return shape, channels, np.dtype(KNOWN_TYPES[name]).newbyteorder(">" if big else "<")


def _read_payload(path: Path, header: Mapping[str, str], start: int, expected: int) -> bytes:
    """Return the pixel bytes, never more than one byte above ``expected``."""
    beside = _data_file(path, header)
    source = beside or path
    compressed = _flag(header, "CompressedData")
    skip = int((_numbers(path, header, "HeaderSize") or [0])[0])
    try:
        size = source.stat().st_size
        with source.open("rb") as file:
            if beside is not None:
                start = max(skip, 0) if skip >= 0 else max(size - expected, 0)
            if not compressed and size - start > expected:
                raise BackgroundError(
                    f"{path}: more pixels than DimSize says: {size - start} bytes where it takes {expected}",
                    hint="DimSize or ElementType is wrong: export the radiograph again",
                )
            file.seek(start)
            if not compressed:
                return file.read(expected)
            data = file.read(min(size - start, 2 * expected + 65536) if size > start else 0)
    except FileNotFoundError as error:
        raise BackgroundError(
            f"{path}: its pixel file {source.name!r} is missing", hint="keep the .mhd and its data file together"
        ) from error
    except OSError as error:
        raise BackgroundError(f"{path}: cannot be read: {error.strerror or error}") from error
    try:
        return zlib.decompressobj().decompress(data, expected + 1)
    except zlib.error as error:
        raise BackgroundError(
            f"{path}: its compressed pixels are damaged ({error})", hint="copy the file again from its source"
        ) from error


def _data_file(path: Path, header: Mapping[str, str]) -> Path | None:
    name = header["ElementDataFile"]
    if name.upper() == "LOCAL":
        return None
    if name.upper().startswith("LIST") or "%" in name:
        raise BackgroundError(f"{path}: pixels spread over several files are not read", hint="save it as one .mha file")
    if not name or Path(name).is_absolute() or ".." in Path(name).parts or "\\" in name or "\0" in name:
        raise BackgroundError(f"{path}: ElementDataFile {name!r} must be a file in the same folder")
    return path.parent / name


def _spacing(path: Path, header: Mapping[str, str], dimensions: int) -> tuple[float, ...] | None:
    values = _numbers(path, header, "ElementSpacing") or _numbers(path, header, "ElementSize")
    if not values:
        return None
    if len(values) != dimensions or any(value <= 0 for value in values):
        raise BackgroundError(f"{path}: ElementSpacing must be {dimensions} positive numbers in mm, not {values}")
    return tuple(reversed(values))


def _numbers(path: Path, header: Mapping[str, str], key: str) -> list[float]:
    try:
        numbers = [float(part) for part in header.get(key, "").split()]
    except ValueError:
        numbers = [math.nan]
    if not all(math.isfinite(number) for number in numbers):
        raise BackgroundError(f"{path}: {key} = {header[key]!r} is not a list of numbers")
    return numbers


def _flag(header: Mapping[str, str], key: str, *, default: bool = False) -> bool:
    value = header.get(key)
    return default if value is None else value.strip().lower() in ("true", "1")


def read_metaimage(path: Path, given: Given = FILE_ALONE) -> Stored:
    """Return the radiograph in a ``.mha`` or ``.mhd``.

    Raises:
        BackgroundError: a volume, in colour, of another modality, in other units, or damaged; names the file.
    """
    image = read_mha(path, max_values=MAX_PIXELS)
    notes = _claims(path, image.header)
    stored = by_bits(path, flat(path, image.array), given)
    return Stored(stored.pixels, _in_plane(image), (*notes, *stored.notes))


def _in_plane(image: MetaImage) -> tuple[float, float] | None:
    """Return the spacings of the two axes of a picture, whichever axis of a volume has one slice alone."""
    if image.spacing is None:
        return None
    axes = [axis for axis, side in enumerate(image.array.shape[: len(image.spacing)]) if side > 1]
    row, column = (image.spacing[axis] for axis in (axes if len(axes) == 2 else (-2, -1)))
    return row, column


def _claims(path: Path, header: Mapping[str, str]) -> list[str]:
    """Refuse what a header claims and is not obeyed here; return notes."""
    modality = header.get("Modality", "").strip().upper()
    if modality not in MODALITIES:
        raise BackgroundError(f"{path}: Modality {modality}, not a radiograph", hint="keep only radiographs here")
    units = header.get("DistanceUnits", "").strip().lower()
    if units not in UNITS:
        raise BackgroundError(f"{path}: DistanceUnits {units!r}: only mm are read", hint="write the spacing in mm")
    slope, offset = (header.get(f"ElementToIntensityFunction{part}") for part in ("Slope", "Offset"))
    if slope not in (None, "1", "1.0") or offset not in (None, "0", "0.0"):
        raise BackgroundError(
            f"{path}: ElementToIntensityFunction {slope or 1} {offset or 0} is not applied here",
            hint="export the radiograph with it applied",
        )
    matrix = header.get("TransformMatrix", header.get("Rotation", header.get("Orientation", ""))).split()
    side = round(len(matrix) ** 0.5)
    try:
        straight = not matrix or np.array_equal(np.array(matrix, dtype=float).reshape(side, side), np.eye(side))
    except ValueError:
        straight = False
    return [] if straight else ["TransformMatrix is not the identity, and is not applied"]


def flat(path: Path, array: NDArray[Any]) -> NDArray[Any]:
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
