"""A synthesized radiograph as bytes: only what differs from its background, and the planted truth.

Layout: magic, length of the header, header (canonical JSON), zlib stream. The stream holds the truth masks as bits;
then whole regions, if they are not the background's; then, per crop, the exclusive-or of the float32 bits of
radiograph and background with the four bytes of each value separated, which is lossless for any values and
small where little changed. A radiograph of another shape than its background's, of which nothing is the same, is
``plain``: its masks and float32 pixels (little-endian) follow the header as they are.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import numpy as np
import scipy
from numpy.typing import NDArray

from synnodtest.canonical import canonical_json
from synnodtest.errors import StoreError
from synnodtest.geometry import BoolArray, Crop, FloatArray, bits_of, cut_of, mask_of
from synnodtest.masks import PackedMasks, digests_of
from synnodtest.radiograph import Radiograph, Truth

Header = Mapping[str, Any]
"""Header of an encoded radiograph before its stream: see :func:`encode_edit`."""
_MAGIC = b"SNRG\x01"
_TILE = 16
"""Side of the tiles by which changed parts are found, in pixels; set by hand: smaller take time, larger store more that
is the same."""


@dataclass(frozen=True)
class StoredRadiograph:
    """An encoded radiograph's facts without its background.

    Args:
        content_sha256: Of the radiograph.
        crops: Disjoint; beyond them its pixels are those of its background, if that has its shape.
    """

    content_sha256: str
    crops: tuple[Crop, ...]


@dataclass(frozen=True, eq=False)
class Edit:
    """A radiograph, what it was made from, and where the two differ.

    Args:
        radiograph: The radiograph.
        background: What it was made from.
        crops: Disjoint; beyond them its bits are those of its background, if that has its shape, else 0.
        reason: Why acceptance excludes it, empty where it is accepted; None where that was not asked.
    """

    radiograph: Radiograph
    background: Radiograph
    crops: Sequence[Crop]
    reason: str | None = None

    @classmethod
    def of(cls, radiograph: Radiograph, background: Radiograph) -> Edit:
        """Compare a radiograph with its background."""
        boxes = _differing_boxes(_bits(radiograph.pixels), _bits(_base(radiograph.shape, background)))
        return cls(radiograph, background, boxes)


def encode_radiograph(radiograph: Radiograph, background: Radiograph) -> bytes:
    """Return ``radiograph`` as bytes, to be decoded with the same ``background``.

    Bit-exact. A radiograph of another shape than its background is stored whole.
    """
    return encode_edit(Edit.of(radiograph, background))


def encode_edit(edit: Edit) -> bytes:
    """Return :func:`encode_radiograph` of a radiograph that was compared with its background before."""
    radiograph, background, crops = edit.radiograph, edit.background, edit.crops
    regions = None if _same_regions(radiograph, background) else sorted(radiograph.regions)
    plain = radiograph.shape != background.shape
    header = {
        "shape": list(radiograph.shape),
        "spacing_mm": list(radiograph.spacing_mm),
        "background": radiograph.background,
        "patient": radiograph.patient,
        "strata": dict(radiograph.strata),
        "estimated": sorted(radiograph.estimated),
        "source": radiograph.source,
        "content_sha256": radiograph.content_sha256(background, _same_rows(crops)),
        "crops": [list(crop) for crop in crops],
        "nodules": [_truth_header(truth) for truth in radiograph.nodules],
        "regions": regions,
        **({} if regions is None else {"regions_sha256": digests_of(radiograph.regions, regions)}),
        **({"plain": True} if plain else {}),
    }
    masks = [bits_of(truth.crop) for truth in radiograph.nodules]
    masks += [bits_of(radiograph.regions[name]) for name in regions or ()]
    mine, text = _bits(radiograph.pixels), canonical_json(header).encode()
    head = [_MAGIC, len(text).to_bytes(4, "big"), text]
    if plain:
        return b"".join([*head, *masks, mine.astype("<u4").tobytes()])
    theirs = _bits(background.pixels)
    differences = [_shuffled(mine[cut] ^ theirs[cut]) for cut in map(cut_of, crops)]
    return b"".join([*head, _deflated(b"".join(masks + differences))])


def peek_radiograph(data: bytes) -> StoredRadiograph:
    """Return content sha256 and crops of an encoded radiograph, without its background and without its pixels.

    Raises:
        StoreError: ``data`` does not begin as an encoded radiograph.
    """
    header, _ = _split(data)
    crops = tuple((row, column, height, width) for row, column, height, width in header["crops"])
    return StoredRadiograph(header["content_sha256"], crops)


def decode_radiograph(
    data: bytes, background: Radiograph, *, verify: bool = True, pixels: FloatArray | None = None
) -> Radiograph:
    """Return the radiograph that :func:`encode_radiograph` was given, bit by bit.

    Args:
        data: What it returned.
        background: The same background.
        verify: Compare the sha256 of the content (some milliseconds per radiograph).
        pixels: Those that were encoded, where they are at hand: they are not decoded then.

    Raises:
        StoreError: ``data`` is no encoded radiograph, or ``background`` is another one.
    """
    header, stream = _split(data)
    blob = _inflated(stream, header, only_truth=pixels is not None and header["regions"] is None)
    nodules, regions = _truths(header, blob), background.regions
    if header["regions"] is not None:
        regions = _regions(header, blob, known={} if verify else header.get("regions_sha256", {}))
    radiograph = Radiograph(
        pixels=_pixels(header, blob, background) if pixels is None else pixels,
        spacing_mm=tuple(header["spacing_mm"]),
        regions=regions,
        background=header["background"],
        patient=header["patient"],
        strata=header["strata"],
        estimated=frozenset(header["estimated"]),
        source=header["source"],
        nodules=nodules,
        exposure=background.exposure,
    )
    if verify and radiograph.content_sha256(background, _same_rows(header["crops"])) != header["content_sha256"]:
        raise StoreError(
            f"a stored radiograph on background {header['background']!r} does not fit the background it is read with",
            hint="the background has changed under the same key; delete the store",
        )
    return radiograph


def _pixels(header: Header, blob: BytesIO, background: Radiograph) -> FloatArray:
    if header.get("plain"):
        return np.frombuffer(blob.read(), "<f4").astype(np.float32).reshape(header["shape"])
    bits = _bits(_base(_pair(header["shape"]), background)).copy()
    for crop in header["crops"]:
        _, _, height, width = crop
        bits[cut_of(crop)] ^= _unshuffled(blob.read(4 * height * width), (height, width))
    return bits.view(np.float32)


def _same_rows(crops: Sequence[Sequence[int]]) -> int:
    """Return how many rows at the top are the background's, if that has the radiograph's shape."""
    return min((row for row, *_ in crops), default=0)


def _base(shape: tuple[int, int], background: Radiograph) -> FloatArray:
    return background.pixels if background.shape == shape else np.zeros(shape, dtype=np.float32)


def _bits(pixels: FloatArray) -> NDArray[np.uint32]:
    return np.ascontiguousarray(pixels, dtype=np.float32).view(np.uint32)


def _differing_boxes(mine: NDArray[np.uint32], theirs: NDArray[np.uint32]) -> list[Crop]:
    """Return boxes ``(row, column, height, width)`` that cover every differing pixel, on a grid of tiles."""
    height, width = mine.shape
    pairs = [bits if width % 2 else bits.view(np.uint64) for bits in (mine, theirs)]
    rows = np.flatnonzero((pairs[0] != pairs[1]).any(axis=1))
    if not rows.size:
        return []
    first, last = rows[0] // _TILE * _TILE, rows[-1] + 1  # most of a radiograph is its background's
    some = mine[first:last] != theirs[first:last]
    padded = np.pad(some, ((0, -some.shape[0] % _TILE), (0, -width % _TILE)))
    grid = padded.reshape(padded.shape[0] // _TILE, _TILE, padded.shape[1] // _TILE, _TILE)
    tiles: BoolArray = np.asarray(grid.any(axis=(1, 3)))
    boxes = []
    for down, across in _rectangles(tiles):
        top, left = int(first) + down.start * _TILE, across.start * _TILE
        bottom, right = min(int(first) + down.stop * _TILE, height), min(across.stop * _TILE, width)
        boxes.append((top, left, bottom - top, right - left))
    return boxes


def _rectangles(tiles: BoolArray) -> list[tuple[slice, ...]]:
    """Return rectangles that cover the tiles and share none: a pixel in two crops would be changed back."""
    while True:
        labels, _ = scipy.ndimage.label(tiles, structure=np.ones((3, 3)))
        places = scipy.ndimage.find_objects(labels)
        covered = tiles.copy()
        for place in places:
            covered[place] = True
        if np.array_equal(covered, tiles):
            return places
        tiles = covered


def _shuffled(crop: NDArray[np.uint32]) -> bytes:
    return np.ascontiguousarray(crop.astype("<u4", copy=False)).view(np.uint8).reshape(-1, 4).T.tobytes()


def _unshuffled(data: bytes, shape: tuple[int, int]) -> NDArray[np.uint32]:
    planes = np.frombuffer(data, np.uint8).reshape(4, *shape)
    bits: NDArray[np.uint32] = planes[3].astype(np.uint32)
    for plane in planes[2::-1]:
        bits <<= 8
        bits |= plane
    return bits


def _same_regions(radiograph: Radiograph, background: Radiograph) -> bool:
    if radiograph.regions is background.regions:
        return True
    return set(radiograph.regions) == set(background.regions) and all(
        mask is background.regions[name] or np.array_equal(mask, background.regions[name])
        for name, mask in radiograph.regions.items()
    )


def _truth_header(truth: Truth) -> Header:
    return {
        "name": truth.name,
        "origin": list(truth.origin),
        "shape": list(truth.crop.shape),
        "diameter_mm": truth.diameter_mm,
        "contrast": truth.contrast,
        "requested": dict(truth.requested),
    }


def _truths(header: Header, blob: BytesIO) -> tuple[Truth, ...]:
    truths = []
    for item in header["nodules"]:
        shape, origin = _pair(item["shape"]), _pair(item["origin"])
        crop = mask_of(blob.read(_bytes_of_mask(shape)), shape)
        truths.append(Truth(item["name"], crop, origin, item["diameter_mm"], item["contrast"], item["requested"]))
    return tuple(truths)


def _regions(header: Header, blob: BytesIO, known: Mapping[str, str]) -> PackedMasks:
    shape = _pair(header["shape"])
    bits = {name: blob.read(_bytes_of_mask(shape)) for name in header["regions"]}
    return PackedMasks(bits, shape, known)


def _pair(values: Any) -> tuple[int, int]:
    return int(values[0]), int(values[1])


def _split(data: bytes) -> tuple[Header, memoryview]:
    """Return the header and the stream after it."""
    start = len(_MAGIC) + 4
    try:
        if not data.startswith(_MAGIC):
            raise ValueError("it does not begin as one")
        end = start + int.from_bytes(data[len(_MAGIC) : start], "big")
        return json.loads(data[start:end]), memoryview(data)[end:]
    except ValueError as error:
        raise _not_encoded(error) from error


def _inflated(stream: memoryview, header: Header, *, only_truth: bool) -> BytesIO:
    """Return the stream unpacked, or as much of it as the truth takes."""
    try:
        truth = sum(_bytes_of_mask(item["shape"]) for item in header["nodules"])
        masks = len(header["regions"] or ()) * _bytes_of_mask(header["shape"])
        if header.get("plain"):
            if len(stream) != truth + masks + 4 * header["shape"][0] * header["shape"][1]:
                raise ValueError("its length is not that of its pixels")
            return BytesIO(stream)
        if only_truth:
            return BytesIO(zlib.decompressobj().decompress(stream, truth) if truth else b"")
        size = truth + masks + sum(4 * height * width for _, _, height, width in header["crops"])
        return BytesIO(zlib.decompress(stream, bufsize=max(size, 1)))  # a buffer that need not grow
    except (KeyError, ValueError, zlib.error) as error:
        raise _not_encoded(error) from error


def _deflated(data: bytes) -> bytes:
    """Return data as a zlib stream, looking for runs alone: noise holds no longer match, and looking takes its time."""
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    return packer.compress(data) + packer.flush()


def _bytes_of_mask(shape: Sequence[int]) -> int:
    return (shape[0] * shape[1] + 7) // 8


def _not_encoded(error: Exception) -> StoreError:
    return StoreError(f"not an encoded radiograph: {error}", hint="delete the store and run again")
