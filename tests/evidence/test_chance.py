"""Nodules put into the other lung are hit by what hits none, and a pass beside such findings says how many."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from synnodtest import Finding
from synnodtest.evidence.arm import PRIOR_ARM, Arm
from synnodtest.evidence.chance import mirrored, share_hit, told_of_chance
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
    told = told_of_chance(Ruling(Status.PASSED, "PASSED sensitivity 0.93", "c"), 0.314).sentence
    assert told.startswith("PASSED sensitivity 0.93; 31% of the places mirrored")
