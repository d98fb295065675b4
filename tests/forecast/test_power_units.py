"""How many units and scenes a background gives an expectation, counted by hand."""

import pytest

from synnodtest.forecast.power import scenes_per_background, units_per_background
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.spec import load_spec

SPEC = """
synnodtest: 1
behaviours:
  - id: b
    statement: s
    scenes:
      backgrounds: {{set: normal, count: 8}}
      nodules:
        - {{name: swept, diameter_mm: {{sweep: [4, 8, 20]}}, contrast: 0.5}}
        - {{name: fixed, diameter_mm: 12, contrast: 0.2}}
      distractors:
        - {{name: wire, mimic: line, location: {{region: lung}}}}
        - {{name: body, mimic: nipple}}
      arms:
        one: {{nodules: [swept], distractors: [body]}}
        both: {{nodules: [swept, fixed], distractors: [wire, body]}}
    expect:
      - {expect}
"""
PEOPLE = [Background(f"b{i}", strata={"sex": "FM"[i % 4 == 0]}) for i in range(8)]


@pytest.fixture
def planned(tmp_path):
    def made(expect, spec=SPEC):
        path = tmp_path / "s.yaml"
        path.write_text(spec.format(expect=expect))
        behaviour = load_spec(path).behaviours[0]
        [variant] = variants(behaviour, behaviour.expectations[0])
        return behaviour, variant

    return made


@pytest.mark.parametrize(
    ("expect", "units"),
    [
        ("sensitivity: {at_least: 0.5}", 3 + 3 * 2),
        ("sensitivity: {arm: one, at_least: 0.5}", 3),
        ("sensitivity: {of: fixed, at_least: 0.5}", 3),
        ("sensitivity: {of: fixed, arm: both, at_least: 0.5}", 3),
        ("sensitivity: {where: {diameter_mm: {at_least: 10}}, at_least: 0.5}", 1 + 1 + 3),
        ("sensitivity: {where: {contrast: {at_least: 0.3}}, at_least: 0.5}", 3 + 3),
        ("sensitivity: {where: {name: fixed, diameter_mm: {at_most: 10}}, at_least: 0.5}", 0),
        ("sensitivity: {where: {region: hilar}, arm: one, at_least: 0.5}", 3),
        ("sensitivity: {where: {sex: F}, arm: one, at_least: 0.5}", 3 * 0.75),
        ("detected: {rate_at_least: 0.5}", 3 + 3),
        ("detected: {where: {diameter_mm: {at_least: 10}}, rate_at_least: 0.5}", 1 + 3),
        ("specificity: {at_least: 0.5}", 1),
        ("distractor: {at_most: 0.5}", 3 + 3 * 2),
        ("distractor: {of: wire, at_most: 0.5}", 3),
        ("distractor: {arm: one, at_most: 0.5}", 3),
        ("distractor: {where: {mimic: nipple, sex: M}, at_most: 0.5}", 6 * 0.25),
        ("distractor: {where: {region: lung, mimic: line}, at_most: 0.5}", 3),
    ],
)
def test_units_are_those_that_arm_of_and_where_select_and_what_is_not_known_yet_is_taken_to_hold(
    planned, expect, units
):
    assert units_per_background(*planned(expect), PEOPLE, 0) == pytest.approx(units)


@pytest.mark.parametrize(
    ("expect", "units"),
    [
        ("specificity: {at_least: 0.5}", 2),
        ("specificity: {arm: both, at_least: 0.5}", 1),
        ("non_inferior: {arm: both, reference: one, metric: specificity, margin: 0.1}", 1),
    ],
)
def test_each_look_of_an_untouched_background_is_an_image(planned, expect, units):
    looks = "[wire, body], perturbations: [{{noise: 0.01}}]}}"
    behaviour, variant = planned(expect, SPEC.replace("[wire, body]}}", looks).replace("[body]}}", "[wire, body]}}"))
    assert units_per_background(behaviour, variant, PEOPLE, 0) == units
    assert units == 1 or scenes_per_background(behaviour, variant, PEOPLE) == units


@pytest.mark.parametrize(
    ("expect", "scenes"),
    [("sensitivity: {at_least: 0.5}", 6), ("specificity: {at_least: 0.5}", 1), ("distractor: {at_most: 0.5}", 6 + 2)],
)
def test_scenes_are_those_of_all_arms_and_levels_and_two_beside_them_where_untouched_ones_are_shown(
    planned, expect, scenes
):
    assert scenes_per_background(*planned(expect), PEOPLE) == scenes
