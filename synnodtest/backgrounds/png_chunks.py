"""Whether a PNG file is whole: checksums of its chunks, and as many pixels as its header says."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

from synnodtest.errors import BackgroundError

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DAMAGED = "copy the file again from its source"


def check_png(path: Path) -> None:
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
    wanted = _length(header)
    found = _inflated(b"".join(pixels), wanted)
    if found is not None and found != wanted:
        amount = "more" if found > wanted else "fewer"
        raise BackgroundError(
            f"{path}: truncated or damaged: {amount} pixels than rows times columns ({wanted} bytes by its header)",
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
