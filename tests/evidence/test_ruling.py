"""An interval against a bound, point by point; and what several components come to."""

import math

import pytest

from synnodtest.evidence.ruling import Component, Status, combine, decide

RIGHT = {"above": lambda x: x > 2, "below": lambda x: x < 2, "within": lambda x: abs(x) < 2}
WRONG = {"above": lambda x: x < 2, "below": lambda x: x > 2, "within": lambda x: abs(x) > 2}


@pytest.mark.parametrize("side", RIGHT)
def test_only_an_interval_wholly_on_one_side_settles_and_none_that_touches_the_bound(side):
    for lower in range(-4, 5):
        for upper in range(lower, 5):
            points = range(lower, upper + 1)
            passed, failed = all(map(RIGHT[side], points)), all(map(WRONG[side], points))
            word = "PASSED" if passed else "FAILED" if failed else "INCONCLUSIVE"
            assert decide(lower, upper, 2, side) == word, (lower, upper)
    for far in (-9.0, 0.0, 9.0):
        assert decide(math.nan, far, 2, side) == decide(far, math.nan, 2, side) == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("parts", "word"),
    [
        ("", "INCONCLUSIVE"),
        ("shown PASSED", "INCONCLUSIVE"),
        ("decides PASSED, gate PASSED, shown FAILED", "PASSED"),
        ("decides PASSED, gate FAILED", "INCONCLUSIVE"),
        ("decides PASSED, decides INCONCLUSIVE", "INCONCLUSIVE"),
        ("decides PASSED, decides FAILED", "FAILED"),
        ("decides FAILED, gate INCONCLUSIVE", "FAILED"),
    ],
)
def test_all_must_pass_and_a_failed_gate_only_withholds(parts, word):
    made = [part.split() for part in parts.split(", ") if part]
    components = (Component("", "", 0, 0, 0, 0, "above", Status(status), "", role=role) for role, status in made)
    assert combine(tuple(components)) == word
