"""Files that hold the same film: one under two names counts once, whatever its header, format, size and masks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from synnodtest.backgrounds.file_formats import suffix_of
from synnodtest.backgrounds.likeness import MOST, copies, likeness
from synnodtest.backgrounds.listing import Entry
from synnodtest.backgrounds.mha import data_file_of
from synnodtest.backgrounds.readers import read_pixels
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.store import Store

_PIXELS_ALONE = ".img"
_HEX = 64
"""Hexadecimal digits of a sha256, with which a packed sight begins."""
_DIGESTS: dict[tuple[str, int, int], str] = {}


class Sight(NamedTuple):
    """Marks by which a film is known: the sha256 of its pixels, and how it looks; b"" where it cannot be read."""

    film: str
    looks: bytes = b""


def need_pixels(entries: Sequence[Entry]) -> bool:
    """Return whether equal films of a set may lie in unequal files: formats, headers, texts or compression differ.

    Files that are nothing but pixels and hold the same film were copied, and are told by their bytes.
    """
    return len(entries) > 1 and {suffix_of(entry.path) for entry in entries} != {_PIXELS_ALONE}


def sight_of(entry: Entry, content: str, cache: Path | None, decoded: bool) -> Sight:
    """Return what the pixels as they are shown are known by; the file, where they cannot be read, which loading tells.

    Args:
        entry: The radiograph.
        content: The sha256 that stands for its files and what the manifest says of them.
        cache: Root of a store that keeps it between runs.
        decoded: Whether pixels are looked at (:func:`need_pixels`), or the file alone.
    """

    def made() -> bytes:
        pixels = read_pixels(entry.path, entry.given)
        shape = ",".join(map(str, pixels.shape))
        return hashlib.sha256(shape.encode() + pixels.tobytes()).hexdigest().encode() + likeness(pixels)

    by_file = Sight(digest_of(pixels_beside(entry) or entry.path))
    if not decoded:
        return by_file
    try:
        packed = made() if cache is None else Store(cache).obtain("sights", content, made)
    except SynnodError:
        return by_file
    return Sight(packed[:_HEX].decode(), packed[_HEX:])


def with_copies(sights: Mapping[str, Sight], patients: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return the film of each radiograph, that of the first for its copies in other sizes or with loss, and notes.

    Args:
        sights: Of the radiographs.
        patients: Of the radiographs, or ""; films of different ones are told of, and stay different films.
    """
    films = {name: sight.film for name, sight in sights.items()}
    joined, apart = [], []
    if len(sights) > MOST:
        return films, [f"copies in other sizes or with loss were not sought among more than {MOST} radiographs"]
    for name, first in copies({name: sight.looks for name, sight in sights.items() if sight.looks}).items():
        if films[name] == films[first]:
            continue
        if patients[name] and patients[first] and patients[name] != patients[first]:
            apart.append((name, first))
        else:
            films[name] = films[first]
            joined.append((name, first))
    return films, [
        f"{counted(len(pairs), 'radiograph looks', 'radiographs look')} like copies of others, smaller, compressed, "
        f"mirrored or through another window: {does} (such as {pairs[0][0]} and {pairs[0][1]})"
        for pairs, does in (
            (joined, "copies count once; where they are not, name the patients in the manifest's column 'patient'"),
            (apart, "their patients differ, so that each counts; take copies out of the set"),
        )
        if pairs
    ]


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
