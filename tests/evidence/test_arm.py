"""Arms by their names in records."""

import json

import pytest

from synnodtest.evidence.arm import CONTROL_ARM, DEFAULT_ARM, SHAM_ARM, UNDER_ARM, UNTOUCHED_ARM, Arm
from tests.expectations.evidence import trial


def test_a_behaviour_s_own_arms_are_told_from_those_that_expectations_plan():
    assert DEFAULT_ARM.is_own
    assert Arm("single").is_own
    assert not any(arm.is_own for arm in (CONTROL_ARM, SHAM_ARM, UNDER_ARM, UNTOUCHED_ARM, UNTOUCHED_ARM.of("single")))


@pytest.mark.parametrize("planned", [UNDER_ARM, UNTOUCHED_ARM])
def test_what_is_planned_from_an_arm_says_which(planned):
    made = planned.of("single")
    assert made == f"{planned}:single"
    assert made.is_from(planned)
    assert made.before(planned) == "single"
    assert made.before(planned).is_own
    assert Arm("single").before(planned) == "single"


def test_the_perturbed_background_of_an_arm_is_not_its_own():
    assert not UNDER_ARM.of(UNTOUCHED_ARM).before(UNDER_ARM).is_own


def test_a_name_that_only_begins_alike_is_another_arm():
    assert not Arm("@underexposed").is_from(UNDER_ARM)


def test_records_hold_the_name_and_trials_take_it():
    assert json.dumps(UNDER_ARM.of("single")) == '"@under:single"'
    assert trial("b0", 0.9, arm="@under:single").arm.is_from(UNDER_ARM)


@pytest.mark.parametrize(
    ("arm", "word"),
    [("default", "default"), ("under", "under"), ("@under:default", "perturbed"), ("@under:single", "perturbed single"),
     ("@under:@untouched", "perturbed untouched"), ("@untouched", "untouched"),
     ("@untouched:rotated", "untouched rotated")],
)  # fmt: skip
def test_a_reader_is_told_what_was_planned_and_from_which_arm(arm, word):
    assert Arm(arm).word == word
