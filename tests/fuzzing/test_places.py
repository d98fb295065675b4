"""Where the places of a search lie, above all on films whose lungs touch: one lung is never taken for the other."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial import cKDTree

from synnodtest.evidence.ruling import Status
from synnodtest.fuzzing.places import Places
from synnodtest.phantom.sets import PhantomSet
from synnodtest.spec.model import Location
from tests.fuzzing.parts import Holed, Lungs, centre, hunt, ruling

TOUCHING, APART = 0, 3
"""Phantoms of the set ``normal``."""
RADIUS_MM = 6.0


@pytest.fixture(scope="module")
def chests():
    phantoms = PhantomSet("normal", 4, size=128)
    return {film: (phantoms.backgrounds[film], phantoms.load(phantoms.backgrounds[film])) for film in (TOUCHING, APART)}


def places_in(radiograph, region="lung"):
    return Places(lambda _: radiograph, Location(region=region))


def clear(radiograph, among):
    """Return row and column of every pixel among some that lies as far from all that is no lung as the radius."""
    inside, outside = (np.argwhere(mask) for mask in (among, ~radiograph.regions["lung"]))
    away, _ = cKDTree(outside * radiograph.spacing_mm).query(inside * radiograph.spacing_mm)
    return inside[away >= RADIUS_MM]


def pixel(radiograph, centre_mm):
    return tuple(int(at / mm) for at, mm in zip(centre_mm[::-1], radiograph.spacing_mm, strict=True))


def shared(pixels, share):
    """Return what lies at a share, -1 to 1, of sorted values."""
    return pixels[round((len(pixels) - 1) * (1 + share) / 2)]


@pytest.mark.parametrize("film", [TOUCHING, APART])
@pytest.mark.parametrize(("part", "side"), [(0, "right_lung"), (1, "left_lung")])
def test_a_place_lies_in_the_lung_that_its_part_names_touching_or_not(chests, film, part, side):
    background, radiograph = chests[film]
    places = places_in(radiograph)
    assert places.parts(background) == 2
    free = clear(radiograph, radiograph.regions[side])
    for height in (-1.0, -0.6, 0.0, 0.9, 1.0):
        for across in (-1.0, 0.0, 0.3, 1.0):
            at = places.at(background, {"part": part, "height": height, "across": across}, RADIUS_MM)
            row = shared(np.unique(free[:, 0]), -height)
            column = shared(np.unique(free[free[:, 0] == row][:, 1]), across)
            assert pixel(radiograph, at) == (row, column)
            assert places.inside(background, side, at)


def test_an_example_that_names_no_part_is_planted_where_it_was_in_both_lungs_where_they_touch(chests):
    for film, region in ((TOUCHING, "lung"), (APART, "right_lung")):
        background, radiograph = chests[film]
        free = clear(radiograph, radiograph.regions[region])
        at = places_in(radiograph).at(background, {"height": 0.0, "across": 0.8}, RADIUS_MM)
        row = shared(np.unique(free[:, 0]), 0.0)
        assert pixel(radiograph, at) == (row, shared(np.unique(free[free[:, 0] == row][:, 1]), 0.8))


def test_what_lies_behind_the_heart_or_the_diaphragm_is_two_parts_and_the_mediastinum_one(chests):
    for background, radiograph in chests.values():
        counted = {
            region: places_in(radiograph, region).parts(background)
            for region in ("retrocardiac", "subdiaphragmatic", "mediastinum", "left_lung")
        }
        assert counted == {"retrocardiac": 2, "subdiaphragmatic": 2, "mediastinum": 1, "left_lung": 1}


class HalfTouch(Lungs):
    """Two lungs with masks of their own, which touch in ten rows on half of the backgrounds."""

    def __init__(self, count, parts=2):
        super().__init__(count, parts=2)

    def load(self, background):
        radiograph = super().load(background)
        lung = radiograph.regions["lung"].copy()
        lung[60:70, 52:60] |= int(background.content, 16) // 2 % 2 == 0
        right, left = lung.copy(), lung.copy()
        right[:, 56:] = left[:, :56] = False
        return replace(radiograph, regions={"lung": lung, "left_lung": left, "right_lung": right})


@pytest.mark.usefixtures("briefly_described")
def test_a_hole_in_one_lung_is_not_diluted_by_the_other_where_they_touch(tmp_path, monkeypatch):
    """The inner half of the left lung is missed: one place in both lungs together meets it on half of the films."""
    monkeypatch.setattr("tests.fuzzing.parts.Lungs", HalfTouch)
    detector = Holed(lambda truth, radiograph: 56 < centre(truth)[0] < 76)
    gathered = hunt(
        tmp_path,
        detector,
        vary="{location: {region: lung}}",
        more="fixed: {diameter_mm: 20, contrast: 0.6}",
        parts=2,
        expect="detected: {rate_at_least: 0.35}",
        examples=60,
    )
    assert ruling(gathered).status is Status.FAILED, ruling(gathered).sentence
    assert "in the left lung" in ruling(gathered).sentence
    centres = [t["scenes"]["example"]["recipe"]["nodules"][0]["centre_mm"] for t in gathered.entry["trials"]]
    assert len(centres) >= 60
    assert all(x > 56 for x, _ in centres)
