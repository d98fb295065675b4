"""What a plan promises: the fewest backgrounds that can pass, power, and the number that ``count: auto`` picks."""

import math

import numpy as np
import pytest
from scipy import stats

from synnodtest.errors import SpecError, SynnodError
from synnodtest.expectations import Status, find_check
from synnodtest.forecast.power import forecast, with_count
from synnodtest.planning.variants import variants
from synnodtest.ports import Background
from synnodtest.spec import load_spec
from synnodtest.statistics import e_value_paired_above
from synnodtest.statistics.shifts import guarded_bounds
from tests.expectations.evidence import evidence, trial

SPEC = """
synnodtest: 1
behaviours:
  - id: b
    statement: s
    sampling: {sampling}
    scenes:
      backgrounds: {{set: normal, count: {count}}}
      nodules: [{{name: n, diameter_mm: {{sweep: [4, 6, 8, 12, 20]}}, hold: [location]}}]
      {more}
    expect:
      - {expect}
"""
ONE = "nodules: [{name: n, diameter_mm: 12}]"
ARMS = "arms: {a: {}, r: {perturbations: [{noise: 0.01}]}}"


@pytest.fixture
def load(tmp_path):
    def behaviour(expect, *, count=30, sampling="{}", nodules=ONE, more=""):
        text = SPEC.format(expect=expect, count=count, sampling=sampling, more=more)
        if nodules:
            start = text.index("nodules:")
            text = text.replace(text[start : text.index("\n", start)], nodules)
        path = tmp_path / "s.yaml"
        path.write_text(text)
        return load_spec(path).behaviours[0]

    return behaviour


def plan(behaviour, backgrounds=None):
    [expectation] = behaviour.expectations
    [variant] = variants(behaviour, expectation)
    return forecast(behaviour, variant, backgrounds or people(behaviour.scenes.count))


def people(count, images=1):
    return [Background(f"b{i}", patient=f"p{i // images}") for i in range(count)]


RISING = "monotone: {response: confidence, over: diameter_mm, direction: increasing, min_spearman: 0.5, max_drop: 0.1}"
SWEPT = ""
"""Keep the five sizes of the spec above."""


@pytest.mark.parametrize(
    ("expect", "least", "more"),
    [
        ("no_detection: {region: air_leak, at_most: 0.05}", 59, ""),
        ("no_detection: {region: air_leak, at_most: 0.01}", 299, ""),
        ("sensitivity: {at_least: 0.8}", 14, ""),
        ("non_inferior: {arm: a, reference: r, margin: 0.05}", 52, ARMS),
        ("false_positives_per_image: {at_most: 0.1}", 30, ""),
        ("froc: {at_least: 0.5}", 35, ""),
        ("froc: {at_least: 0.95}", 59, ""),
        ("auc: {at_least: 0.9}", 29, ""),
        ("average_precision: {at_least: 0.95}", 341, ""),
        ("superior: {arm: a, reference: r, margin: 0.9}", 52, ARMS),
        ("non_inferior: {arm: a, reference: r, margin: 0.3, reference_at_least: 0.9}", 29, ARMS),
        ("localization: {at_least: 0.9}", 29, ""),
    ],
)
def test_the_fewest_backgrounds_that_can_pass(load, expect, least, more):
    """0.95^59, 0.9^29, 0.99^299, 0.8^14 < 0.05; z^2 0.95 / 0.05 = 51.4 = z^2 1.9 / 0.1; -log(0.05) / 0.1 = 29.96.

    1 / (1 + 4 (1 - 0.05^(1/n))) exceeds 0.95 from n = log(0.05) / log(1 - (1 / 0.95 - 1) / 4) = 226.2 on.
    """
    enough, few = (plan(load(expect, count=n, more=more)) for n in (least, least - 1))
    assert (enough.smallest, enough.warning) == (least, "")
    assert few.warning


def rising(backgrounds, *, levels=(5.0, 8.0, 12.0, 16.0, 20.0)):
    return [trial(f"b{i}", 0.04 * d, diameter_mm=d) for i in range(backgrounds) for d in levels]


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [
        ("monotone", {"over": "diameter_mm", "min_spearman": 0.9, "max_drop": 0.1}),
        ("correlation", {"over": "diameter_mm", "at_least": 0.9}),
        ("monotone", {"over": "diameter_mm", "min_spearman": 0.5, "max_drop": 0.1}),
    ],
)
def test_a_trend_passes_on_perfect_data_from_the_promised_number_on_and_not_before(load, kind, parameters):
    words = ", ".join(f"{name}: {value}" for name, value in parameters.items())
    behaviour = load(f"{kind}: {{{words}}}", count=60, nodules=SWEPT)
    least = plan(behaviour).smallest
    judge = find_check(kind).judge
    assert judge(parameters, evidence(rising(least))).status is Status.PASSED
    assert judge(parameters, evidence(rising(least - 1))).status is Status.INCONCLUSIVE
    assert "backgrounds are needed" in plan(load(f"{kind}: {{{words}}}", count=least - 1, nodules=SWEPT)).warning


def test_many_nodules_on_few_backgrounds_do_not_stand_for_many_backgrounds(load):
    """Where all nodules are found every background counts once (Korn and Graubard): 0.8^n must fall below 0.05.

    A true 0.99 passes on 15, 16 and 17 backgrounds 58%, 80.4% and 91% of the time (6,000 draws).
    """
    behaviour = load("sensitivity: {at_least: 0.8}", count=60, nodules=SWEPT)
    least = plan(behaviour).smallest
    judge = find_check("sensitivity").judge
    found = [[trial(f"b{i}", 0.9, replicate=k) for i in range(n) for k in range(5)] for n in (least - 1, least)]
    verdicts = [judge({"at_least": 0.8}, evidence(trials)).status for trials in found]
    assert least == 14
    assert verdicts == [Status.INCONCLUSIVE, Status.PASSED]
    assert "14 backgrounds are needed" in plan(load("sensitivity: {at_least: 0.8}", count=13, nodules=SWEPT)).warning
    assert counted(load("sensitivity: {at_least: 0.8}", count="auto", nodules=SWEPT, sampling="{assume: 0.99}")) in (
        16,
        17,
    )


def test_auto_never_picks_a_number_that_can_only_end_inconclusive(load):
    assert counted(load("froc: {at_least: 0.95}", count="auto", sampling="{assume: 0.99}")) == 59


def test_what_power_supposes_is_named_with_its_source(load):
    pairs = "non_inferior: {arm: a, reference: r, margin: 0.1}"
    default = "(a default of synnodtest: the specification assumes nothing)"
    by_default = plan(load(pairs, more=ARMS))
    assert f"0.05 of the pairs discordant {default}, and a sensitivity that surely exceeds 0.2" in by_default.assumption
    assert by_default.unsaid == ("discordant",)
    told = plan(load(pairs, more=ARMS, sampling="{assume: {discordant: 0.3}}"))
    assert "0.3 of the pairs discordant (sampling.assume of the spec)" in told.assumption
    assert told.unsaid == ()
    rate = plan(load("sensitivity: {at_least: 0.8}"))
    assert (default in rate.assumption, rate.unsaid) == (True, ("sensitivity",))
    assert "sensitivity" not in rate.assumption
    silent = plan(load("no_detection: {region: hilar, at_most: 0.05, sensitivity_outside_at_least: 0.4}"))
    assert silent.assumption.endswith("and a sensitivity that surely exceeds 0.4")
    assert plan(load(RISING, nodules=SWEPT)).unsaid == ("monotone", "spread", "drop_spread")
    assert "correlated by 0.2 (sampling.icc)" in plan(load("sensitivity: {at_least: 0.8}", nodules=SWEPT)).assumption


def test_power_is_the_chance_of_passing_under_what_is_assumed(load):
    made = plan(load("sensitivity: {at_least: 0.8}", count=100, sampling="{assume: {sensitivity: 0.9}}"))
    needed = next(x for x in range(101) if stats.binomtest(x, 100).proportion_ci(0.9).low > 0.8)
    assert made.power == pytest.approx(stats.binom.sf(needed - 1, 100, 0.9))
    assert "0.9" in made.assumption


def test_nodules_of_one_background_count_by_the_design_effect(load):
    made = plan(load("sensitivity: {at_least: 0.8}", count=10, nodules=SWEPT))
    assert made.units == 50
    assert made.effective == pytest.approx(50 / (1 + 4 * 0.2))


def test_images_of_one_patient_are_one_cluster(load):
    made = plan(load("sensitivity: {at_least: 0.8}", count=12), people(12, images=12))
    assert "all 12 backgrounds are of one patient (" in made.warning
    assert "column 'patient'" in made.warning
    alone = plan(load("sensitivity: {at_least: 0.8}", count=1), people(1))
    assert "single background" in alone.warning


def test_where_leaves_its_share_of_the_nodules_and_two_arms_pool(load):
    where = "sensitivity: {where: {diameter_mm: {at_least: 8}}, at_least: 0.5}"
    assert plan(load(where, nodules=SWEPT)).units == 90
    assert plan(load("sensitivity: {at_least: 0.5}", more=ARMS)).units == 60
    assert plan(load("detected: {rate_at_least: 0.5}", nodules=SWEPT)).units == 150


@pytest.mark.parametrize(
    "kind",
    [
        "sensitivity: {at_least: 0.5",
        "specificity: {at_least: 0.5",
        "non_inferior: {margin: 0.1, metric: sensitivity, arm: a, reference: r",
    ],
)
def test_units_of_a_column_are_those_of_films_that_have_it(load, kind):
    films = [Background(f"b{i}", strata={"hospital": "AB"[i % 2]} if i < 10 else {}) for i in range(20)]
    more = ARMS if "arm: a" in kind else ""
    assert plan(load(f"{kind}, where: {{hospital: A}}}}", more=more), films).units == 5
    for column in ("ward", "sex"):
        made = plan(load(f"{kind}, where: {{{column}: F}}}}", more=more), films)
        assert made.units == 0
        assert made.warning == f"no background has '{column}': is it a column of the manifest?"
    assert plan(load(f"{kind}, where: {{region: hilar}}}}", more=more), films).units == 20


def test_patients_of_several_films_each_need_as_many_as_pass_without_any_false_positive(load):
    """Three per image on the share 1 - 0.05^(1/n) that may be unlike all seen: below 0.25 from 35 patients on."""
    behaviour = load("false_positives_per_image: {at_most: 0.25}", count=68)
    judge, least = find_check("false_positives_per_image").judge, 35
    assert (1 - 0.05 ** (1 / least)) * 3 < 0.25 <= (1 - 0.05 ** (1 / (least - 1))) * 3
    for patients, status in ((least, Status.PASSED), (least - 1, Status.INCONCLUSIVE)):
        made = plan(behaviour, people(2 * patients, images=2))
        trials = [trial(f"b{i}", arm="@untouched", cluster=f"p{i // 2}") for i in range(2 * patients)]
        assert judge({"at_most": 0.25}, evidence(trials)).status is status
        assert made.smallest == least
        assert made.warning == ("" if status is Status.PASSED else "at least 35 backgrounds are needed to pass")


def counted(behaviour):
    return with_count(behaviour).scenes.count


def test_auto_picks_the_smallest_number_with_the_planned_power(load):
    count = counted(
        load("sensitivity: {at_least: 0.8}", count="auto", sampling="{power: 0.9, assume: {sensitivity: 0.92}}")
    )

    def power(n):
        hits = next((x for x in range(n + 1) if stats.binomtest(x, n).proportion_ci(0.9).low > 0.8), n + 1)
        return stats.binom.sf(hits - 1, n, 0.92)

    assert power(count) >= 0.9 > power(count - 1)


def test_auto_doubles_where_every_second_nodule_is_judged(load):
    swept = "nodules: [{name: n, diameter_mm: {choice: [6, 12]}}]"
    sampling = "{assume: {sensitivity: 0.9}}"
    every = counted(load("sensitivity: {at_least: 0.8}", count="auto", sampling=sampling))
    some = "sensitivity: {where: {diameter_mm: {at_least: 8}}, at_least: 0.8}"
    assert counted(load(some, count="auto", sampling=sampling, nodules=swept)) >= 1.3 * every


def test_the_share_of_discordant_pairs_is_assumed_by_its_name(load):
    pairs = "non_inferior: {arm: a, reference: r, margin: 0.1}"
    few, many = (
        counted(load(pairs, count="auto", more=ARMS, sampling=f"{{assume: {{discordant: {share}}}}}"))
        for share in (0.02, 0.3)
    )
    assert many > 2 * few
    assert "0.3" in plan(load(pairs, more=ARMS, sampling="{assume: {discordant: 0.3}}")).assumption


def test_one_value_for_all_is_not_taken_where_it_does_not_meet_the_bound(load):
    silence = "no_detection: {region: air_leak, at_most: 0.05}"
    assert counted(load(silence, count="auto", sampling="{assume: 0.9}")) >= 93


@pytest.mark.parametrize("assumed", [0.8, 0.5])
def test_a_true_value_that_does_not_meet_its_bound_is_an_error(load, assumed):
    behaviour = load("sensitivity: {at_least: 0.8}", count="auto", sampling=f"{{assume: {{sensitivity: {assumed}}}}}")
    with pytest.raises(SynnodError, match=r"does not meet its bound of 0\.8"):
        with_count(behaviour)


def test_a_power_out_of_reach_is_an_error(load):
    sampling = "{power: 0.9, assume: {sensitivity: 0.80001}}"
    with pytest.raises(SynnodError, match="no number of backgrounds"):
        with_count(load("sensitivity: {at_least: 0.8}", count="auto", sampling=sampling))


def test_groups_of_a_parity_need_their_own_size(load):
    made = plan(load("parity: {across: {sex: [F, M]}, margin: 0.1}", count=40))
    assert "each of 2 groups" in made.warning
    least = made.smallest // 2
    assert stats.norm.isf(0.05) ** 2 / 0.1 - 5 < least < stats.norm.isf(0.05) ** 2 / 0.1 + 5


def test_groups_that_share_backgrounds_need_as_many_as_pass_a_parity_of_perfect_groups(load):
    """Five nodules of each background, of which two groups are made: 28 backgrounds do not pass, 29 do."""
    text = "parity: {across: {diameter_mm: [0, 10, 30]}, margin: 0.1}"
    behaviour = load(text, nodules=SWEPT, count=28)
    made = plan(behaviour)
    [expectation] = behaviour.expectations
    [variant] = variants(behaviour, expectation)

    def status(backgrounds):
        sizes = (4.0, 6.0, 8.0, 12.0, 20.0)
        trials = [
            trial(f"b{i}", 0.9, diameter_mm=mm, replicate=r) for i in range(backgrounds) for r, mm in enumerate(sizes)
        ]
        return find_check("parity").judge(variant.parameters, evidence(trials)).status

    assert made.smallest == 29
    assert made.warning == "at least 29 backgrounds in each group are needed to pass"
    assert plan(load(text, nodules=SWEPT, count=29)).warning == ""
    assert (status(28), status(29)) == (Status.INCONCLUSIVE, Status.PASSED)


def test_a_sequential_run_names_the_backgrounds_before_which_nothing_is_decided(load):
    """The closed form after n successes is (1 - m^(n+1)) / ((n+1) (1-m) m^n)."""
    sampling = "{sequential: true, max_scenes: 500}"
    made = plan(load("sensitivity: {at_least: 0.8}", count=500, sampling=sampling))
    n = made.smallest
    reached = [(1 - 0.8 ** (k + 1)) / ((k + 1) * 0.2 * 0.8**k) >= 20 for k in (n - 1, n)]
    assert reached == [False, True]
    assert plan(load("sensitivity: {at_least: 0.8}", count=n - 1, sampling=sampling)).warning
    capped = plan(
        load("sensitivity: {at_least: 0.8}", count=500, sampling=f"{{sequential: true, max_scenes: {n - 1}}}")
    )
    assert f"within max_scenes: {n - 1}" in capped.warning
    arms = plan(load("non_inferior: {arm: a, reference: r, margin: 0.1}", count=500, more=ARMS, sampling=sampling))
    assert [e_value_paired_above(0, 0, k, -0.1) >= 20 for k in (arms.smallest - 1, arms.smallest)] == [False, True]
    assert not math.isnan(made.effective)


def test_the_power_of_a_rising_response_is_that_of_repeated_trials(load):
    """Of its correlation and of its drop, where one pair of levels is alike in the mean."""
    made = plan(
        load(
            RISING,
            nodules=SWEPT,
            sampling="{assume: {monotone: 0.7, spread: 0.3, drop_spread: 0.25}}",
        )
    )
    rng = np.random.default_rng(0)
    common = 0.85 * 0.15 / 0.15**2 - 1  # of the beta distribution on -1 to 1 with mean 0.7 and standard deviation 0.3
    drawn = 2 * rng.beta(0.85 * common, 0.15 * common, (1000, 30)) - 1
    lower = np.array([guarded_bounds(row, 0.05, -1.0, 1.0, (0.0, 0.0))[0] for row in drawn])
    falls = rng.normal(0, 0.25, (1000, 30))
    upper = falls.mean(axis=1) + stats.t.isf(0.05, 29) * falls.std(axis=1, ddof=1) / math.sqrt(30)
    assert made.power == pytest.approx(((lower > 0.5) & (upper < 0.1)).mean(), abs=0.04)
    assert "a mean correlation of 0.7" in made.assumption


def test_the_power_of_a_rising_response_is_that_of_its_verdict(load):
    """Scores with sd 0.25 on 30 backgrounds, and a plateau: all are sure of the correlation, less than half pass."""
    rng, levels = np.random.default_rng(0), (5.0, 8.0, 12.0, 16.0, 20.0)
    monotone, asked = find_check("monotone"), {"over": "diameter_mm", "min_spearman": 0.5, "max_drop": 0.1}
    passed = 0
    for _ in range(40):
        rows = rng.normal((0.0, 1.0, 2.0, 4.0, 4.0), 0.25, (30, 5)).tolist()
        trials = [trial(f"b{i}", row[k], diameter_mm=levels[k]) for i, row in enumerate(rows) for k in range(5)]
        passed += monotone.judge(asked, evidence(trials)).status is Status.PASSED
    sampling = f"{{assume: {{monotone: 0.95, spread: 0.05, drop_spread: {0.25 * math.sqrt(2)}}}}}"
    made = plan(load(RISING, nodules=SWEPT, sampling=sampling))
    assert made.power == pytest.approx(passed / 40, abs=0.15)
    assert made.power == pytest.approx(0.45, abs=0.01)
    assert made.needed > 60


@pytest.mark.parametrize("name", ["spread", "drop_spread"])
def test_backgrounds_that_do_not_differ_are_not_planned_for(load, name):
    with pytest.raises(SynnodError, match=f"{name}: 0 is assumed, and backgrounds always differ"):
        plan(load(RISING, nodules=SWEPT, sampling=f"{{assume: {{{name}: 0}}}}"))


@pytest.mark.parametrize(
    ("expect", "more", "sampling"),
    [
        ("sensitivity: {at_least: 0.8}", "", "{assume: 0.95}"),
        ("invariant: {under: [{noise: 0.01}], margin: 0.1}", "", "{assume: {discordant: 0.1}}"),
        ("false_positives_per_image: {at_most: 1.0}", "", "{assume: 0.4}"),
        (RISING, "", "{assume: {monotone: 0.8}}"),
    ],
)
def test_the_number_that_is_needed_reaches_the_planned_power_and_one_fewer_does_not(load, expect, more, sampling):
    nodules = SWEPT if "monotone" in expect else ONE
    behaviour = load(expect, more=more, sampling=sampling, nodules=nodules)
    needed = plan(behaviour).needed
    assert needed is not None
    power = {n: plan(behaviour, people(n)).power for n in (needed, needed - 1)}
    least = plan(behaviour).smallest or 2
    assert power[needed] >= 0.8
    assert power[needed - 1] < 0.8 or needed == least


def test_auto_for_pairs_asks_for_the_share_of_discordant_ones(load):
    pairs = "invariant: {under: [{noise: 0.01}], margin: 0.1}"
    with pytest.raises(SpecError, match="planned with the share of discordant pairs; the number under 'assume'"):
        load(pairs, count="auto", sampling="{assume: 0.9}")
    assert counted(load(pairs, count="auto", sampling="{assume: {discordant: 0.05}}")) > 16


def test_auto_needs_no_assumption_where_nothing_plans_with_one(load):
    rising = RISING
    assert counted(load(rising, count="auto", nodules=SWEPT)) >= 30


@pytest.mark.parametrize(
    ("expect", "bound", "true"),
    [
        ("sensitivity: {at_least: 0.5}", 0.5, 0.6),
        ("sensitivity: {at_least: 0.9}", 0.9, 0.95),
        ("sensitivity: {at_most: 0.1}", 0.1, 0.02),
        ("sensitivity: {at_most: 0.9}", 0.9, 0.18),
    ],
)
def test_where_nothing_is_assumed_a_rate_is_planned_a_tenth_or_half_of_what_is_left_beyond_its_bound(
    load, expect, bound, true
):
    """Below a bound: a fifth of it."""
    made, below = plan(load(expect, count=40)), "at_most" in expect
    shown = stats.beta.ppf(0.95, np.arange(41) + 1, np.fmax(40 - np.arange(41), 1e-9)) < bound
    if not below:
        shown = stats.beta.ppf(0.05, np.fmax(np.arange(41), 1e-9), 41 - np.arange(41)) > bound
    assert made.power == pytest.approx(stats.binom.pmf(np.flatnonzero(shown), 40, true).sum(), abs=1e-9)
    assert f"a true rate of {true:g} (a default" in made.assumption


@pytest.mark.parametrize(
    ("expect", "told"),
    [
        ("false_positives_per_image: {at_most: 1.0}", "0.5"),
        (RISING, "a mean correlation of 0.7 that varies by 0.4"),
        (RISING, "two levels alike in the mean whose difference of scores varies by 0.15 (a default"),
        (RISING.replace("0.5, max", "0.9, max"), "a mean correlation of 0.95 that varies by 0.4"),
        ("non_inferior: {arm: a, reference: r, margin: 0.1}", "0.05 of the pairs discordant"),
    ],
)
def test_what_else_is_planned_where_nothing_is_assumed(load, expect, told):
    made = plan(load(expect, nodules=SWEPT if "monotone" in expect else ONE, more=ARMS if "arm" in expect else ""))
    assert told in made.assumption, made.assumption
