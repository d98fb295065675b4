"""Findings with their regions: looked up together, stored and read."""

import json
import math
import zlib

import numpy as np

from synnodtest import Finding, Radiograph
from synnodtest.engine.sightings import decode_sightings, encode_sightings, regions_at, regions_of, sightings_of

SHAPE = (40, 30)


def radiograph(names=("lung", "hilar", "rib"), seed=0):
    rng = np.random.default_rng(seed)
    return Radiograph(np.zeros(SHAPE, np.float32), (1.0, 1.0), {name: rng.random(SHAPE) < 0.5 for name in names})


def by_hand(shown, point):
    row, column = math.floor(point[1]), math.floor(point[0])
    if not (0 <= row < SHAPE[0] and 0 <= column < SHAPE[1]):
        return frozenset()
    return frozenset(name for name, mask in shown.regions.items() if mask[row, column])


def test_the_regions_of_many_points_are_those_of_each():
    shown, rng = radiograph(), np.random.default_rng(1)
    points = [tuple(point) for point in rng.uniform(-2, 42, (300, 2))]
    points += [(0.0, 0.0), (29.999, 39.999), (30.0, 5.0), (5.0, 40.0), (-1e-9, 3.0), (1e300, -1e300)]
    assert regions_of(shown, points) == [by_hand(shown, point) for point in points]
    assert [regions_at(shown, point) for point in points] == regions_of(shown, points)


def test_without_points_or_without_regions_there_is_nothing():
    assert regions_of(radiograph(), []) == []
    assert regions_of(radiograph(names=()), [(3.0, 4.0)]) == [frozenset()]
    assert sightings_of(radiograph(), []) == ()


def test_stored_sightings_come_back_as_numbers_and_as_the_json_of_earlier_versions():
    shown, rng = radiograph(), np.random.default_rng(2)
    found = [Finding((x, y, x + 3.5, y + 2.25), score) for x, y, score in rng.uniform(0, 25, (50, 3)).tolist()]
    sightings = sightings_of(shown, found)
    assert [s.finding for s in sightings] == found
    assert [s.regions for s in sightings] == [by_hand(shown, f.centre) for f in found]
    data = encode_sightings(sightings)
    numbers = np.frombuffer(data[-len(found) * 40 :], "<f8").reshape(-1, 5)
    assert [Finding((x0, y0, x1, y1), score) for x0, y0, x1, y1, score in numbers.tolist()] == found
    assert decode_sightings(data) == sightings
    assert encode_sightings(decode_sightings(data)) == data
    rows = [[*s.finding.box, s.finding.score, sorted(s.regions)] for s in sightings]
    text = json.dumps(rows, separators=(",", ":")).encode()
    assert decode_sightings(text) == decode_sightings(zlib.compress(text, 6)) == sightings


def test_no_findings_and_findings_in_no_region_come_back():
    nothing = sightings_of(radiograph(), [])
    assert decode_sightings(encode_sightings(nothing)) == () == decode_sightings(b"[]")
    outside = sightings_of(radiograph(names=()), [Finding((0.0, 0.0, 1.0, 1.0), 0.1 + 0.2)])
    assert decode_sightings(encode_sightings(outside)) == outside
