"""Which scenes of an expectation stand in its gallery, and in which order."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from synnodtest.expectations.kind import false_alarm, finding_in_region, is_judged, missed_nodule
from synnodtest.expectations.language import Selection
from tests.expectations.evidence import trial


@pytest.mark.parametrize(
    ("asked", "scene", "judged"),
    [
        ({}, {}, True),
        ({"arm": "a"}, {"arm": "a"}, True),
        ({"arm": "a"}, {"arm": "b"}, False),
        ({"arm": "a", "reference": "b"}, {"arm": "b"}, True),
        ({"arm": "a"}, {"arm": "@under:a"}, True),
        ({"of": "nodule"}, {}, True),
        ({"of": "other"}, {}, False),
        ({"where": {"diameter_mm": {"at_least": 10}}}, {}, True),
        ({"where": {"diameter_mm": {"at_least": 11}}}, {}, False),
    ],
)
def test_a_scene_is_judged_that_arm_name_and_condition_select(asked, scene, judged):
    assert is_judged(Selection(**asked), trial("b", 0.9, **scene)) is judged


def test_of_a_radiograph_without_nodules_only_what_is_known_of_it_speaks():
    bare = trial("b", arm="@untouched", strata={"sex": "F"})
    assert is_judged(Selection(where={"sex": "F", "diameter_mm": {"at_least": 30}}), bare)
    assert not is_judged(Selection(where={"sex": "M"}), bare)
    assert is_judged(Selection(where={"sex": {"in": ["F", "X"]}}), bare)
    assert not is_judged(Selection(where={"sex": {"in": ["M", "X"]}}), bare)
    assert is_judged(Selection(of="other"), bare)


def test_a_missed_nodule_is_the_worse_the_larger_and_denser_and_of_found_ones_the_order_is_the_same():
    small, large = (trial("b", 0.0, diameter_mm=mm) for mm in (6.0, 20.0))
    both = replace(small, nodules=(*small.nodules, *trial("b", 0.9, diameter_mm=20.0, name="found").nodules))
    assert missed_nodule(Selection(), small, 0.25) == (True, pytest.approx(6 * 0.3))
    assert missed_nodule(Selection(), large, 0.25) == (True, pytest.approx(20 * 0.3))
    assert missed_nodule(Selection(), both, 0.25) == (True, pytest.approx(6 * 0.3))
    assert missed_nodule(Selection(of="found"), both, 0.25) == (False, pytest.approx(20 * 0.3))
    assert missed_nodule(Selection(of="found"), both, 0.95) == (True, pytest.approx(20 * 0.3))
    assert missed_nodule(Selection(), both, 0.95) == (True, pytest.approx(20 * 0.3))
    assert missed_nodule(Selection(where={"diameter_mm": {"at_least": 30}}), both, 0.25) == (False, 0.0)


def test_false_alarms_are_the_worse_the_more_and_the_louder():
    assert false_alarm(Selection(), trial("b", false_positives=[0.9, 0.5, 0.1]), 0.5) == (True, 2.9)
    assert false_alarm(Selection(), trial("b", false_positives=[0.5]), 0.5) == (True, 1.5)
    assert false_alarm(Selection(), trial("b", false_positives=[0.4]), 0.5) == (False, 0.4)


@pytest.mark.parametrize(
    ("arm", "region", "bad"), [("a", "hilar", True), ("a", "lung", False), ("@outside", "hilar", False)]
)
def test_a_finding_in_the_region_speaks_against_scenes_of_the_behaviour_itself(arm, region, bad):
    made = trial("b", arm=arm, fires=[("hilar", 0.7)])
    assert finding_in_region(SimpleNamespace(region=region), made, 0.5) == (bad, 0.7)
    assert not finding_in_region(SimpleNamespace(region=region), made, 0.8).bad
