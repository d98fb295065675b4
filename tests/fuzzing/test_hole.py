"""The region around a counterexample: its boundaries, what does not matter, its cost, and that it is the same again."""

import os
import signal
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from synnodtest.canonical import sha256_of
from synnodtest.fuzzing.hole.box import Box
from synnodtest.fuzzing.hole.region import Region
from synnodtest.fuzzing.hole.walk import failing_stretches
from synnodtest.fuzzing.setup import SearchSetup
from synnodtest.planning.difficulty import Dimension, Space, ranged
from synnodtest.planning.example import Example
from synnodtest.store import Store
from tests.fuzzing.parts import Holed, asked, centre, confirmed, depth_mm, hunt, ruling

SIZES = "{diameter_mm: [10, 40], contrast: [0.3, 0.8], location: {region: lung}}"


def sides(region):
    return {t["name"]: [b for p in t["parts"] for b in (p["low"], p["high"]) if b] for t in region["terms"]}


def covers(boundary, planted):
    assert abs(boundary["value"] - planted) <= 0.1 * abs(planted)
    assert boundary["lower"] - 0.02 * abs(planted) <= planted <= boundary["upper"] + 0.02 * abs(planted)


def test_large_nodules_of_one_side(tmp_path):
    detector = Holed(lambda t, _: asked(t, "diameter_mm") > 25 and centre(t)[0] < 56)
    gathered = hunt(tmp_path, detector, vary=SIZES, parts=2)
    region = gathered.entry["region"]
    assert set(sides(region)) == {"diameter_mm", "place.part"}
    (boundary,) = sides(region)["diameter_mm"]
    covers(boundary, 25)
    assert "in the right lung" in region["sentence"]
    assert "contrast" in region["free"]
    assert region["share"] == pytest.approx(0.25, abs=0.03)
    assert region["inside"][0] == region["inside"][1] > 30
    assert region["outside"][0] == 0
    assert region["sentence"] in ruling(gathered).sentence
    assert region["scenes"] < detector.images - region["scenes"]


@pytest.mark.usefixtures("little_around")
def test_a_band_has_two_boundaries_and_a_detector_that_misses_some_anyway_moves_neither(tmp_path):
    def misses(t, radiograph):
        chance = int(sha256_of([radiograph.content_sha256()])[:8], 16) / 16**8
        return 18 < asked(t, "diameter_mm") < 26 or chance < 0.05

    region = hunt(tmp_path, Holed(misses), vary=SIZES).entry["region"]
    assert set(sides(region)) == {"diameter_mm"}
    low, high = sides(region)["diameter_mm"]
    covers(low, 18)
    covers(high, 26)
    assert low["holds_at"] < low["lower"], "beyond its boundary, on the side that holds"
    assert high["holds_at"] > high["upper"]
    assert [low["holds_at"], high["holds_at"]] == region["terms"][0]["held"]


def test_near_the_border_is_found_and_the_distance_from_it_is_said(tmp_path):
    detector = Holed(lambda t, radiograph: depth_mm(t, radiograph) <= 12)
    vary = "{diameter_mm: [10, 18], contrast: [0.3, 1.0], location: {region: lung}}"
    gathered = hunt(tmp_path, detector, vary=vary, examples=30)
    example, matters = confirmed(gathered)
    x = [t["scenes"]["example"]["recipe"]["nodules"][0]["centre_mm"] for t in gathered.entry["trials"]]
    depth = [min(a - 16, b - 16, 96 - a, 96 - b) for a, b in x]
    assert all(10.8 <= d <= 12.5 for d in depth)
    assert example["contrast"] == 1.0
    assert len(matters) == 1
    assert matters[0].startswith("place.")
    region = gathered.entry["region"]
    assert region["terms"] == []
    assert region["rule"]["name"] == "mm from the border of lung"
    assert region["rule"]["below"]
    covers(region["rule"]["border"], 12)
    assert "within 1" in region["sentence"]
    assert set(region["free"]) == {"diameter_mm", "contrast"}


@pytest.mark.usefixtures("little_around")
def test_low_contrast_is_found_and_a_stored_failure_comes_first_and_to_the_same(tmp_path):
    def detector():
        return Holed(lambda t, _: asked(t, "contrast") < 0.3)

    first, resumed = detector(), detector()
    one = hunt(tmp_path, first, examples=30, store="a")
    example, matters = confirmed(one)
    assert 0.27 <= example["contrast"] < 0.3
    assert example["diameter_mm"] == 30
    assert example["place"] == {"height": 0, "across": 0}
    assert matters == ["contrast"]
    again = hunt(tmp_path, resumed, examples=30, store="a")
    assert again.entry["example"] == example
    assert again.entry["tried"]["stored"] == 1
    assert "stored" not in one.entry["tried"]
    told = ruling(again).figure
    assert told["failing_examples_of_earlier_runs_tried_before"] == 1
    assert "stored" not in told["of_them"]
    region = one.entry["region"]
    assert again.entry["region"] == region
    assert resumed.images < 0.2 * first.images
    (boundary,) = sides(region)["contrast"]
    covers(boundary, 0.3)


def test_a_region_that_does_not_fail_as_often_as_claimed_is_not_stated():
    from synnodtest.fuzzing.hole.region import Region

    region = Region((), None, None, (), 0.5, (20, 40), (0, 40), 100, shown=False, complete=True)
    assert region.sentence().startswith("no larger region is shown to fail: 20 of 40")
    whole = Region((), None, None, (), 0.998, (40, 40), (0, 0), 100, shown=True, complete=True)
    assert whole.sentence().startswith("fails everywhere; 100% of the searched space; 40 of 40")


# --- parts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fails", "expected"),
    [
        (lambda v: v > 25, [(25, 40)]),
        (lambda v: 18 < v < 26, [(18, 26)]),
        (lambda v: v < 15 or v > 30, [(10, 15), (30, 40)]),
        (lambda v: True, [(10, 40)]),
    ],
)
def test_walks_along_a_parameter(fails, expected):
    dimension = ranged("diameter_mm", 10, 40)
    start = next(k for k in range(1001) if fails(dimension.value(k)) and fails(dimension.value(k + 3)))
    found, held = failing_stretches(dimension, start, lambda k: fails(dimension.value(k)))
    values = sorted(tuple(sorted(dimension.value(k) for k in pair)) for pair in found)
    assert np.allclose(values, expected, atol=30 / 60)
    assert not any(fails(dimension.value(k)) for k in held)


def test_what_cannot_be_planted_belongs_to_neither_side():
    dimension = ranged("diameter_mm", 10, 40)
    found, held = failing_stretches(dimension, 0, lambda k: None if k > 600 else k < 300)
    assert len(found) == 1
    assert held
    assert max(held) <= 600


def test_an_explicit_pair_is_walked_around_as_a_pair():
    second = (Dimension("companion.present", levels=(False, True)), ranged("companion.distance_mm", 14, 60))
    setup = SimpleNamespace(space=Space((*second, ranged("diameter_mm", 10, 20))), fuzz=SimpleNamespace(fixed={}))
    for point in ((1, 500, 200), (0, 0, 200)):
        assert SearchSetup.point_of(setup, Example.of(setup.space.values(point))) == point


def test_a_box_draws_within_itself_and_knows_its_share():
    space = Space((ranged("diameter_mm", 10, 40), Dimension("place.part", levels=(0, 1)), ranged("contrast", 0.2, 1)))
    box = Box(space).with_(0, ((100, 200), (700, 1000))).with_(1, ((1, 1),))
    points = list(box.drawn(200, np.random.default_rng(0)))
    assert all(box.contains(p) for p in points)
    assert {100 <= p[0] <= 200 for p in points} == {True, False}
    assert box.share() == pytest.approx(0.4 * 0.5)
    assert box.with_(0, ((0, 1000),)).stretches.keys() == {1}
    inside = sum(box.contains(p) for p in Box(space).drawn(4000, np.random.default_rng(1)))
    assert inside / 4000 == pytest.approx(box.share(), abs=0.03)


class Mortal(Holed):
    """Dies on the spot once it has seen so many images."""

    def __init__(self, misses, dies_after):
        super().__init__(misses)
        self.dies_after = dies_after

    def detect(self, radiographs):
        found = super().detect(radiographs)
        if self.images > self.dies_after:
            os.kill(os.getpid(), signal.SIGKILL)
        return found


@pytest.mark.usefixtures("little_around")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="a process that is killed is forked here")
def test_a_walk_that_is_killed_is_taken_up_again_and_comes_to_the_same_region(tmp_path):
    def misses(truth, radiograph):
        return asked(truth, "diameter_mm") > 25

    vary = "{diameter_mm: [10, 40], location: {at_mm: [56, 56]}}"
    undisturbed = Holed(misses)
    whole = hunt(tmp_path, undisturbed, vary=vary, examples=30, store="whole").entry
    walk = whole["region"]["scenes"]
    assert walk > 40
    child = os.fork()
    if child == 0:
        hunt(
            tmp_path, Mortal(misses, undisturbed.images - walk // 2), vary=vary, examples=30, store="killed", keep=Store
        )
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    again = Holed(misses)
    resumed = hunt(tmp_path, again, vary=vary, examples=30, store="killed", keep=Store).entry
    assert again.images < undisturbed.images / 2, "what was finished is not done again"
    for key in ("example", "counterexamples", "region"):
        assert resumed[key] == whole[key], key


def test_a_region_of_the_whole_space_is_told_in_plain_digits():
    whole = Region((), None, None, ("contrast",), 1.0, (36, 36), (0, 0), 104, shown=True, complete=True)
    assert "; 100% of the searched space;" in whole.sentence()
    assert "; 0.12% of the searched space;" in replace(whole, share=0.0012).sentence()
