"""Findings with the regions in which they lie, and how the store keeps them.

A stored entry is a magic word, the length of its header, the header (canonical JSON: the sets of regions), and two
tables of little-endian numbers, row by row as the detector reported: per finding which set its centre lies in (uint16),
and its box and score (five float64).
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from itertools import chain
from typing import Any

import numpy as np

from synnodtest.canonical import canonical_json
from synnodtest.evidence.sightings import Sightings, names_of
from synnodtest.finding import Finding
from synnodtest.geometry import Array
from synnodtest.masks import held_at
from synnodtest.radiograph import Radiograph

Point = tuple[float, float]
_MAGIC = b"SNFD\x01"
_HEAD = len(_MAGIC) + 4
"""Bytes before the header: the magic word and the header's length."""


def regions_at(radiograph: Radiograph, point: Point) -> frozenset[str]:
    """Return the names of the regions that hold a point ``(x, y)`` in pixels."""
    return regions_of(radiograph, [point])[0]


def regions_of(radiograph: Radiograph, points: Sequence[Point]) -> list[frozenset[str]]:
    """Return per point ``(x, y)`` in pixels the names of the regions that hold it; none outside the radiograph.

    Points in the same regions share one set.
    """
    places, sets = _sets_at(radiograph, np.asarray(points, dtype=np.float64).reshape(-1, 2))
    return [sets[place] for place in places]


def _sets_at(radiograph: Radiograph, points: Array) -> tuple[list[int], list[frozenset[str]]]:
    """Return per point (n, 2) which set of regions holds it, and these sets, in the order in which they come."""
    names, (height, width) = list(radiograph.regions), radiograph.shape
    x, y = points.T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    rows, columns = y[inside].astype(np.intp), x[inside].astype(np.intp)
    membership = np.zeros((len(points), len(names)), dtype=np.bool_)
    membership[inside] = held_at(radiograph.regions, rows, columns).T
    codes, length = membership.tobytes(), len(names)
    numbers: dict[bytes, int] = {}
    places = [numbers.setdefault(codes[k * length : (k + 1) * length], len(numbers)) for k in range(len(points))]
    return places, [names_of(tuple(name for name, there in zip(names, code, strict=True) if there)) for code in numbers]


def sightings_of(radiograph: Radiograph, findings: Sequence[Finding]) -> Sightings:
    """Return findings on a radiograph with the regions that hold their centres."""
    numbers = chain.from_iterable((*finding.box, finding.score) for finding in findings)
    table = np.fromiter(numbers, dtype=np.float64).reshape(-1, 5)
    places, sets = _sets_at(radiograph, (table[:, :2] + table[:, 2:4]) / 2)
    return Sightings.of_numbers(table, np.array(places, dtype=np.uint16), sets)


def encode_sightings(sightings: Sightings) -> bytes:
    """Return findings with their regions as bytes: a detector may report hundreds, whose text takes its time."""
    header = canonical_json({"regions": [sorted(names) for names in sightings.regions]}).encode()
    table, places = sightings.numbers
    tables = places.astype("<u2").tobytes() + table.astype("<f8").tobytes()
    return _MAGIC + len(header).to_bytes(4, "big") + header + tables


def decode_sightings(data: bytes) -> Sightings:
    """Rebuild findings from :func:`encode_sightings`, also from the JSON of earlier versions, compressed or not."""
    if not data.startswith(_MAGIC):
        return _of_json(json.loads(data if data.startswith(b"[") else zlib.decompress(data)))
    end = _HEAD + int.from_bytes(data[len(_MAGIC) : _HEAD], "big")
    count = (len(data) - end) // 42
    places = np.frombuffer(data, "<u2", count, end).astype(np.uint16)
    table = np.frombuffer(data, "<f8", 5 * count, end + 2 * count).astype(np.float64).reshape(-1, 5)
    return Sightings.of_numbers(
        table, places, [names_of(tuple(names)) for names in json.loads(data[_HEAD:end])["regions"]]
    )


def _of_json(rows: list[list[Any]]) -> Sightings:
    findings = [Finding((x_min, y_min, x_max, y_max), score) for x_min, y_min, x_max, y_max, score, _ in rows]
    return Sightings(findings, [names_of(tuple(row[5])) for row in rows])
