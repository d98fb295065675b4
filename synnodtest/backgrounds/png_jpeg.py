"""PNG and JPEG files as arrays, with Pillow."""

from __future__ import annotations

import re
import struct
import threading
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from synnodtest.backgrounds.reading import MAX_PIXELS
from synnodtest.errors import BackgroundError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_STRICT = threading.Lock()
_FORMATS = ("PNG", "JPEG")
_DAMAGED = "copy the file again from its source"
OTHER_FORMAT = "save it as PNG of 8 or 16 bits, MHA or DICOM"
EXIF_NOTE = "EXIF orientation"


@dataclass(frozen=True, eq=False)
class Raster:
    """A picture file.

    Args:
        values: H x W, as stored, upright.
        depth: Bits per pixel of the file format, 8 or 16.
        notes: What was turned, for the record.
        transposed: Whether rows became columns.
    """

    values: NDArray[Any]
    depth: int
    notes: tuple[str, ...] = ()
    transposed: bool = False


def read_raster(path: Path, *, by_exif: bool = True) -> Raster:
    """Return the grey values of a PNG or JPEG.

    Colour files whose channels are equal count as grey; an opaque alpha channel is dropped. The picture is turned as
    its EXIF orientation says, unless ``by_exif`` is False.

    Raises:
        BackgroundError: the file is missing, truncated, too large, coloured, or no PNG or JPEG; names it.
    """
    try:
        if path.stat().st_size == 0:
            raise BackgroundError(f"{path}: the file is empty", hint=_DAMAGED)
        with warnings.catch_warnings(), Image.open(path, formats=_FORMATS) as image:
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            _refuse_unreadable(path, image)
            _check_png(path)
            turn = int(image.getexif().get(ExifTags.Base.Orientation, 1) or 1) if by_exif else 1
            _load_whole(image)
            if not 2 <= turn <= 8:
                return Raster(*_grey(path, image))
            return Raster(*_grey(path, ImageOps.exif_transpose(image)), (f"{EXIF_NOTE} {turn} applied",), turn > 4)
    except (UnidentifiedImageError, ImportError) as error:
        # ultralytics replaces Image.open by one that looks for the optional package pi_heif before it gives up
        hint = _DAMAGED if path.suffix.lower() in (".png", ".jpg", ".jpeg") else OTHER_FORMAT
        raise BackgroundError(f"{path}: not a readable PNG or JPEG file", hint=hint) from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        counted = re.search(r"\((\d+) pixels\)", str(error))
        raise _too_large(path, f"{counted[1]} pixels" if counted else "its pixels") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise BackgroundError(f"{path}: truncated or damaged: {reason}", hint=_DAMAGED) from error


def _load_whole(image: Image.Image) -> None:
    """Decode every pixel; a file that ends early raises even where some library told Pillow to tolerate it."""
    with _STRICT:
        tolerant, ImageFile.LOAD_TRUNCATED_IMAGES = ImageFile.LOAD_TRUNCATED_IMAGES, False
        try:
            image.load()
        finally:
            ImageFile.LOAD_TRUNCATED_IMAGES = tolerant


def _refuse_unreadable(path: Path, image: Image.Image) -> None:
    width, height = image.size
    if width * height > MAX_PIXELS:
        raise _too_large(path, f"{width} x {height} pixels")
    if getattr(image, "n_frames", 1) > 1:
        raise BackgroundError(f"{path}: holds several pictures", hint="save one radiograph per file")
    if image.format == "PNG" and image.mode not in ("I;16", "I") and _png_bit_depth(path) == 16:
        raise BackgroundError(f"{path}: 16-bit colour is not read", hint="save it as 16-bit greyscale PNG")


def _png_bit_depth(path: Path) -> int:
    with path.open("rb") as file:
        return file.read(25)[24]


def _grey(path: Path, image: Image.Image) -> tuple[NDArray[Any], int]:
    if image.mode == "L":
        return np.asarray(image), 8
    if image.mode in ("I;16", "I;16B", "I;16L", "I"):
        return np.asarray(image).astype(np.uint16), 16
    if image.mode not in ("RGB", "RGBA", "LA", "P", "1", "PA"):
        raise BackgroundError(f"{path}: colour mode {image.mode} is no radiograph", hint="save it as greyscale")
    channels = np.asarray(image.convert("RGBA"))
    if (channels[..., 3] < 255).any():
        raise BackgroundError(f"{path}: partly transparent", hint="save it as greyscale without an alpha channel")
    if (channels[..., :1] != channels[..., 1:3]).any():
        raise BackgroundError(
            f"{path}: a colour picture, not a radiograph", hint="save it as greyscale, without coloured annotations"
        )
    return np.ascontiguousarray(channels[..., 0]), 8


def _too_large(path: Path, what: str) -> BackgroundError:
    return BackgroundError(
        f"{path}: {what} exceed the {MAX_PIXELS} pixels that are read", hint="resample it to at most 8192 x 8192"
    )


def _check_png(path: Path) -> None:
    """Refuse a PNG whose chunks are damaged, or that holds more or fewer pixels than its header says.

    Decoders pass over both: a wrong height or depth in the header then gives another picture without a word.

    Raises:
        BackgroundError: it is; names the file.
    """
    data = path.read_bytes()
    if not data.startswith(_SIGNATURE):
        return
    header, pixels, palette = b"", [], False
    for kind, body, whole in _chunks(data):
        if not whole:
            raise BackgroundError(f"{path}: truncated or damaged: checksum of {kind.decode('latin-1')}", hint=_DAMAGED)
        header = body if kind == b"IHDR" else header
        palette |= kind == b"PLTE"
        if kind == b"IDAT":
            pixels.append(body)
    if len(header) != 13:
        raise BackgroundError(f"{path}: truncated or damaged: no header", hint=_DAMAGED)
    if header[9] == 3 and not palette:
        raise BackgroundError(f"{path}: truncated or damaged: no palette", hint=_DAMAGED)
    length = _length(header)
    inflated = _inflated(b"".join(pixels), length)
    if inflated is not None and inflated != length:
        amount = "more" if inflated > length else "fewer"
        raise BackgroundError(
            f"{path}: truncated or damaged: {amount} pixels than rows times columns ({length} bytes by its header)",
            hint=f"{_DAMAGED}; if that does not help, its header is wrong: export the radiograph again",
        )


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bool]]:
    """Yield kind, content and whether the checksum is right, of every critical chunk up to a break."""
    place = len(_SIGNATURE)
    while place + 12 <= len(data):
        length = struct.unpack(">I", data[place : place + 4])[0]
        kind, body = data[place + 4 : place + 8], data[place + 8 : place + 8 + length]
        end = place + 8 + length
        if end + 4 > len(data):
            return
        if not kind[0] & 0x20:
            yield kind, body, zlib.crc32(kind + body) == struct.unpack(">I", data[end : end + 4])[0]
        if kind == b"IEND":
            return
        place = end + 4


def _length(header: bytes) -> int:
    """Return the bytes of the decompressed rows, a filter byte before each."""
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    bits = depth * _SAMPLES.get(colour, 1)
    passes = (
        [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
        if interlaced
        else [(0, 0, 1, 1)]
    )
    total = 0
    for x, y, dx, dy in passes:
        columns, rows = -(-max(width - x, 0) // dx), -(-max(height - y, 0) // dy)
        total += rows * (1 + (columns * bits + 7) // 8) if columns else 0
    return total


def _inflated(data: bytes, wanted: int) -> int | None:
    """Return how many bytes the stream holds, counting no further than one above ``wanted``; None if it is damaged."""
    try:
        return len(zlib.decompressobj().decompress(data, wanted + 1))
    except zlib.error:
        return None  # Pillow tells what is wrong with it
