"""Parity of groups, sizes, correlations, scenes, specificity, and a user's own function."""

import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from synnodtest.errors import SynnodError
from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.expectations import Ruling, Status, find_check
from synnodtest.expectations.kinds import python
from synnodtest.spec.quantities import Stratum
from synnodtest.statistics import miettinen_nurminen
from tests.expectations.evidence import evidence, trial

SEXES = tuple(Stratum(f"sex={s}", {"sex": {"equals": s}}) for s in "FM")
PARITY = {"strata": SEXES, "margin": 0.15, "metric": "sensitivity"}


def judge(kind, parameters, trials, **options):
    return find_check(kind).judge(parameters, evidence(trials, **options))


def by_sex(female, male, n=150):
    return [
        trial(f"{sex}{i}", 0.9 if i < rate * n else 0.0, strata={"sex": sex})
        for sex, rate in (("F", female), ("M", male))
        for i in range(n)
    ]


def test_equal_groups_pass_by_miettinen_and_nurminens_bounds():
    ruling = judge("parity", PARITY, by_sex(0.9, 0.88))
    expected = miettinen_nurminen(135, 150, 132, 150)
    assert (ruling.components[0].lower, ruling.components[0].upper) == (expected.lower, expected.upper)
    assert ruling.status is Status.PASSED
    assert [row["mean"] for row in ruling.details["by group"]] == [0.9, 0.88]


def test_films_of_one_patient_are_backgrounds_of_their_own_in_the_table_of_groups():
    shared = [
        trial(f"{sex}{i}", 0.9, strata={"sex": sex}, cluster=f"{sex}-{i // 2}") for sex in "FM" for i in range(40)
    ]
    rows = judge("parity", PARITY, shared).details["by group"]
    assert [(row["n"], row["backgrounds"]) for row in rows] == [(40, 40), (40, 40)]


def test_groups_that_no_nodule_is_of_are_told_with_those_there_are():
    other = (Stratum("sex=m", {"sex": "m"}), Stratum("sex=f", {"sex": "f"}))
    assert judge("parity", {**PARITY, "strata": other}, by_sex(0.9, 0.9)).sentence == (
        "INCONCLUSIVE no nodule to judge; every nodule has another 'sex' than 'across' asks for: F, M"
    )
    unheard = tuple(Stratum(f"ward={w}", {"ward": w, "sex": "F"}) for w in "ab")
    assert judge("parity", {**PARITY, "strata": unheard, "where": {"sex": "F"}}, by_sex(0.9, 0.9)).sentence == (
        "INCONCLUSIVE no nodule to judge; no nodule has 'ward', which 'across' asks for"
    )


def test_a_group_that_is_missed_fails_and_silence_proves_no_parity():
    ruling = judge("parity", PARITY, by_sex(0.9, 0.3))
    assert ruling.status is Status.FAILED
    assert ruling.p_value < 1e-6
    assert judge("parity", PARITY, by_sex(0.0, 0.0)).status is Status.INCONCLUSIVE
    assert judge("parity", PARITY, by_sex(0.05, 0.9)).status is Status.FAILED
    assert judge("parity", PARITY, []).sentence == "INCONCLUSIVE no nodule to judge"


def test_what_belongs_to_no_group_is_counted_in_the_sentence():
    """Films of which the sex is unknown, all of them missed, are compared with nothing: two equal groups pass."""
    unknown = [trial(f"x{i}", 0.0, strata=strata) for i, strata in enumerate([{}, {"sex": "female"}] * 40)]
    ruling = judge("parity", PARITY, [*by_sex(0.9, 0.9), *unknown])
    assert ruling.status is Status.PASSED
    assert ruling.sentence.endswith("n = 300 nodules on 300 backgrounds, 80 in no group")
    assert "no group" not in judge("parity", PARITY, by_sex(0.9, 0.9)).sentence
    images = [trial(f"u{i}", arm=UNTOUCHED_ARM, strata={"sex": sex}) for i, sex in enumerate(["F", "M", "O"] * 50)]
    ruling = judge("parity", {**PARITY, "metric": "specificity"}, [*by_sex(0.9, 0.9), *images])
    assert ruling.sentence.endswith("n = 100 images, 50 in no group")


@pytest.mark.parametrize(("sexes", "gap"), [("F", -0.15), ("M", 0.15), ("FM", 0.17)])
def test_excluded_scenes_of_one_group_are_taken_as_missed_and_those_of_all_others_as_found(sexes, gap):
    """135 of 150 are found in each group, and 30 scenes of a group are excluded: 135 or 165 of 180 with them."""
    equal = by_sex(0.9, 0.9)
    lost = [trial(f"x{s}{i}", 0.9, strata={"sex": s}, rejected="contrast") for s in sexes for i in range(30)]
    assert judge("parity", PARITY, equal).status is Status.PASSED
    ruling = judge("parity", PARITY, [*equal, *lost])
    assert ruling.status is Status.INCONCLUSIVE
    told = ruling.notes[-1]
    assert f"with the {len(lost)} excluded scenes counted against the detector" in told
    assert any(f"(sex=F - sex=M) {value:.2f} (" in told for value in ((gap,) if len(sexes) == 1 else (gap, -gap)))


def test_a_group_that_is_wholly_missed_does_not_pass_a_margin_as_wide_as_what_the_other_shows():
    """Most nodules are of the group that is found by 35%, so that all together surely exceed 0.2."""
    trials = [t for t in by_sex(0.35, 0.0, 400) if t.background[0] == "F" or int(t.background[1:]) < 60]
    ruling = judge("parity", {**PARITY, "margin": 0.45}, trials)
    assert [part.status for part in ruling.components] == [Status.PASSED] * 2
    assert ruling.status is Status.INCONCLUSIVE
    assert "leaves no room for a difference of 0.45" in ruling.sentence


def test_a_failure_among_many_groups_needs_holms_correction():
    strata = tuple(Stratum(f"view={k}", {"view": {"equals": str(k)}}) for k in range(6))
    rates = [0.8, 0.8, 0.8, 0.8, 0.8, 0.56]
    trials = [
        trial(f"{k}-{i}", 0.9 * (i < r * 75), strata={"view": str(k)}) for k, r in enumerate(rates) for i in range(75)
    ]
    two = judge("parity", {**PARITY, "margin": 0.1, "strata": (strata[0], strata[5])}, trials)
    six = judge("parity", {**PARITY, "margin": 0.1, "strata": strata}, trials)
    assert two.status is Status.FAILED
    assert six.status is Status.INCONCLUSIVE
    assert six.p_value > 0.05 > two.p_value


def test_groups_that_share_backgrounds_are_compared_within_them():
    strata = tuple(Stratum(f"name={n}", {"name": {"equals": n}}) for n in ("a", "b"))
    trials = [trial(f"b{i}", 0.9 * (i % 5 > 0), name=n) for i in range(100) for n in ("a", "b")]
    ruling = judge("parity", {**PARITY, "strata": strata}, trials)
    assert ruling.n_clusters == 100
    assert ruling.components[0].lower < 0 < ruling.components[0].upper


@pytest.mark.parametrize("metric", ["specificity", "false_positives_per_image"])
def test_a_group_in_which_the_detector_is_dead_is_not_as_quiet_as_the_others(metric):
    untouched = [trial(f"{sex}{i}", arm="@untouched", strata={"sex": sex}) for sex in "FM" for i in range(150)]
    ruling = judge("parity", {**PARITY, "metric": metric}, [*by_sex(0.9, 0.0), *untouched])
    assert ruling.status is Status.INCONCLUSIVE
    assert "sensitivity of sex=M, the least of all groups 0.00" in ruling.sentence
    assert judge("parity", {**PARITY, "metric": metric}, [*by_sex(0.9, 0.9), *untouched]).status is Status.PASSED
    of_women = [one for one in by_sex(0.9, 0.9) if one.strata["sex"] == "F"]
    ruling = judge("parity", {**PARITY, "metric": metric}, [*of_women, *untouched])
    assert ruling.status is Status.INCONCLUSIVE, "nothing tells whether the others are heard"


@pytest.mark.parametrize("metric", ["confidence", "specificity", "false_positives_per_image"])
def test_parity_of_the_other_metrics(metric):
    trials = by_sex(0.9, 0.9)
    trials += [
        trial(f"{sex}{i}", arm="@untouched", strata={"sex": sex}, false_positives=[0.9] * (i % 10 == 0))
        for sex in "FM"
        for i in range(150)
    ]
    assert judge("parity", {**PARITY, "metric": metric}, trials).status is Status.PASSED
    loud = trials + [
        trial(f"x{i}", 0.2, arm="@untouched", strata={"sex": "F"}, false_positives=[0.9] * 3) for i in range(300)
    ]
    expected = Status.PASSED if metric == "confidence" else Status.FAILED
    assert judge("parity", {**PARITY, "metric": metric}, loud).status is expected


def test_parity_of_scores_above_1_is_that_of_the_same_scores_below():
    """Bounds cut at 1 told two groups of 7.2 and 8 apart by less than they differ."""

    def scaled(by):
        rng = np.random.default_rng(0)
        trials = [
            trial(f"{sex}{i}", by * float(np.clip(mean + 0.08 * rng.standard_normal(), 0.01, 1)), strata={"sex": sex})
            for sex, mean in (("F", 0.8), ("M", 0.72))
            for i in range(30)
        ]
        trials[0] = trial("F0", float(by), strata={"sex": "F"})
        made = judge("parity", {**PARITY, "metric": "confidence", "margin": 0.15 * by}, trials)
        return made.components[0].lower / by, made.components[0].upper / by

    assert scaled(10) == pytest.approx(scaled(1))


def test_an_empty_group_settles_nothing():
    trials = [t for t in by_sex(0.9, 0.9) if t.strata["sex"] == "F"]
    ruling = judge("parity", PARITY, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert "no unit in sex=M" in ruling.sentence


def sizes(d80, n=200, slope=6.0, seed=0):
    rng = np.random.default_rng(seed)
    trials = []
    for i in range(n):
        diameter = float(rng.uniform(4, 40))
        chance = 1 / (1 + np.exp(-(np.log(4) + slope * np.log(diameter / d80))))
        trials.append(trial(f"b{i}", 0.9 if rng.random() < chance else 0.0, diameter_mm=diameter))
    return trials


def test_a_level_next_to_0_is_told_to_ask_for_little():
    kind = find_check("size_at_sensitivity")
    assert kind.asked_little({"level": 0.001, "at_most": 20}) == [
        "level is 0.001, next to 0: next to no detector can fail it"
    ]
    assert kind.asked_little({"level": 0.05, "at_most": 20}) == []


def test_the_size_from_which_nodules_are_found():
    passed = judge("size_at_sensitivity", {"level": 0.8, "at_most": 20}, sizes(12.0))
    assert passed.status is Status.PASSED
    assert passed.components[0].value == pytest.approx(12.0, rel=0.25)
    assert judge("size_at_sensitivity", {"level": 0.8, "at_most": 8}, sizes(20.0)).status is Status.FAILED


def test_a_plateau_or_silence_has_no_size():
    silent = [trial(f"b{i}", 0.0, diameter_mm=4.0 + i % 30) for i in range(90)]
    ruling = judge("size_at_sensitivity", {"at_most": 20}, silent)
    assert ruling.status is Status.INCONCLUSIVE
    assert "no nodule was found" in ruling.sentence


def test_correlation_across_backgrounds_where_each_gives_one_nodule():
    rng = np.random.default_rng(0)
    trials = [trial(f"b{i}", float(np.clip(d / 40 + 0.1 * rng.standard_normal(), 0.01, 1)), diameter_mm=float(d))
              for i, d in enumerate(rng.uniform(4, 40, 60))]  # fmt: skip
    over = {"over": "diameter_mm", "response": "confidence"}
    assert judge("correlation", {**over, "at_least": 0.5}, trials).status is Status.PASSED
    assert judge("correlation", {**over, "at_most": 0.5}, trials).status is Status.FAILED
    assert judge("correlation", {**over, "at_least": 0.5}, trials[:14]).status is Status.INCONCLUSIVE


def test_silence_does_not_pass_as_independence():
    trials = [trial(f"b{i}", 0.0, diameter_mm=d) for i in range(30) for d in (4.0, 8.0, 12.0, 16.0, 20.0)]
    ruling = judge("correlation", {"over": "diameter_mm", "at_most": 0.3}, trials)
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE


def test_a_scene_is_detected_if_all_its_nodules_are():
    trials = []
    for i in range(60):
        first, second = trial(f"b{i}", 0.9, name="a"), trial(f"b{i}", 0.9 * (i % 2), name="b")
        trials.append(first.__class__(**{**vars(first), "nodules": first.nodules + second.nodules}))
    ruling = judge("detected", {"rate_at_least": 0.7}, trials)
    assert ruling.status is Status.FAILED
    assert (ruling.n_nodules, ruling.components[0].value) == (60, 0.5)
    assert judge("detected", {"rate_at_least": 0.7, "of": "a"}, trials).status is Status.PASSED


def test_one_image_has_no_variance_of_false_positives_to_tell_of():
    bare = trial("b0", 0.0, arm="@untouched")
    ruling = judge("false_positives_per_image", {"at_most": 0.5}, [bare])
    assert ruling.notes == ("interval: garwood",)


def test_specificity_counts_untouched_images_without_a_finding():
    trials = [trial(f"b{i}", arm="@untouched", false_positives=[0.9] * (i < 3)) for i in range(100)]
    assert judge("specificity", {"at_least": 0.9}, trials).status is Status.PASSED
    assert judge("specificity", {"at_most": 0.9}, trials).status is Status.FAILED
    parameters = {"at_least": 0.5, "where": {"diameter_mm": {"at_least": 8}}}
    assert judge("specificity", parameters, trials).status is Status.INCONCLUSIVE


def test_by_sex_selects_untouched_backgrounds():
    trials = [trial(f"b{i}", arm="@untouched", strata={"sex": "FM"[i % 2]}) for i in range(100)]
    ruling = judge("false_positives_per_image", {"at_most": 0.5, "where": {"sex": {"equals": "F"}}}, trials)
    assert ruling.n_nodules == 50


OWN = """
from synnodtest.checks import Ruling, Status

def loud(evidence, least=0.5):
    return all(n.confidence >= least for t in evidence.own() for n in t.nodules), "quietest nodule"

def counts(evidence):
    return len(evidence.own()) == 5 and len(evidence.arm("@untouched")) == 1

def doubled(evidence):
    return all(n.confidence >= 0.5 for t in evidence.arm("dobule") for n in t.nodules)

def nothing(evidence):
    return None

def ruling(evidence):
    return Ruling(Status.FAILED, "FAILED mine", "mine")

def broken(evidence):
    raise KeyError("x")

def skips(evidence):
    import pytest

    pytest.skip("later")

def number(evidence):
    return 0.7
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    (tmp_path / "own_checks.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "own_checks", raising=False)

    def call(name, trials, **parameters):
        return judge("python", {"function": f"own_checks:{name}", **parameters}, trials)

    return call


def test_a_users_function_judges_with_its_own_arguments(mine):
    trials = [trial(f"b{i}", 0.6) for i in range(5)]
    assert mine("loud", trials).status is Status.PASSED
    ruling = mine("loud", trials, **{"with": {"least": 0.7}})
    assert ruling.status is Status.FAILED
    assert "quietest nodule" in ruling.sentence
    assert mine("nothing", trials).status is Status.INCONCLUSIVE
    assert isinstance(mine("ruling", trials), Ruling)


def test_a_users_function_sees_what_the_expectation_selects(mine):
    trials = [trial(f"b{i}", 0.6, diameter_mm=4.0 + i) for i in range(10)] + [trial("b0", arm="@untouched")]
    assert mine("counts", trials, where={"diameter_mm": {"at_least": 9}}).status is Status.PASSED


def test_a_function_whose_asserts_python_leaves_out_is_a_fault_of_the_harness(mine, monkeypatch):
    Path("limits.py").write_text("def keep(rate):\n    assert rate > 0.9\n    return True\n")
    Path("stern.py").write_text("from limits import keep\n\n\ndef holds(evidence):\n    return keep(0.5)\n")
    told = SimpleNamespace(flags=SimpleNamespace(optimize=1))
    monkeypatch.setattr(python, "sys", told)
    trials = [trial(f"b{i}", 0.6) for i in range(5)]
    assert mine("loud", trials).status is Status.PASSED  # it asserts nothing
    with pytest.raises(SynnodError, match="told to leave out what is asserted"):
        judge("python", {"function": "stern:holds"}, trials)


def test_a_users_function_passes_nothing_where_the_expectation_selects_no_scene(mine):
    plain = [trial(f"b{i}", arm="@untouched") for i in range(5)]
    trials = [trial(f"b{i}", 0.1, diameter_mm=4.0) for i in range(5)] + plain
    assert mine("loud", trials).status is Status.FAILED
    ruling = mine("loud", trials, where={"diameter_mm": {"at_least": 8}})
    assert ruling.sentence.startswith("INCONCLUSIVE no scene to judge; every nodule has another 'diameter_mm'")


def test_a_users_function_sees_scenes_without_nodules_by_what_is_known_of_the_film(mine):
    trials = [trial(f"b{i}", strata={"sex": "FM"[i % 2]}) for i in range(10)]
    trials += [trial(f"b{i}", arm="@untouched", strata={"sex": "FM"[i]}) for i in range(2)]
    assert mine("counts", trials).status is Status.FAILED
    assert mine("counts", trials, where={"sex": "M"}).status is Status.PASSED
    assert mine("counts", trials, where={"sex": "M", "diameter_mm": 9}).status is Status.INCONCLUSIVE


def test_a_users_function_that_asks_for_an_arm_that_is_not_there_does_not_pass(mine):
    ruling = mine("doubled", [trial(f"b{i}", 0.1, arm="double") for i in range(5)])
    assert ruling.sentence.startswith("INCONCLUSIVE own_checks:doubled: holds")
    assert ruling.sentence.endswith("it asked for the arm 'dobule', of which no scene was judged")


def test_the_old_code_of_a_function_that_was_edited_in_the_same_process_does_not_judge(mine, tmp_path):
    trials = [trial(f"b{i}", 0.6) for i in range(5)]
    assert mine("loud", trials).status is Status.PASSED
    (tmp_path / "own_checks.py").write_text(OWN.replace("least=0.5", "least=0.75"))
    with pytest.raises(SynnodError, match=r"own_checks\.py was changed after this process had imported it"):
        mine("loud", trials)


def test_one_background_never_passes_a_users_function(mine):
    assert mine("loud", [trial("b", 0.9)]).status is Status.INCONCLUSIVE


@pytest.mark.parametrize(
    ("name", "said"),
    [("broken", "KeyError"), ("number", "float"), ("skips", "Skipped: later"), ("absent", "has no 'absent'")],
)
def test_a_broken_function_is_a_fault_of_the_harness(mine, name, said):
    with pytest.raises(SynnodError, match=said):
        mine(name, [trial(f"b{i}", 0.6) for i in range(5)])
