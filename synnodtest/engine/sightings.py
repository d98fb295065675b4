"""Findings with the regions in which they lie, and how the store keeps them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence

import numpy as np

from synnodtest.canonical import canonical_json
from synnodtest.evidence.sightings import Sighting, Sightings, names_of
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph

__all__ = ["decode_sightings", "encode_sightings", "regions_at", "regions_of", "sightings_of"]

Point = tuple[float, float]


def regions_at(radiograph: Radiograph, point: Point) -> frozenset[str]:
    """Return the names of the regions that hold a point ``(x, y)`` in pixels."""
    return regions_of(radiograph, [point])[0]


def regions_of(radiograph: Radiograph, points: Sequence[Point]) -> list[frozenset[str]]:
    """Return per point ``(x, y)`` in pixels the names of the regions that hold it; none outside the radiograph.

    Points in the same regions share one set.
    """
    names, (height, width) = list(radiograph.regions), radiograph.shape
    x, y = np.asarray(points, dtype=np.float64).reshape(-1, 2).T
    inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    held = np.zeros((len(names), len(points)), dtype=np.bool_)
    rows, columns = y[inside].astype(np.intp), x[inside].astype(np.intp)
    for name, row in zip(names, held, strict=True):
        row[inside] = radiograph.regions[name][rows, columns]
    known: dict[bytes, frozenset[str]] = {}
    codes = [column.tobytes() for column in held.T]
    for code in set(codes):
        known[code] = names_of(tuple(name for name, there in zip(names, code, strict=True) if there))
    return [known[code] for code in codes]


def sightings_of(radiograph: Radiograph, findings: Sequence[Finding]) -> Sightings:
    """Return findings on a radiograph with the regions that hold their centres."""
    return Sightings(findings, regions_of(radiograph, [found.centre for found in findings]))


def encode_sightings(sightings: Sequence[Sighting]) -> bytes:
    """Return findings with their regions as compressed canonical JSON."""
    ordered = {regions: sorted(regions) for regions in {s.regions for s in sightings}}
    text = canonical_json([[*s.finding.box, s.finding.score, ordered[s.regions]] for s in sightings])
    return zlib.compress(text.encode(), 6)


def decode_sightings(data: bytes) -> Sightings:
    """Rebuild findings from :func:`encode_sightings`, also from the uncompressed ones of earlier versions."""
    raw = json.loads(data if data.startswith(b"[") else zlib.decompress(data))
    findings = [Finding((x_min, y_min, x_max, y_max), score) for x_min, y_min, x_max, y_max, score, _ in raw]
    return Sightings(findings, [names_of(tuple(row[5])) for row in raw])
