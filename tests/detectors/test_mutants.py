from __future__ import annotations

import numpy as np
import pytest

from synnodtest import Finding, Radiograph
from synnodtest.detectors import CallableDetector, Guard, resolve_detector
from synnodtest.detectors.mutants import MUTANTS, MutantDetector
from synnodtest.errors import DetectorError
from synnodtest.identity import Identity

SMALL = Finding((40.0, 40.0, 50.0, 60.0), 0.4)
LARGE = Finding((120.0, 60.0, 160.0, 80.0), 0.7)
EDGE = Finding((20.0, 90.0, 30.0, 100.0), 0.2)
FOUND = [SMALL, LARGE, EDGE]


def box_mask(x_min, y_min, x_max, y_max):
    mask = np.zeros((160, 200), np.bool_)
    mask[y_min:y_max, x_min:x_max] = True
    return mask


@pytest.fixture
def chest():
    """200 x 160 mm; pixels of 1 mm in x and 0.5 mm in y would hide a swapped axis, so they differ."""
    regions = {
        "lung": box_mask(20, 0, 180, 160),
        "air_leak": box_mask(150, 100, 180, 150),
        "retrocardiac": box_mask(110, 50, 170, 90),
    }
    return Radiograph(np.full((160, 200), 0.5, np.float32), (0.5, 1.0), regions)


def spoiled(kind, chest):
    detector = MutantDetector(kind, CallableDetector(lambda given: [list(FOUND) for _ in given], Identity("inner")))
    return Guard(detector, 5.0).detect([chest])[0]


@pytest.mark.parametrize(
    ("kind", "left"),
    [
        ("size-blind", [SMALL, EDGE]),
        ("border-blind", [SMALL, LARGE]),
        ("keeps-only-top-1", [LARGE]),
        ("flip-blind", [SMALL, EDGE]),
        ("drops-retrocardiac", [SMALL, EDGE]),
        ("always-silent", []),
    ],
)
def test_what_a_mutant_leaves(chest, kind, left):
    assert spoiled(kind, chest) == left


def test_a_finding_in_the_air_leak_only_where_there_is_one(chest):
    made = spoiled("fires-in-air-leak", chest)
    assert made[:3] == FOUND
    x, y = made[3].centre
    assert chest.regions["air_leak"][int(y), int(x)]
    assert spoiled("fires-in-air-leak", Radiograph(chest.pixels, chest.spacing_mm)) == FOUND


def test_every_place_lies_in_a_finding_of_the_one_that_fires_everywhere(chest):
    covered = np.zeros(chest.shape, np.bool_)
    for found in spoiled("fires-everywhere", chest):
        x_min, y_min, x_max, y_max = (round(edge) for edge in found.box)
        covered[y_min:y_max, x_min:x_max] = True
    assert covered.all()


def test_boxes_move_by_ten_millimetres_along_x(chest):
    assert [
        found.box[0] - before.box[0] for found, before in zip(spoiled("off-by-10mm", chest), FOUND, strict=True)
    ] == [10.0] * 3
    fine = Radiograph(chest.pixels, (0.5, 0.25))
    assert spoiled("off-by-10mm", fine)[0].box == (80.0, 40.0, 90.0, 60.0)


def test_scores_are_rounded_to_halves(chest):
    assert [found.score for found in spoiled("score-quantised", chest)] == [0.5, 0.5, 0.0]


def test_random_findings_depend_on_the_pixels_alone(chest):
    other = chest.with_pixels(chest.pixels + np.float32(0.1))
    assert spoiled("random", chest) == spoiled("random", chest)
    assert any(
        spoiled("random", one) != spoiled("random", chest) for one in (other, other.with_pixels(other.pixels * 0))
    )


@pytest.mark.parametrize("kind", sorted(MUTANTS))
def test_a_mutant_answers_within_what_the_guard_allows(chest, kind):
    spoiled(kind, chest)


def test_a_mutant_is_asked_for_by_name_and_has_its_own_identity(tmp_path):
    (tmp_path / "inner_detector.py").write_text(
        "def make():\n    return lambda radiographs: [[] for _ in radiographs]\n"
    )
    mutant = resolve_detector("mutant:off-by-10mm:inner_detector.py:make", base=tmp_path)
    plain = resolve_detector("inner_detector.py:make", base=tmp_path)
    assert mutant.identity.key() != plain.identity.key()
    assert mutant.identity.configuration["of"] == plain.identity.as_dict()
    assert resolve_detector("mutant:always-silent").identity.name == "mutant always-silent"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mutant:of-by-10mm:demo", "did you mean 'off-by-10mm'"),
        ("mutant:size-blind", "needs a detector"),
        ("mutant", "no mutant"),
    ],
)
def test_a_wrong_mutant_is_an_error(text, message):
    with pytest.raises(DetectorError, match=message):
        resolve_detector(text)
