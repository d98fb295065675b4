"""Each hole is found within 200 examples, shrunk to its boundary from the easy side, confirmed, and named.

Low contrast and the border of the lung, whose regions are walked as well, are in ``test_hole.py``.
"""

import numpy as np
import pytest

from synnodtest.fuzzing.failure_rule import _best_cut
from tests.fuzzing.parts import Holed, asked, centre, confirmed, hunt, roughness

pytestmark = pytest.mark.usefixtures("briefly_described")


def test_the_threshold_that_tells_failing_scenes_is_found_on_either_side():
    values = np.array([3.0, 30.0, 11.0, 12.5, 20.0, 9.0])
    rule = _best_cut("mm from the border of retrocardiac", values, values < 12)
    assert (rule.below, rule.balance, rule.threshold) == (True, 1.0, 11.75)
    assert "up to 11.8 mm from the border of the heart (region retrocardiac)" in rule.sentence()
    assert not _best_cut("contrast", values, values > 12).below
    assert _best_cut("contrast", np.ones(6), values < 12) is None


def test_the_left_apex(tmp_path):
    def misses(truth, _):
        x, y = centre(truth)
        return x > 56 and y < 36

    gathered = hunt(tmp_path, Holed(misses), parts=2, examples=30)
    example, matters = confirmed(gathered)
    assert example["place"]["part"] == 1
    heights = [t["scenes"]["example"]["recipe"]["nodules"][0]["centre_mm"][1] for t in gathered.entry["trials"]]
    assert all(34 <= y <= 36.5 for y in heights)
    assert set(matters) <= {"place.part", "place.height", "diameter_mm"}
    assert {"place.part", "place.height"} <= set(matters)


def test_the_second_nodule_when_it_is_close(tmp_path):
    def misses(truth, radiograph):
        if truth.name != "companion":
            return False
        a, b = (np.array(t.requested["centre_mm"]) for t in radiograph.nodules)
        return float(np.hypot(*(a - b))) < 30

    gathered = hunt(
        tmp_path,
        Holed(misses),
        vary="{diameter_mm: [10, 14], companion: {diameter_mm: 10, distance_mm: [15, 45]}}",
        examples=30,
    )
    example, matters = confirmed(gathered)
    assert 27 <= example["companion"]["distance_mm"] <= 30
    assert set(matters) == {"companion.present", "companion.distance_mm"}


def test_firing_on_strong_compression(tmp_path):
    limit = []

    def fires(radiograph):
        return roughness(radiograph) < limit[0]

    from synnodtest.perturbations import perturb
    from synnodtest.scene import Perturbation
    from tests.fuzzing.parts import Lungs

    lungs = Lungs(8)
    at_40 = [roughness(perturb(lungs.load(b), [Perturbation("jpeg", 40)], 0)) for b in lungs.backgrounds]
    limit.append(float(np.mean(at_40)))
    gathered = hunt(
        tmp_path,
        Holed(fires=fires),
        vary="{perturbations: {jpeg: [10, 100]}}",
        expect="silent: {rate_at_least: 0.8}",
        examples=20,
    )
    example, matters = confirmed(gathered)
    assert 36 <= example["perturbations"]["jpeg"] <= 44
    assert matters == ["perturbations.jpeg"]


def test_two_distinct_holes_are_reported_apart(tmp_path):
    detector = Holed(lambda t, _: asked(t, "contrast") < 0.3 or asked(t, "diameter_mm") < 12)
    gathered = hunt(tmp_path, detector, seed=1, examples=30)
    rows = [row for row in gathered.entry["counterexamples"] if row["says"] == "confirmed"]
    assert {row["matters"] for row in rows} == {"contrast", "diameter_mm"}
    assert all(row["p_holm"] >= row["p"] for row in rows)
