"""Silence in a region and on distractors: which images count, against counts by hand."""

from dataclasses import replace

import pytest

from synnodtest import Finding
from synnodtest.evidence.regions import control_name, shown_name
from synnodtest.evidence.sightings import Sighting
from synnodtest.expectations import Status, find_check
from synnodtest.scene import Perturbation
from synnodtest.statistics import clopper_pearson
from tests.expectations.evidence import evidence, trial

REGION = {"region": "hilar", "at_most": 0.5}


def judge(kind, parameters, trials, **options):
    return find_check(kind).judge(parameters, evidence(trials, **options))


def shown(i, mm=10.0, arm="default", score=0.0, **options):
    """A scene that shows the region, with a finding of this score in it."""
    fires = [("hilar", score)] if score else []
    return trial(
        f"b{i}", 0.6, arm=arm, diameter_mm=mm, fires=fires, regions=frozenset({shown_name("hilar")}), **options
    )


def outside(i, confidence=0.9, mm=10.0, **options):
    return trial(f"b{i}", confidence, arm="@outside", diameter_mm=mm, **options)


def test_silence_is_the_share_of_selected_images_that_show_the_region_and_fire_in_it():
    small = [shown(i, 6.0, score=0.9 * (i < 9)) for i in range(30)]
    large = [shown(30 + i, 20.0, score=0.24 + 0.01 * (i < 2)) for i in range(20)]
    bare = [trial(f"x{i}", 0.6, diameter_mm=20.0, regions=frozenset()) for i in range(5)]
    control = [outside(i, 0.9 * (i % 2), 6.0) for i in range(30)] + [outside(30 + i, 0.9, 20.0) for i in range(20)]
    trials = [*small, *large, *bare, *control]
    for where, fires, n, found, of in [
        (None, 11, 50, 35, 50),
        ({"diameter_mm": {"at_most": 10}}, 9, 30, 15, 30),
        ({"diameter_mm": {"at_least": 10}}, 2, 20, 20, 20),
    ]:
        ruling = judge("no_detection", {**REGION, "where": where}, trials)
        rate, gate, shown_beside = ruling.components
        want, sensitivity = clopper_pearson(fires, n), clopper_pearson(found, of)
        assert (rate.value, rate.upper, ruling.n_nodules) == (fires / n, want.upper, n)
        assert (gate.value, gate.lower, gate.role) == (found / of, sensitivity.lower, "gate")
        assert (shown_beside.role, shown_beside.value) == ("shown", 0.0)
        lacking = "5 images show nothing of the region and are not counted"
        assert (lacking in ruling.notes) is (where is None or "at_least" in where["diameter_mm"])
        assert ruling.status is Status.PASSED
    assert judge("no_detection", {**REGION, "of": "nodule"}, trials).n_nodules == 50
    assert judge("no_detection", {**REGION, "of": "other"}, trials).sentence.startswith("INCONCLUSIVE no image with")
    assert judge("no_detection", {**REGION, "at_most": 0.1}, small).status is Status.FAILED


def test_an_image_counts_if_any_of_its_nodules_is_selected_and_without_a_selection_in_any_case():
    def second(one, mm):
        return replace(one, nodules=(*one.nodules, *trial("s", 0.6, name="second", diameter_mm=mm).nodules))

    pairs = [second(shown(i, 6.0), 20.0 if i < 7 else 8.0) for i in range(20)]
    empty = [replace(shown(20 + i, score=0.9), nodules=()) for i in range(5)]
    large = {"where": {"diameter_mm": {"at_least": 15}}}
    for given, n in (({}, 25), (large, 7), ({"of": "second"}, 20), ({"of": "second", **large}, 7)):
        assert judge("no_detection", {**REGION, **given}, [*pairs, *empty]).n_nodules == n
    assert judge("no_detection", {**REGION, "of": "nodule", **large}, pairs).n_nodules == 0


def test_nodules_outside_are_those_whose_own_scenes_are_judged_not_those_that_lie_where_it_is_asked():
    """12 lie behind the heart in their own scenes; outside, the other 18 lie there and are all found."""
    behind = {"where": {"region": "retrocardiac"}}

    def lying(one, there):
        (nodule,) = one.nodules
        return replace(one, nodules=(replace(nodule, regions=frozenset({"retrocardiac"} if there else {"apex"})),))

    own = [lying(shown(i), i < 12) for i in range(30)]
    control = [lying(outside(i, 0.9 * (i >= 12)), i >= 12) for i in range(30)]
    ruling = judge("no_detection", {**REGION, **behind}, [*own, *control])
    assert ruling.n_nodules == 12
    assert (ruling.components[1].value, ruling.status) == (0.0, Status.INCONCLUSIVE)


def test_findings_in_the_control_region_are_shown_and_decide_nothing():
    trials = [shown(i) for i in range(40)] + [outside(i) for i in range(40)]
    loud = [replace(t, sightings=(*t.sightings, _in(control_name("hilar")))) for t in trials[:10]]
    ruling = judge("no_detection", REGION, [*loud, *trials[10:]])
    assert ruling.components[2].value == 0.25
    assert ruling.status is Status.PASSED
    assert ruling.notes == ()


def _in(region, score=0.9):
    return Sighting(Finding((50, 50, 54, 54), score), frozenset({region}))


def test_the_map_has_every_nodule_at_its_share_of_width_and_height():
    made = replace(shown(0), shape=(200, 100))
    made = replace(made, nodules=(replace(made.nodules[0], regions=frozenset({"hilar", "lung"})),))
    points = judge("no_detection", REGION, [made, replace(outside(0), shape=(50, 400))]).figure["points"]
    assert points == [
        {"x": 0.12, "y": 0.06, "confidence": 0.6, "inside": True},
        {"x": 0.03, "y": 0.24, "confidence": 0.9, "inside": False},
    ]


def test_the_map_counts_a_nodule_as_inside_by_its_own_place_wherever_it_was_to_lie():
    elsewhere = replace(shown(0), nodules=(replace(shown(0).nodules[0], regions=frozenset({"lung"})),))
    points = judge("no_detection", REGION, [elsewhere, outside(0)]).figure["points"]
    assert [p["inside"] for p in points] == [False, False]


@pytest.mark.parametrize(("lost", "status"), [(shown, Status.INCONCLUSIVE), (outside, Status.PASSED)])
def test_excluded_scenes_count_as_firing_and_excluded_controls_as_missed(lost, status):
    trials = [made(i) for made in (shown, outside) for i in range(76)]
    extra = [lost(100 + i, rejected="contrast") for i in range(4)]
    ruling = judge("no_detection", {**REGION, "at_most": 0.06}, trials + extra)
    told = f"rate of images with a finding in hilar {4 / 80 if lost is shown else 0:.2f} ("
    assert ruling.notes[-1].startswith(f"with the 4 excluded scenes counted against the detector: {told}")
    assert ruling.status is status
    few = [made(i) for made in (shown, outside) for i in range(10)]
    many = [lost(100 + i, rejected="contrast") for i in range(200)]
    assert judge("no_detection", REGION, few + many).status is Status.INCONCLUSIVE


@pytest.mark.parametrize("lost", [shown, outside])
def test_excluded_scenes_of_nodules_that_are_not_judged_are_not_counted(lost):
    where = {"diameter_mm": {"at_least": 15}}
    trials = [*[made(i, mm=20.0) for made in (shown, outside) for i in range(10)], lost(100, rejected="contrast")]
    assert judge("no_detection", {**REGION, "where": where}, trials).notes == ()
    assert len(judge("no_detection", REGION, trials).notes) == 1


def distracted(i, confidence, kind="lead", name="wire", **options):
    made = trial(f"b{i}", **options)
    wire = replace(trial("w", confidence, name=name).nodules[0], requested={"mimic": kind})
    return replace(made, mimics=(wire,))


def test_distractors_are_judged_by_the_share_with_a_finding_and_told_by_kind_and_without_them():
    leads = [distracted(i, 0.9 * (i < 3)) for i in range(30)]
    ports = [distracted(30 + i, 0.24 + 0.01 * (i < 2), "port", name="port") for i in range(20)]
    untouched = [trial(f"b{i}", arm="@untouched") for i in range(50)]
    at_the_place = Sighting(Finding((10, 10, 14, 14), 0.9))
    untouched = [replace(t, sightings=(at_the_place,)) if i < 4 else t for i, t in enumerate(untouched)]
    for i, score in ((5, 0.24), (6, 0.25)):
        untouched[i] = replace(untouched[i], sightings=(Sighting(Finding((10, 10, 14, 14), score)),))
    ruling = judge("distractor", {"at_most": 0.3}, [*leads, *ports, *untouched])
    rate, without = ruling.components
    want = clopper_pearson(5, 50)
    assert (rate.value, rate.lower, rate.upper) == (0.1, want.lower, want.upper)
    assert (without.role, without.value) == ("shown", 0.1)
    assert ruling.details["by kind"] == [
        {"mimic": "lead", "distractors": 30, "reported": 3, "rate": 0.1},
        {"mimic": "port", "distractors": 20, "reported": 2, "rate": 0.1},
    ]
    assert (ruling.status, ruling.n_nodules) == (Status.PASSED, 50)
    assert judge("distractor", {"at_most": 0.3, "of": "port"}, leads + ports).n_nodules == 20
    assert judge("distractor", {"at_most": 0.3}, leads).notes == ()
    assert len(judge("distractor", {"at_most": 0.3}, leads).components) == 1
    assert judge("distractor", {"at_most": 0.05}, untouched).sentence == "INCONCLUSIVE no distractor to judge"


def test_without_distractors_only_backgrounds_under_the_same_perturbations_are_looked_at():
    turned = [distracted(i, 0.0) for i in range(20)]
    turned = [replace(t, scene=replace(t.scene, perturbations=(Perturbation("blur", 1.0),))) for t in turned]
    plain = [trial(f"b{i}", arm="@untouched") for i in range(20)]
    assert [c.role for c in judge("distractor", {"at_most": 0.3}, [*turned, *plain]).components] == ["decides"]


def test_distractors_of_excluded_scenes_count_as_reported():
    made = [distracted(i, 0.0) for i in range(60)]
    lost = [distracted(60 + i, 0.0, rejected="contrast") for i in range(10)]
    ruling = judge("distractor", {"at_most": 0.1}, made + lost)
    want = clopper_pearson(10, 70)
    told = f"0.14 (bounds {want.lower:.2f} to {want.upper:.2f}), INCONCLUSIVE"
    assert (ruling.status, ruling.notes[-1].endswith(told)) == (Status.INCONCLUSIVE, True)
    assert judge("distractor", {"at_most": 0.1, "of": "other"}, made + lost).n_nodules == 0
