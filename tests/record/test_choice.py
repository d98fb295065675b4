"""Which scenes the gallery shows: only those that the expectation judges."""

from synnodtest.planning.variants import Variant
from synnodtest.record.choice import chosen
from synnodtest.spec.model import Expectation
from tests.expectations.evidence import trial


def shown(trials, kind="sensitivity", **parameters):
    """The chosen scenes of an expectation on these trials, by role."""
    given = {"at_least": 0.5} | parameters | {"operating_point": 0.25}
    made = chosen(trials, Variant(kind, Expectation(kind, given, 1, 1, 0, kind), given), 0.25, "node")
    return {role: set(getattr(made, role)) for role in ("worst", "failing", "passing")}


def test_scenes_outside_where_are_not_shown_as_failures_nor_as_passes():
    large = [trial(f"l{i}", confidence, diameter_mm=20.0) for i, confidence in enumerate((0.0, 0.9, 0.1))]
    small = [trial(f"s{i}", confidence, diameter_mm=6.0) for i, confidence in enumerate((0.0, 0.9))]
    made = shown([*small, *large], where={"diameter_mm": {"at_least": 14}})
    assert made["worst"] == {large[0].scene_id, large[2].scene_id}
    assert made["passing"] == {large[1].scene_id}
    assert shown([*small, *large])["passing"] == {large[1].scene_id, small[1].scene_id}


def test_the_arm_and_the_nodule_that_are_judged_are_those_shown():
    single, double = trial("a", 0.0, arm="single"), trial("a", 0.0, arm="double")
    assert shown([single, double], arm="double")["worst"] == {double.scene_id}
    other = trial("b", 0.0, name="companion")
    assert shown([single, other], of="nodule")["worst"] == {single.scene_id}


def test_untouched_radiographs_are_chosen_by_their_strata_alone():
    women = trial("f", None, arm="@untouched", strata={"sex": "F"}, false_positives=(0.9,))
    men = trial("m", None, arm="@untouched", strata={"sex": "M"}, false_positives=(0.9,))
    made = shown([women, men], "false_positives_per_image", at_most=1.0, at_least=None, where={"sex": "F"})
    assert made["worst"] == {women.scene_id}
