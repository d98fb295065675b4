"""Which files hold the same film: one under two names counts once, whatever its header, its format and its masks."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from synnodtest.backgrounds.file_formats import suffix_of
from synnodtest.backgrounds.listing import Entry
from synnodtest.backgrounds.readers import read_pixels
from synnodtest.errors import SynnodError
from synnodtest.files import sha256_of_file
from synnodtest.store import Store

__all__ = ["film_by_pixels", "need_pixels"]


def need_pixels(entries: Sequence[Entry]) -> bool:
    """Return whether equal films of a set may lie in unequal files: headers differ, or formats do.

    Files of one plain format that hold the same film were copied, and are told by their bytes without decoding any.
    """
    return len({suffix_of(entry.path) for entry in entries}) > 1 or any(entry.header for entry in entries)


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
        return sha256_of_file(entry.path)
