"""Which files beside an ONNX model hold its weights: exporters name them as they like, and the model tells where."""

from __future__ import annotations

import glob
import mmap
import re
from collections.abc import Iterator
from pathlib import Path

_LOCATION = re.compile(rb"\n\x08location\x12([\x80-\xff]*[\x00-\x7f])")
"""An entry of a tensor's external data: the key ``location`` as field 1, then field 2 with the length of a file's name.

Source: onnx.proto, ``StringStringEntryProto`` in ``TensorProto.external_data``.
"""


def weights_beside(path: Path) -> list[Path]:
    """Return the files that belong to a model: those that it names, and what usually is called after it; sorted."""
    usual = path.parent.glob(f"{glob.escape(path.name)}[._]data")
    named = (path.parent / name for name in _named(path))
    return sorted({*usual, *(one for one in named if _is_file(one))})


def _named(path: Path) -> Iterator[str]:
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names = {data[found.end() : found.end() + _varint(found[1])] for found in _LOCATION.finditer(data)}
    yield from sorted(name.decode() for name in names if b"\0" not in name and _is_text(name))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # bytes that happen to look like an entry, and make no name
        return False


def _varint(raw: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(raw))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True
