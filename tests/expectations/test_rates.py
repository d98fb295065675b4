"""Rates are judged by exact bounds, and too little data never passes."""

import math
import re
from dataclasses import replace

import pytest
from scipy.stats import beta, binomtest, chi2

from synnodtest.evidence.ruling import Component
from synnodtest.expectations import Ruling, Status, find_check
from synnodtest.expectations.language import Selection
from synnodtest.expectations.rates import where_phrase
from synnodtest.expectations.worst import beside
from tests.expectations.evidence import evidence, trial

SENSITIVITY = find_check("sensitivity").judge
FALSE_POSITIVES = find_check("false_positives_per_image").judge


def found(hits, misses, **options):
    return [trial(f"b{i}", 0.9 if i < hits else 0.0, **options) for i in range(hits + misses)]


def test_the_bounds_are_clopper_pearsons():
    ruling = SENSITIVITY({"at_least": 0.8}, evidence(found(115, 9)))
    part = ruling.components[0]
    assert part.lower == pytest.approx(beta.ppf(0.05, 115, 10))
    assert part.upper == pytest.approx(beta.ppf(0.95, 116, 9))
    assert part.lower95 == pytest.approx(beta.ppf(0.025, 115, 10))
    assert ruling.status is Status.PASSED
    assert ruling.sentence == (
        "PASSED sensitivity 0.93 (one-sided 95% lower bound 0.88) exceeds the pre-specified 0.80; "
        "n = 124 nodules on 124 backgrounds"
    )


@pytest.mark.parametrize(
    ("hits", "misses", "status"), [(3, 0, "INCONCLUSIVE"), (0, 30, "FAILED"), (20, 5, "INCONCLUSIVE")]
)
def test_three_of_three_is_inconclusive_and_silence_fails(hits, misses, status):
    assert SENSITIVITY({"at_least": 0.8}, evidence(found(hits, misses))).status == status


def test_one_background_is_never_a_pass_however_many_nodules():
    trials = [trial("only", 0.9, replicate=i) for i in range(200)]
    assert SENSITIVITY({"at_least": 0.5}, evidence(trials)).status is Status.INCONCLUSIVE


def test_one_patient_behind_many_backgrounds_is_one_cluster():
    trials = [trial(f"b{i}", 0.9, cluster="patient") for i in range(200)]
    assert SENSITIVITY({"at_least": 0.5}, evidence(trials)).status is Status.INCONCLUSIVE


def test_a_score_below_the_operating_point_is_a_miss():
    trials = [trial(f"b{i}", 0.24) for i in range(50)]
    assert SENSITIVITY({"at_least": 0.5}, evidence(trials)).components[0].value == 0.0
    assert SENSITIVITY({"at_least": 0.5}, evidence(trials, operating_point=0.2)).components[0].value == 1.0


def test_where_counts_only_the_nodules_it_selects():
    trials = [
        trial(f"b{i}", 0.9 if d >= 14 else 0.0, diameter_mm=d) for i, d in enumerate([6.0, 10.0, 14.0, 20.0] * 20)
    ]
    ruling = SENSITIVITY({"at_least": 0.8, "where": {"diameter_mm": {"at_least": 14}}}, evidence(trials))
    assert (ruling.n_nodules, ruling.components[0].value) == (40, 1.0)


@pytest.mark.parametrize("kind", ["sensitivity", "auc", "monotone", "detected"])
def test_a_name_that_no_nodule_has_is_named_where_nothing_is_left_to_judge(kind):
    judge, given = (
        find_check(kind).judge,
        {"at_least": 0.8, "rate_at_least": 0.8, "over": "diameter_mm", "max_drop": 0.1},
    )
    unknown = judge(given | {"where": {"diametre": {"at_least": 14}, "diameter_mm": 10}}, evidence(found(40, 0)))
    assert unknown.status is Status.INCONCLUSIVE
    assert unknown.sentence.endswith("no nodule has 'diametre', which 'where' asks for")
    known = judge(given | {"where": {"diameter_mm": {"at_least": 14}}}, evidence(found(40, 0)))
    assert known.status is Status.INCONCLUSIVE
    assert "no nodule has" not in known.sentence
    assert known.sentence.endswith("every nodule has another 'diameter_mm' than 'where' asks for: 10")


def test_excluded_scenes_counted_against_the_detector_take_the_pass_away():
    accepted = found(60, 0)
    excluded = [trial(f"x{i}", 0.9, rejected="contrast") for i in range(20)]
    assert SENSITIVITY({"at_least": 0.9}, evidence(accepted)).status is Status.PASSED
    ruling = SENSITIVITY({"at_least": 0.9}, evidence(accepted + excluded))
    assert ruling.status is Status.INCONCLUSIVE
    assert "20 excluded scenes" in ruling.sentence


def test_the_worst_case_is_not_rounded_to_the_bound_that_it_falls_short_of():
    lower = beta.ppf(0.05, 60, 21)
    bound = round(lower + 0.0004, 4)
    ruling = SENSITIVITY({"at_least": bound}, evidence(found(60, 0) + found(0, 20, rejected="contrast")))
    assert ruling.status is Status.INCONCLUSIVE
    shown = float(re.search(r"bounds (\S+) to", ruling.notes[-1])[1])
    assert shown == pytest.approx(lower, abs=0.0005)
    assert shown < bound


def test_the_worst_case_tells_the_part_that_does_not_survive_it():
    def part(label, lower, status, role="decides"):
        return Component(label, label, 0.9, lower, 1.0, 0.8, "above", status, "m", role=role)

    alone, safe = Ruling(Status.PASSED, "PASSED all", "all"), part("rate", 0.85, Status.PASSED)
    shown, gate = (part(role, 0.7, Status.INCONCLUSIVE, role) for role in ("shown", "gate"))
    made = beside(replace(alone, components=(safe, gate)), Ruling(Status.INCONCLUSIVE, "", "", (safe, shown, gate)), 1)
    told = "with the 1 excluded scene counted against the detector: gate 0.90 (bounds 0.70 to 1.00), INCONCLUSIVE"
    assert made.notes == (told,)
    assert made.sentence == f"INCONCLUSIVE all; {told}"


def test_no_nodule_at_all_is_inconclusive():
    assert SENSITIVITY({"at_least": 0.1}, evidence([])).status is Status.INCONCLUSIVE


def test_false_positives_use_garwoods_bounds_on_untouched_images_alone():
    trials = [trial(f"b{i}", arm="@untouched", false_positives=[0.9] * (i % 2)) for i in range(40)]
    trials += [trial(f"b{i}", 0.9, false_positives=[0.9] * 9) for i in range(40)]
    part = FALSE_POSITIVES({"at_most": 1.0}, evidence(trials)).components[0]
    assert part.value == 0.5
    assert part.upper == pytest.approx(chi2.ppf(0.95, 2 * 21) / 2 / 40)
    assert part.status is Status.PASSED


def test_firing_everywhere_fails_and_two_images_settle_nothing():
    loud = [trial(f"b{i}", arm="@untouched", false_positives=[0.9] * 8) for i in range(30)]
    assert FALSE_POSITIVES({"at_most": 1.0}, evidence(loud)).status is Status.FAILED
    quiet = [trial(f"b{i}", arm="@untouched") for i in range(2)]
    assert FALSE_POSITIVES({"at_most": 0.5}, evidence(quiet)).status is Status.INCONCLUSIVE


def test_false_positives_below_the_operating_point_do_not_count():
    trials = [trial(f"b{i}", arm="@untouched", false_positives=[0.1] * 8) for i in range(30)]
    assert FALSE_POSITIVES({"at_most": 1.0}, evidence(trials)).status is Status.PASSED


@pytest.mark.parametrize(
    ("diameters", "rows"),
    [
        ([8.6349, 9.2591, 11.25, 12.5], [("5 to 10 mm", 2), ("10 to 15 mm", 2)]),
        ([8.0, 8.0, 10.5, 28.0], [("8 mm", 2), ("10.5 mm", 1), ("28 mm", 1)]),
    ],
)
def test_the_table_by_size_has_bands_for_drawn_diameters_and_levels_for_those_of_a_sweep(diameters, rows):
    trials = [trial(f"b{i}", 0.9, diameter_mm=mm) for i, mm in enumerate(diameters)]
    ruling = find_check("sensitivity").judge({"at_least": 0.5}, evidence(trials))
    told = ruling.details["by requested diameter"]
    assert [(row["diameter"], row["nodules"]) for row in told] == rows


def test_the_intervals_of_the_table_by_size_allow_for_nodules_of_one_patient():
    apart = [trial(f"b{i}", 0.9 if i < 3 else 0.0, diameter_mm=10.0) for i in range(6)]
    together = [replace(t, cluster=f"p{i // 3}") for i, t in enumerate(apart)]
    ends = []
    for trials in (apart, together):
        (row,) = find_check("sensitivity").judge({"at_least": 0.5}, evidence(trials)).details["by requested diameter"]
        ends.append((row["rate, 95% lower"], row["rate, 95% upper"]))
    exact = binomtest(3, 6).proportion_ci(0.95, "exact")
    assert ends[0] == pytest.approx((exact.low, exact.high), abs=1e-4)
    assert ends[1][0] < ends[0][0] - 0.05
    assert ends[1][1] > ends[0][1] + 0.05


def test_the_criterion_says_side_bound_and_selection():
    where = {
        "diameter_mm": {"at_least": 8.0, "at_most": math.nextafter(14, 0)},
        "view": {"in": ["AP", "PA"]},
        "sex": "F",
    }
    told = "sensitivity at operating point 0.25 {} 0.125 where diameter_mm at least 8 and diameter_mm below 14 and "
    told += "view in AP, PA and sex equal to F"
    for bound, word in (("at_least", "exceeds"), ("at_most", "stays below")):
        assert SENSITIVITY({bound: 0.125, "where": where}, evidence(found(9, 9))).criterion == told.format(word)
    assert where_phrase(Selection(where={"diameter_mm": {"at_most": 14.0}})) == " where diameter_mm at most 14"


@pytest.mark.parametrize("step", [1.0, 0.25])
def test_the_table_by_diameter_counts_levels_of_a_sweep_and_bands_of_what_was_drawn(step):
    """Three nodules of each of twelve sizes; sizes with two decimals were drawn."""
    sizes = [4 + step * k for k in range(12)]
    trials = [trial(f"b{mm}{i}", 0.9 * (i < 2), diameter_mm=mm) for mm in sizes for i in range(3)]
    (rows,) = SENSITIVITY({"at_least": 0.5}, evidence(trials)).details.values()
    groups = {f"{mm:g} mm": 3 for mm in sizes} if step == 1.0 else {"0 to 5 mm": 4 * 3, "5 to 10 mm": 8 * 3}
    assert {row["diameter"]: row["nodules"] for row in rows} == groups
    for row in rows:
        hits = 2 * row["nodules"] // 3
        low, high = binomtest(hits, row["nodules"]).proportion_ci(0.95)
        assert (row["detected"], row["rate"]) == (hits, 0.6667)
        assert (row["rate, 95% lower"], row["rate, 95% upper"]) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ({"view": "LL"}, "; every nodule has another 'view' than 'where' asks for: AP, PA"),
        ({"diameter_mm": {"at_least": 50}}, "; every nodule has another 'diameter_mm' than 'where' asks for: 8 to 20"),
        ({"contrast": 0.9}, "; every nodule has another 'contrast' than 'where' asks for: 0.3"),
        ({"region": "rib"}, "; every nodule has another 'region' than 'where' asks for"),
        ({"film": "z"}, "; every nodule has another 'film' than 'where' asks for: f0, f1, f2, f3, f4, f5, ..."),
        ({"view": "AP", "kvp": 100}, "; no nodule has 'kvp', which 'where' asks for"),
        ({"view": "AP", "diameter_mm": 20}, ""),
        (
            {"view": "LL", "contrast": 0.9},
            "; every nodule has another 'view' than 'where' asks for: AP, PA and another 'contrast' "
            "than 'where' asks for: 0.3",
        ),
    ],
)
def test_what_where_asks_for_and_no_nodule_has_is_told_with_what_there_is(where, told):
    trials = [
        trial(f"b{i}", 0.9, diameter_mm=(8.0, 20.0)[i % 2], strata={"view": ("AP", "PA")[i % 2], "film": f"f{i}"})
        for i in range(8)
    ]
    assert SENSITIVITY({"at_least": 0.5, "where": where}, evidence(trials)).sentence == (
        f"INCONCLUSIVE no nodule to judge{told}"
    )
