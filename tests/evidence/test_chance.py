"""Nodules put into the other lung are hit by what hits none, and a pass beside such findings says how many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding
from synnodtest.evidence.arm import PRIOR_ARM, Arm
from synnodtest.evidence.chance import EXCHANGED, MIRRORED, exchanged, mirrored, share_hit, told_of_chance
from synnodtest.evidence.ruling import Ruling, Status
from synnodtest.evidence.sightings import Sighting
from synnodtest.expectations.kinds.growth import Growth
from synnodtest.expectations.kinds.parity import Parity
from synnodtest.expectations.pairing import Compared
from synnodtest.matching import Matching
from synnodtest.spec.quantities import Stratum
from tests.expectations.evidence import evidence, trial

RULE = Matching(tolerance_mm=0.0)


def beside(score, *, x):
    """A trial whose nodule of 4 px begins at column 10, row 10 of 100, hit, with one more finding at a column."""
    made = trial("b", 0.9)
    more = Sighting(Finding((x - 1.0, 11.0, x + 1.0, 13.0), score))
    return replace(made, sightings=(*made.sightings, more), false_positives=(1,))


@pytest.mark.parametrize(("x", "hit"), [(85.9, False), (86.1, True), (89.9, True), (90.1, False)])
def test_a_nodule_in_columns_10_to_14_of_100_lies_mirrored_in_86_to_90(x, hit):
    (moved,) = mirrored(evidence([beside(0.6, x=x)]), RULE).trials
    assert moved.nodules[0].finding == (1 if hit else None)
    assert moved.nodules[0].confidence == (0.6 if hit else 0.0)


@pytest.mark.parametrize(("x", "hit"), [(183.9, False), (184.1, True), (189.9, True), (190.1, False)])
def test_a_wide_nodule_of_a_radiograph_wider_than_high_keeps_its_rows_and_its_width(x, hit):
    """Of 200 columns, its nodule in 10 to 16; the distance from the right border is that from the left."""
    made = replace(beside(0.6, x=x), shape=(100, 200))
    truth = replace(made.nodules[0].truth, crop=np.ones((4, 6), dtype=bool))
    made = replace(made, nodules=(replace(made.nodules[0], truth=truth),))
    (moved,) = mirrored(evidence([made]), RULE).trials
    assert moved.nodules[0].finding == (1 if hit else None)
    assert not hit or moved.nodules[0].truth.box == (184, 10, 190, 14)


def test_the_outline_is_mirrored_too():
    made = beside(0.6, x=86.5)
    half = np.array([[True, True, False, False]] * 4)
    truth = replace(made.nodules[0].truth, crop=half)
    made = replace(made, nodules=(replace(made.nodules[0], truth=truth),))
    assert mirrored(evidence([made]), RULE).trials[0].nodules[0].finding is None


def test_what_hits_a_nodule_hits_no_mirrored_one():
    middle = replace(beside(0.6, x=5.0), shape=(100, 24))
    assert mirrored(evidence([middle]), RULE).trials[0].nodules[0].finding is None


def test_the_share_counts_findings_of_the_operating_point():
    made = [beside(score, x=88.0) for score in (0.6, 0.6, 0.2)] + [beside(0.6, x=40.0)]
    assert share_hit([mirrored(evidence(made, operating_point=0.25), RULE)]) == 0.5
    assert share_hit([mirrored(evidence(made, operating_point=0.1), RULE)]) == 0.75
    assert share_hit([evidence([])]) == 0.0


@pytest.mark.parametrize(
    ("parameters", "share"),
    [
        ({}, 0.4),
        ({"where": {"view": "AP"}}, 1.0),
        ({"where": {"view": "PA"}}, 0.0),
        ({"arm": "plain"}, 1 / 3),
        ({"arm": "worn", "reference": "plain"}, 0.4),
        ({"of": "other"}, 0.0),
    ],
)
def test_the_share_is_that_of_the_nodules_that_are_judged(parameters, share):
    """What is marked everywhere on AP films, or in one arm, is not made up for by other films and arms."""
    views = ("AP", "PA", "PA")
    made = [replace(beside(0.6, x=88.0 if v == "AP" else 40.0), strata={"view": v}, arm=Arm("plain")) for v in views]
    made += [replace(made[0], arm=Arm("worn")), replace(made[1], arm=Arm("@under:worn"))]
    held = [mirrored(evidence(made, operating_point=0.25), RULE)]
    assert share_hit(held, Compared(**parameters)) == pytest.approx(share)


def test_of_groups_that_are_compared_the_share_is_that_of_their_nodules():
    """Films of a third device, on which little is marked, do not make up for it."""
    made = [replace(beside(0.6, x=88.0 if d in "AB" else 40.0), strata={"device": d}) for d in "ABCCCC"]
    groups = [Stratum(f"device={d}", {"device": {"equals": d}}) for d in "AB"]
    held = [mirrored(evidence(made), RULE)]
    assert share_hit(held, Parity(strata=groups, margin=0.2)) == 1.0


def test_scenes_that_an_expectation_plans_for_comparison_make_up_for_none_that_are_judged():
    made = [beside(0.6, x=88.0), *(replace(beside(0.6, x=40.0), arm=PRIOR_ARM.of("default")) for _ in range(3))]
    assert share_hit([mirrored(evidence(made), RULE)], Growth(at_least=0.3)) == 1.0


def test_a_pass_says_how_many_mirrored_places_are_hit():
    told = told_of_chance(Ruling(Status.PASSED, "PASSED sensitivity 0.93", "c"), 0.314, MIRRORED).sentence
    assert told.startswith("PASSED sensitivity 0.93; 31% of the places mirrored")


def of_lung(background, column, *, x, side="right_lung", width=100):
    """A trial whose nodule of 4 px in a lung begins at a column, row 10, with one more finding at another column."""
    made = replace(beside(0.6, x=x), background=background, cluster=background, shape=(100, width))
    nodule = made.nodules[0]
    moved = replace(nodule, truth=replace(nodule.truth, origin=(10, column)), regions=frozenset({"lung", side}))
    return replace(made, nodules=(moved,))


def test_marks_all_over_one_lung_lie_where_nodules_of_other_backgrounds_do():
    """Nodules of the right lung alone, mirrored, tell nothing of a detector that marks the right lung alone."""
    made = [of_lung("a", 10, x=32.0), of_lung("b", 30, x=12.0)]
    assert share_hit([mirrored(evidence(made), RULE)]) == 0.0
    assert share_hit([exchanged(evidence(made), RULE)]) == 1.0


def test_a_place_is_taken_over_as_a_share_of_the_radiographs_sides_from_a_nodule_of_the_same_lung():
    made = [of_lung("a", 10, x=44.0), of_lung("left", 70, x=5.0, side="left_lung"), of_lung("b", 42, x=1.0, width=200)]
    first, left, wide = exchanged(evidence(made), RULE).trials
    assert first.nodules[0].finding is None  # columns 42 to 46 of 200 are 20 to 24 of 100
    assert wide.nodules[0].finding is None
    assert left.nodules[0].finding is None  # no other of its lung: 26 to 30, mirrored
    made[0] = of_lung("a", 10, x=22.0)
    assert exchanged(evidence(made), RULE).trials[0].nodules[0].truth.origin == (10, 20)


def test_of_one_background_places_are_mirrored():
    made = [beside(0.6, x=88.0), beside(0.6, x=40.0)]
    assert share_hit([exchanged(evidence(made), RULE)]) == share_hit([mirrored(evidence(made), RULE)]) == 0.5
    told = told_of_chance(Ruling(Status.PASSED, "PASSED x", "c"), 0.2, EXCHANGED).sentence
    assert (
        told == "PASSED x; 20% of the places of other backgrounds' nodules, where nothing was planted, are hit as well"
    )
