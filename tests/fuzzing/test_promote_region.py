"""The region of a search becomes a behaviour that loads and says what failed; the rest of the file stays."""

import pytest

from synnodtest.commands.promote import region_behaviour, with_behaviour
from synnodtest.errors import SynnodError
from synnodtest.fuzzing.failure_rule import Rule
from synnodtest.fuzzing.hole.region import Boundary, Part, Region, Term
from synnodtest.planning.example_space import space_of
from synnodtest.spec import load_spec

SPEC = """\
synnodtest: 1
behaviours:
  - id: other
    statement: Another.
    scenes: {backgrounds: {set: normal, count: 60}, nodules: [{diameter_mm: 12}]}
    expect: [sensitivity: {at_least: 0.5}]
  - id: mine        # the one
    statement: Found.
    fuzz:
      vary: {diameter_mm: [10, 40], contrast: [0.3, 0.8], location: {region: lung}, perturbations: {gamma: [0.5, 2]}}
      explicit:
        - {diameter_mm: 12}
    expect:
      - EXPECT   # bound
# the end
"""
DETECTED = "detected: {rate_at_least: 0.75}"
PARAMETERS = (
    {"name": "perturbations.gamma", "levels": None, "range": [0.5, 2.0]},
    {"name": "place.part", "levels": [0, 1], "range": None},
    {"name": "place.height", "levels": None, "range": [-1.0, 1.0]},
    {"name": "contrast", "levels": None, "range": [0.3, 0.8]},
    {"name": "diameter_mm", "levels": None, "range": [10.0, 40.0]},
)
LARGE = Term("diameter_mm", (Part(Boundary(25.3, 24.9, 25.8), None, 25.3, 40.0),), held=(20.0,))
RIGHT = Term("place.part", levels=(0,), said="in the right lung")


def entry(terms, kind="detected", rule=None, shown=True):
    region = Region(terms, rule, None, ("contrast",), 0.25, (40, 40), (0, 40), 200, shown, True, PARAMETERS)
    return {"id": "fuzz-1", "kind": kind, "parameters": {"rate_at_least": 0.75}, "region": region.plain()}


def written(tmp_path, made, expect=DETECTED, spec=SPEC):
    path = tmp_path / "spec.yaml"
    old = spec.replace("EXPECT", expect)
    path.write_text(old)
    before = load_spec(path)
    new = with_behaviour(old, region_behaviour(made, before.behaviour("mine")))
    path.write_text(new)
    after = load_spec(path)
    assert [b.id for b in after.behaviours] == ["other", "mine", "mine-region"]
    assert after.behaviour("mine") == before.behaviour("mine")
    assert new.startswith(old.rpartition("# the end")[0].rstrip())
    return after.behaviour("mine-region")


def test_a_region_of_detected_becomes_a_sensitivity_over_it(tmp_path):
    made = written(tmp_path, entry((LARGE, RIGHT)))
    assert made.fuzz is None
    (nodule,) = made.scenes.nodules
    assert nodule.diameter_mm.bounds == (25.3, 40.0)
    assert nodule.contrast.bounds == (0.3, 0.8)
    assert nodule.location.region == "right_lung"
    (change,) = made.scenes.perturbations
    assert (change.kind, change.value.bounds) == ("gamma", (0.5, 2.0))
    (expectation,) = made.expectations
    assert (expectation.kind, expectation.parameters["at_least"]) == ("sensitivity", 0.75)
    assert "above 25.3 mm (24.9 to 25.8) in the right lung" in made.statement


def test_another_claim_becomes_a_search_within_it(tmp_path):
    bent = Term("perturbations.gamma", (Part(Boundary(1.4, 1.3, 1.5), None, 1.4, 2.0),))
    made = written(tmp_path, entry((bent,), kind="silent"), "silent: {rate_at_least: 0.8}")
    assert made.fuzz.vary["perturbations.gamma"].bounds == (1.4, 2.0)
    assert made.fuzz.vary["diameter_mm"].bounds == (10.0, 40.0)
    assert made.fuzz.explicit == ()
    assert made.expectations[0].kind == "silent"


def test_a_mimic_that_decides_stays_and_the_rest_is_searched(tmp_path):
    searched = (
        {"name": "mimic", "levels": ["left out", "clip", "ecg-electrode"], "range": None},
        {"name": "mimic_distance_mm", "levels": None, "range": [10.0, 60.0]},
        *PARAMETERS,
    )
    with_one = Term("mimic", levels=("ecg-electrode",), said="with mimic ecg-electrode")
    made = entry((with_one,))
    made["region"]["parameters"] = list(searched)
    behaviour = written(tmp_path, made, spec=SPEC.replace("vary: {", "vary: {mimic: [clip, ecg-electrode], "))
    assert behaviour.fuzz.fixed["mimic"] == "ecg-electrode"
    assert "mimic" not in behaviour.fuzz.vary
    assert behaviour.fuzz.vary["mimic_distance_mm"].bounds == (10.0, 60.0)
    dimensions = {d.name for d in space_of(behaviour, "detected", {"rate_at_least": 0.75}, 2)}
    assert "mimic_distance_mm" in dimensions, "a mimic that stays is moved all the same"
    assert "mimic" not in dimensions


def test_a_region_by_name_is_an_expression_and_a_distance_is_refused(tmp_path):
    inside = Rule("in the region retrocardiac", 0.5, False, (9, 9), (9, 9))
    made = written(tmp_path, entry((), rule=inside))
    assert "retrocardiac" in str(made.scenes.nodules[0].location.region)
    behaviour = load_spec(tmp_path / "spec.yaml").behaviour("mine")
    near = Rule("mm from the border of retrocardiac", 12.0, True, (9, 9), (9, 9))
    with pytest.raises(SynnodError, match="cannot say where that is"):
        region_behaviour(entry((), rule=near), behaviour)
    with pytest.raises(SynnodError, match="no region was shown to fail"):
        region_behaviour(entry((), shown=False), behaviour)
