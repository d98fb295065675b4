"""Files that hold the same film: one under two names counts once, whatever its header, format, size and masks.

Copies that were saved smaller, with loss or through another window are one picture of unequal pixels. A film is
averaged to 96 x 96 cells, of which what is left beside a blurred picture is kept: edges of ribs, vessels and heart. Two
films are compared block by block, and the median block counts, so that an outline which all films of a set share makes
no copies of them. Of 346 films of NIH ChestX-ray14 and the Hannover set no two reach more than 0.13, of 24 phantoms
0.42; a film and its copies (224 pixels wide, JPEG of quality 30, gamma 0.6 and 1.6, equalised, half the window, noise)
0.65.

A border of one value, as letterboxing adds, is compared without it too: of 338 films of NIH, 121 of them with such a
border, no two are copies so, and a film and its copy in a border (1% to 20%, JPEG of quality 30) reach 0.89.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.backgrounds.entries import Entry
from synnodtest.backgrounds.file_formats import suffix_of
from synnodtest.backgrounds.mha import data_file_of
from synnodtest.backgrounds.readers import read_pixels
from synnodtest.counted import counted
from synnodtest.errors import BackgroundError, SynnodError, system_faults
from synnodtest.files import sha256_of_file
from synnodtest.geometry import FloatArray
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
        return hashlib.sha256(shape.encode() + pixels.tobytes()).hexdigest().encode() + likenesses(pixels)

    by_file = Sight(digest_of(pixels_beside(entry) or entry.path))
    if not decoded:
        return by_file
    try:
        packed = made() if cache is None else Store(cache).obtain("looks", content, made)
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
        return films, [NOT_SOUGHT]
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
        f"mirrored, in a border or through another window: {does} (such as {pairs[0][0]} and {pairs[0][1]})"
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
    with system_faults(path, BackgroundError):
        status = path.stat()
        key = (str(path), status.st_size, status.st_mtime_ns)
        if key not in _DIGESTS:
            _DIGESTS[key] = sha256_of_file(path)
    return _DIGESTS[key]


SIDE, RIM, BLUR, BLOCK = 96, 4, 1.0, 8
"""Cells a side, cells cut off at the rim, blur in cells and cells a side of a block; set by hand: they tell copies from
other films as measured above, from 224 pixels on."""
COPY, WORTH_A_LOOK = 0.6, 0.35
"""Median correlation of the blocks from which two films are copies of one; their mean from which it is computed."""
_STEPS = 42
"""Of a standard deviation, in which a likeness is kept; three of them either way fill a byte."""
_ROWS = 512
"""Films compared with all others in one product; nothing depends on it but memory."""
LEVEL = 0.04
"""Range of a row or column up to which it is of one value; set by hand above what JPEG leaves beside an edge."""
_LEAST_PX = 64
"""Fewer pixels a side within a border are no film."""
MOST = 6000
"""Films that are compared with each other; more would take minutes and gigabytes."""
NOT_SOUGHT = f"copies in other sizes or with loss were not sought among more than {MOST} radiographs"


def likeness(pixels: FloatArray) -> bytes:
    """Return what is kept of a film (H x W)."""
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    cells = np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), dtype=np.float64)
    edges = (cells - scipy.ndimage.gaussian_filter(cells, BLUR))[RIM:-RIM, RIM:-RIM]
    scale = 1.4826 * float(np.median(np.abs(edges))) or 1.0
    return np.rint(np.clip(edges / scale, -3, 3) * _STEPS).astype(np.int8).tobytes()


def likenesses(pixels: FloatArray) -> bytes:
    """Return the likeness of a film and, where it has a border of one value, of what lies within."""
    inner = within_border(pixels)
    return likeness(pixels) + (likeness(inner) if inner.shape != pixels.shape else b"")


def within_border(pixels: FloatArray) -> FloatArray:
    """Return what lies within a film's border of one value; the film where it has none, or next to nothing else."""
    cut = []
    for axis in (0, 1):
        inside = np.flatnonzero(np.ptp(pixels, axis=1 - axis) > LEVEL)
        cut.append(slice(inside[0], inside[-1] + 1) if inside.size else slice(None))
    inner = pixels[cut[0], cut[1]]
    return inner if min(inner.shape) >= _LEAST_PX else pixels


def copies(seen: Mapping[str, bytes]) -> dict[str, str]:
    """Return the films that are copies of an earlier one, and the first of which each is one.

    Mirrored and inverted copies too, and such with a border. Nothing where there are more than :data:`MOST` films.

    Args:
        seen: The :func:`likenesses` of each film.
    """
    if not 2 <= len(seen) <= MOST:
        return {}
    size = (SIDE - 2 * RIM) ** 2
    owner: dict[bytes, str] = {}
    for name, one in seen.items():
        owner.setdefault(one, name)
    looks = list(owner)  # of a film that lies there a thousand times, every pair would be weighed
    pairs = {*_pairs([one[:size] for one in looks], range(len(looks)))}
    bordered = [number for number, one in enumerate(looks) if len(one) > size]
    pairs |= {*_pairs([one[-size:] for one in looks], bordered)} if bordered else set()
    first: dict[bytes, str] = {}
    for film, earlier in sorted(pairs):
        first.setdefault(looks[film], first.get(looks[earlier], owner[looks[earlier]]))
    found = {name: first.get(one, owner[one]) for name, one in seen.items()}
    return {name: film for name, film in found.items() if film != name}


def _pairs(seen: Sequence[bytes], asked: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Yield the pairs of a film and an earlier one that are copies, one of them asked for; mirrored ones too."""
    cells = np.frombuffer(b"".join(seen), dtype=np.int8).reshape(-1, SIDE - 2 * RIM, SIDE - 2 * RIM)
    films = _blocks(cells)
    yield from _alike(films, films, asked)
    yield from _alike(films, _blocks(cells[:, :, ::-1]), asked)


def _alike(films: NDArray[np.float32], others: NDArray[np.float32], asked: Sequence[int]) -> Iterator[tuple[int, int]]:
    flat, flat_others = films.reshape(len(films), -1), others.reshape(len(others), -1)
    every = len(asked) == len(films)
    for start in range(0, len(asked), _ROWS):
        rows = asked[start : start + _ROWS]
        near = np.abs(flat[rows] @ flat_others.T) >= WORTH_A_LOOK * films.shape[1]
        for row, other in zip(*map(np.ndarray.tolist, np.nonzero(near)), strict=True):
            film = rows[row]
            one_way = other < film or (other > film and not every)
            if one_way and abs(np.median((films[film] * others[other]).sum(axis=1))) >= COPY:
                yield max(film, other), min(film, other)


def _blocks(cells: NDArray[np.int8]) -> NDArray[np.float32]:
    """Return the blocks of each film (film, block, cell), each of mean 0 and length 1: products are correlations."""
    wide = (SIDE - 2 * RIM) // BLOCK
    cut = cells.reshape(-1, wide, BLOCK, wide, BLOCK).swapaxes(2, 3)
    values = cut.reshape(len(cut), wide * wide, BLOCK * BLOCK).astype(np.float32)
    values -= values.mean(axis=2, keepdims=True)
    length = np.linalg.norm(values, axis=2, keepdims=True)
    return np.asarray(values / np.maximum(length, np.float32(1e-6)), dtype=np.float32)
