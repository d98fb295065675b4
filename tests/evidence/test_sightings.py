"""Findings with their regions, kept as numbers: what was put in comes out, to the last bit."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from synnodtest.evidence.sightings import Sighting, Sightings, highest, matched, names_of
from synnodtest.finding import Finding
from synnodtest.matching import Matching, match
from synnodtest.radiograph import Truth

ROWS = np.random.default_rng(3).uniform(-5, 900, (400, 5)).tolist()
PLACES = [frozenset({"lung", "hilar"} if k % 3 else ()) for k in range(400)]
FINDINGS = [Finding((a, b, c, d), score) for a, b, c, d, score in ROWS]
GIVEN = tuple(map(Sighting, FINDINGS, PLACES))


def kept(given: tuple[Sighting, ...] = GIVEN) -> Sightings:
    return Sightings([s.finding for s in given], [s.regions for s in given])


def test_what_is_kept_is_what_was_given() -> None:
    assert len(kept()) == 400
    assert tuple(kept()) == GIVEN
    assert [kept()[k] for k in (0, 7, -1)] == [GIVEN[0], GIVEN[7], GIVEN[-1]]
    assert kept()[3:9:2] == GIVEN[3:9:2]
    with pytest.raises(IndexError):
        kept()[400]
    assert tuple(pickle.loads(pickle.dumps(kept()))) == GIVEN


def test_equal_are_equal_findings_in_equal_regions_in_the_same_order() -> None:
    assert kept() == GIVEN
    assert kept() == kept()
    assert kept() != GIVEN[::-1]
    assert kept() != GIVEN[:-1]
    assert kept(()) == ()
    moved = (Sighting(GIVEN[0].finding, frozenset({"heart"})), *GIVEN[1:])
    assert kept() != kept(moved)


def test_a_finding_takes_about_as_much_as_its_five_numbers() -> None:
    sizes = [len(pickle.dumps(kept(GIVEN[:count]))) for count in (100, 300)]
    assert (sizes[1] - sizes[0]) / 200 == pytest.approx(42, abs=1)


def test_the_same_names_are_one_object() -> None:
    assert names_of(("lung", "hilar")) is names_of(("lung", "hilar"))
    assert names_of(("lung",)) == {"lung"}


@pytest.mark.parametrize("scores", [[], [0.3], [0.2, 0.9, 0.4]])
def test_the_highest_score_is_that_of_the_findings_one_by_one(scores: list[float]) -> None:
    findings = [Finding((0.0, 0.0, 1.0, 1.0), score) for score in scores]
    held = Sightings(findings, [frozenset()] * len(findings))
    assert highest(held, -1.0) == highest(tuple(held), -1.0) == max(scores, default=-1.0)


@pytest.mark.parametrize("rule", [Matching(), Matching(tolerance_mm=0.0), Matching("iou", at_least=0.1)])
@pytest.mark.parametrize("spacing", [(0.4, 0.4), (0.3, 1.1)])
def test_findings_far_from_every_nodule_change_no_match(rule: Matching, spacing: tuple[float, float]) -> None:
    """The reference asks each of 300 findings, of which a few lie near; some are left out beforehand."""
    rng = np.random.default_rng(8)
    disc = np.hypot(*np.mgrid[-10:11, -14:15]) <= 10
    for _ in range(4):
        corner, side = rng.uniform(0, 270, (300, 2)), rng.uniform(4, 40, (300, 2))
        boxes, scores = np.hstack([corner, corner + side]).tolist(), rng.integers(1, 9, 300) / 10
        findings = [Finding((a, b, c, d), float(score)) for (a, b, c, d), score in zip(boxes, scores, strict=True)]
        nodules = [
            Truth("n", disc, (row, column), 9.0, 0.2, {}) for row, column in rng.integers(40, 220, (3, 2)).tolist()
        ]
        held = Sightings(findings, [frozenset()] * 300)
        for among in (range(300), sorted(rng.permutation(300)[:200].tolist())):
            slow = match([findings[k] for k in among], nodules, spacing, rule)
            made = matched(held, nodules, spacing, rule, among)
            assert made.finding_of == tuple(None if k is None else among[k] for k in slow.finding_of)
            assert made.duplicates == tuple(among[k] for k in slow.duplicates)
            assert set(made.false_positives) == {*range(300)} - {*made.finding_of} - {*made.duplicates}
            assert any(k is not None for k in made.finding_of)
            assert made == matched(tuple(held), nodules, spacing, rule, among)
