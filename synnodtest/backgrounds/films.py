"""Which files hold the same film: one under two names counts once, whatever its header, its format and its masks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from synnodtest.backgrounds.file_formats import suffix_of
from synnodtest.backgrounds.listing import Entry
from synnodtest.backgrounds.mha import data_file_of
from synnodtest.backgrounds.readers import read_pixels
from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.store import Store

__all__ = ["digest_of", "film_by_file", "film_by_pixels", "need_pixels", "pixels_beside"]

_PIXELS_ALONE = ".img"
_DIGESTS: dict[tuple[str, int, int], str] = {}


def need_pixels(entries: Sequence[Entry]) -> bool:
    """Return whether equal films of a set may lie in unequal files: formats, headers, texts or compression differ.

    Files that are nothing but pixels and hold the same film were copied, and are told by their bytes.
    """
    return len(entries) > 1 and {suffix_of(entry.path) for entry in entries} != {_PIXELS_ALONE}


def film_by_pixels(entry: Entry, content: str, cache: Path | None) -> str:
    """Return the sha256 of the pixels as they are shown; of the file, where they cannot be read, which loading tells.

    Args:
        entry: The radiograph.
        content: The sha256 that stands for its files and what the manifest says of them.
        cache: Root of a store that keeps it between runs.
    """

    def made() -> bytes:
        pixels = read_pixels(entry.path, entry.given)
        shape = ",".join(map(str, pixels.shape))
        return hashlib.sha256(shape.encode() + pixels.tobytes()).hexdigest().encode()

    try:
        return (made() if cache is None else Store(cache).obtain("films", content, made)).decode()
    except SynnodError:
        return film_by_file(entry)


def film_by_file(entry: Entry) -> str:
    """Return the sha256 of the file that holds the pixels."""
    return digest_of(pixels_beside(entry) or entry.path)


def pixels_beside(entry: Entry) -> Path | None:
    """Return the file that holds the pixels, where it is not the radiograph's own, which is then a header."""
    return data_file_of(entry.path) if entry.path.suffix.lower() == ".mhd" else None


def digest_of(path: Path) -> str:
    """Return the sha256 of a file, which is read once while it keeps its size and time.

    Raises:
        BackgroundError: it cannot be read.
    """
    try:
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in _DIGESTS:
            with path.open("rb") as file:
                _DIGESTS[key] = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BackgroundError(f"{path}: cannot be read: {error.strerror or error}") from error
    return _DIGESTS[key]
