"""Which scenes an expectation needs beside its own: the arms that it is judged on, and none of another."""

import pytest

from synnodtest.evidence.arm import CONTROL_ARM, UNDER_ARM, UNTOUCHED_ARM
from synnodtest.expectations import find_check
from synnodtest.planning.groups import groups_for
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.spec import load_spec

SPEC = """
synnodtest: 1
behaviours:
  - id: b
    statement: s
    scenes:
      backgrounds: {{set: pneumothorax, count: 2}}
      nodules:
        - {{name: large, diameter_mm: 20, location: {{region: air_leak}}}}
        - {{name: small, diameter_mm: 5, location: {{region: air_leak}}}}
      {arms}
    expect:
      - {expect}
"""
OF_TWO = "arms: {large: {nodules: [large]}, small: {nodules: [small], perturbations: [{noise: 0.02}]}}"
ALIKE = "arms: {plain: {}, noisy: {perturbations: [{noise: 0.02}]}}"


@pytest.fixture
def recipes(tmp_path):
    def made(expect, arms=""):
        path = tmp_path / "s.yaml"
        path.write_text(SPEC.format(expect=expect, arms=arms))
        behaviour = load_spec(path).behaviours[0]
        [variant] = variants(behaviour, behaviour.expectations[0])
        kind = find_check(variant.expectation.kind)
        groups = groups_for(kind.arms_for(variant.parameters), behaviour.scenes, variant.parameters)
        backgrounds = [Background(f"b{i}", content="c") for i in range(2)]
        return [r for group in groups for r in group.recipes(behaviour, backgrounds, 0)]

    return made


def shown(recipe):
    return [n.name for n in recipe.nodules if n.name not in recipe.ghosts], [p.kind for p in recipe.perturbations]


@pytest.mark.parametrize(
    ("arm", "want"),
    [
        ("arm: large, ", [(["large"], [])]),
        ("arm: small, ", [(["small"], ["noise"])]),
        ("", [(["large"], []), (["small"], ["noise"])]),
    ],
)
def test_nodules_are_moved_outside_a_region_in_the_arm_that_is_silent_inside(recipes, arm, want):
    """A detector that never finds the small ones is not shown to be awake by the large ones of another arm."""
    moved = [
        r for r in recipes(f"no_detection: {{{arm}region: air_leak, at_most: 0.1}}", OF_TWO) if r.arm == CONTROL_ARM
    ]
    assert [shown(r) for r in moved] == want * 2
    assert all((n.location.region, n.location.avoid) == ("lung", ("air_leak",)) for r in moved for n in r.nodules)


@pytest.mark.parametrize(
    ("expect", "arms", "named"),
    [
        ("invariant: {under: {gamma: 1.2}, metric: specificity, margin: 0.1}", "", ""),
        ("invariant: {under: {gamma: 1.2}, metric: specificity, margin: 0.1}", "perturbations: [{noise: 0.02}]", ":*"),
        ("invariant: {arm: noisy, under: {gamma: 1.2}, metric: specificity, margin: 0.1}", ALIKE, ":noisy"),
    ],
)
def test_untouched_backgrounds_are_perturbed_further_where_images_are_compared(recipes, expect, arms, named):
    made = [r for r in recipes(expect, arms) if not r.arm.is_own]
    untouched, under = UNTOUCHED_ARM + named, UNDER_ARM.of(UNTOUCHED_ARM + named)
    assert [r.arm for r in made].count(untouched) == [r.arm for r in made].count(under) == 2
    assert not any(r.nodules for r in made)
    kinds = {r.arm: [p.kind for p in r.perturbations] for r in made}
    before = ["noise"] if named else []
    assert kinds == {untouched: before, under: [*before, "gamma"]}


@pytest.mark.parametrize(
    "expect", ["auc: {at_least: 0.7}", "calibration: {at_most: 0.1}", "specificity: {at_least: 0.8}"]
)
@pytest.mark.parametrize(
    ("chosen", "arms", "want"),
    [
        (
            "",
            "arms: {low: {perturbations: [{dose: 0.5}]}, noisy: {perturbations: [{noise: 0.02}]}}",
            [["dose"], ["noise"]],
        ),
        ("", ALIKE, [[], ["noise"]]),
        ("", "arms: {one: {nodules: [large]}, two: {nodules: [small]}}", [[]]),
        (
            "",
            "perturbations: [{gamma: 1.2}]\n      arms: {one: {nodules: [large]}, two: {nodules: [small]}}",
            [["gamma"]],
        ),
        ("arm: noisy, ", ALIKE, [["noise"]]),
        ("where: {arm: noisy}, ", ALIKE, [["noise"]]),
        ("where: {arm: {in: [plain]}}, ", ALIKE, [[]]),
    ],
)
def test_untouched_backgrounds_look_like_every_arm_that_is_judged_and_like_no_other(
    recipes, expect, chosen, arms, want
):
    """Else a detector that reacts to what an arm adds to the whole radiograph, and sees no nodule, tells them apart."""
    made = [r for r in recipes(expect.replace("{", "{" + chosen), arms) if not r.arm.is_own]
    looks = [[p.kind for p in r.perturbations] for r in made if r.background.id == "b0"]
    assert looks == want
    assert not any(r.nodules for r in made)


@pytest.mark.parametrize(
    ("reference", "looks"),
    [("noisy", [[], ["noise"]]), ("crowded", []), ("alone", [])],
)
def test_arms_that_differ_in_nodules_or_distractors_stand_for_themselves(recipes, reference, looks):
    """Untouched backgrounds would be equal by construction, and their equivalence would pass whatever the detector."""
    arms = (
        "distractors:\n        - {name: lead, mimic: ecg-electrode}\n      arms:\n"
        "        plain: {nodules: [large, small], distractors: []}\n"
        "        noisy: {nodules: [large, small], distractors: [], perturbations: [{noise: 0.02}]}\n"
        "        crowded: {nodules: [large, small], distractors: [lead]}\n"
        "        alone: {nodules: [large], distractors: []}"
    )
    expect = f"equivalent: {{arm: plain, reference: {reference}, metric: specificity, margin: 0.1}}"
    made = [r for r in recipes(expect, arms) if not r.arm.is_own and r.background.id == "b0"]
    assert [[p.kind for p in r.perturbations] for r in made] == looks
