"""Rulings of somebody else's check: a pass must be borne out by its own numbers."""

import math
from dataclasses import replace

import pytest

from synnodtest.checks import Component, Ruling, Status, check, find_check
from synnodtest.errors import SynnodError
from synnodtest.expectations import registry
from tests.expectations.evidence import evidence, trial

MANY = evidence([trial(f"b{i}", 0.9) for i in range(20)])
HIGH = Component("s", "sensitivity", 0.9, 0.7, 0.98, 0.5, "above", Status.PASSED, "exact")
GOOD = Ruling(Status.PASSED, "PASSED well", "sensitivity exceeds 0.5", components=(HIGH,))

CONTRADICTIONS = {
    "interval holds the bound": replace(HIGH, lower=0.4),
    "wrong side": replace(HIGH, side="below"),
    "nothing is known": replace(HIGH, lower=math.nan),
    "gate": replace(HIGH, role="gate", status=Status.INCONCLUSIVE),
    "failed": replace(HIGH, status=Status.FAILED),
}


@pytest.fixture
def ruled(monkeypatch):
    """Return what a registered check's ruling becomes."""
    monkeypatch.setattr(registry._KINDS, "_registered", {})

    def rule(answer, seen=MANY):
        check("somebodys")(lambda parameters, evidence: answer)
        return find_check("somebodys").judge({}, seen)

    yield rule
    registry.forget()


def test_a_pass_that_its_numbers_bear_out_stands(ruled):
    assert ruled(GOOD) == GOOD
    assert ruled(replace(GOOD, components=())).status is Status.PASSED
    shown = replace(HIGH, role="shown", status=Status.FAILED)
    assert ruled(replace(GOOD, components=(HIGH, shown))).status is Status.PASSED


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_pass_that_its_own_numbers_contradict_is_a_fault(ruled, case):
    with pytest.raises(SynnodError, match="'somebodys' says PASSED, but its 'sensitivity'"):
        ruled(replace(GOOD, components=(HIGH, CONTRADICTIONS[case])))


def test_what_does_not_pass_is_taken_as_it_is(ruled):
    odd = replace(HIGH, status=Status.INCONCLUSIVE, lower=math.nan)
    said = Ruling(Status.INCONCLUSIVE, "INCONCLUSIVE so", "c", components=(odd,))
    assert ruled(said).status is Status.INCONCLUSIVE


def test_a_status_may_be_its_word_and_nothing_else(ruled):
    assert ruled(replace(GOOD, status="PASSED")).status is Status.PASSED
    for answer in (replace(GOOD, status="OK"), replace(GOOD, status=True), True, None):
        with pytest.raises(SynnodError, match="check 'somebodys' returned"):
            ruled(answer)


def test_one_background_never_passes(ruled):
    ruling = ruled(GOOD, evidence([trial("b", 0.9)] * 5))
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.sentence == "INCONCLUSIVE well; a single background never decides"
