"""A detector exactly at the bound passes at most alpha of the time, and little data or silence passes nothing.

Each design is repeated just often enough to catch an interval that is too narrow by more than Monte Carlo error (three
standard errors).
"""

import math
from collections import Counter
from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from scipy import special

from synnodtest.evidence.regions import shown_name
from synnodtest.expectations import Status, find_check, known_checks
from synnodtest.spec.quantities import Stratum
from tests.expectations.evidence import evidence, trial

ALPHA = 0.05
SEXES = tuple(Stratum(f"sex={s}", {"sex": {"equals": s}}) for s in "FM")
ARMS = {"arm": "a", "reference": "r", "margin": 0.1}


def chance(rng, rate, icc=0.3):
    """The rate of one background, where outcomes on a background correlate by ``icc``."""
    spread = (1 - icc) / icc
    return rng.beta(rate * spread, (1 - rate) * spread)


def clustered(rng, rate=0.8, backgrounds=20, nodules=5):
    return [
        trial(f"b{i}", 0.9 * (rng.random() < own), replicate=r)
        for i in range(backgrounds)
        for own in [chance(rng, rate)]
        for r in range(nodules)
    ]


def quiet(rng):
    return [
        trial(f"b{i}", arm="@untouched", cluster=f"p{i // 3}", false_positives=[0.9] * (rng.random() < own))
        for k in range(20)
        for own in [chance(rng, 0.2)]
        for i in range(3 * k, 3 * k + 3)
    ]


def crowded(rng):
    return [
        trial(f"b{i}", arm="@untouched", false_positives=[0.9] * rng.poisson(0.5 * rng.gamma(1.0))) for i in range(60)
    ]


def two_arms(only_arm, only_reference, pairs=60):
    def design(rng):
        made = []
        for i in range(pairs):
            u = rng.random()
            a, r = (
                (1, 0) if u < only_arm else (0, 1) if u < only_arm + only_reference else (1, 1) if u < 0.9 else (0, 0)
            )
            made += [trial(f"b{i}", 0.9 * a, arm="a"), trial(f"b{i}", 0.9 * r, arm="r")]
        return made

    return design


def rare_large_loss(rng):
    made = []
    for i in range(30):
        before = 0.6 + 0.05 * rng.standard_normal()
        after = before - 0.5 * (rng.random() < 0.2) + 0.02 * rng.standard_normal()
        made += [trial(f"b{i}", max(after, 0.01), arm="a"), trial(f"b{i}", before, arm="r")]
    return made


def sexes(rng):
    return [
        trial(f"{sex}{i}", 0.9 * (rng.random() < own), replicate=r, strata={"sex": sex})
        for sex, rate in (("F", 0.9), ("M", 0.75))
        for i in range(25)
        for own in [chance(rng, rate)]
        for r in range(4)
    ]


def sizes(rng):
    made = []
    for i in range(100):
        diameter = rng.uniform(4, 40)
        found = rng.random() < 1 / (1 + (15 / diameter) ** 3 / 4)
        made.append(trial(f"b{i}", 0.9 * found, diameter_mm=diameter))
    return made


def free_response(rng):
    made = []
    for i in range(40):
        own = chance(rng, 0.8)
        for r in range(2):
            score = (0.6 + 0.4 * rng.random()) * (rng.random() < own)
            made.append(trial(f"b{i}", score, replicate=r, false_positives=list(0.5 * rng.random(rng.poisson(0.2)))))
        made.append(trial(f"b{i}", arm="@untouched", false_positives=list(0.5 * rng.random(rng.poisson(0.2)))))
    return made


def image_scores(rng):
    made = []
    for i in range(40):
        shared = 0.7 * rng.standard_normal()
        loud, still = (1 / (1 + np.exp(-(x + shared + rng.standard_normal()))) for x in (1.5, 0.0))
        made += [trial(f"b{i}", float(loud)), trial(f"b{i}", arm="@untouched", false_positives=[float(still)])]
    return made


def overconfident(rng):
    """Scores uniform on (0, 1), right with the chance score**2: the error within 10 bins is close to 1/6."""
    made = []
    for i in range(60):
        for r in range(5):
            score = float(rng.random())
            hit = rng.random() < score**2
            made.append(trial(f"b{i}", score * hit, replicate=r, false_positives=[] if hit else [score]))
    return made


def wrong_on_some_films(rng):
    """Scores of 1, all of them wrong on one background in twenty and right on all others: the error is 0.05."""
    made = []
    for i in range(60):
        hit = rng.random() >= 0.05
        made += [trial(f"b{i}", float(hit), replicate=r, false_positives=[] if hit else [1.0]) for r in range(6)]
    return made


def alarms_on_some_films(rng):
    """All nodules found, one background in twenty with five false positives of higher scores: 20 hits of 25 in all."""
    return [
        one
        for i in range(20)
        for loud in [rng.random() < 0.05]
        for one in (trial(f"b{i}", 0.9), trial(f"b{i}", arm="@untouched", false_positives=[1.0] * 5 * loud))
    ]


def crowd_on_some_films(rng):
    """One background in eighteen shows five false positives above all else on each image: 0.28 an image in all."""
    return [
        trial(f"b{i}", score, arm=arm, false_positives=[1.0] * 5 * loud)
        for i in range(24)
        for loud in [rng.random() < 1 / 18]
        for arm, score in (("default", 0.9 * (rng.random() < 0.95)), ("@untouched", None))
    ]


def loud_in_one_group(rng):
    """Single images; of one group one in twenty shows four false positives, of the other none does."""
    return [
        trial(f"{sex}{i}", arm="@untouched", false_positives=[0.9] * 4 * (sex == "F" and rng.random() < 0.05), **known)
        for sex in "FM"
        for known in [{"strata": {"sex": sex}}]
        for i in range(20)
    ] + [trial(f"{sex}{i}", 0.9, strata={"sex": sex}) for sex in "FM" for i in range(20)]


def unresponsive(rng, share=0.07, backgrounds=20):
    """The score is the size but for noise; on a few films nodules of any size are next to nothing."""
    made = []
    for i in range(backgrounds):
        size = rng.uniform(4, 20)
        score = 0.05 * rng.random() if rng.random() < share else size / 25 + 0.02 * rng.standard_normal()
        made.append(trial(f"b{i}", max(float(score), 0.001), diameter_mm=size))
    return made


def empty_films(rng):
    """Twenty nodules on each of 15 backgrounds; on one in twenty of these none is found, on the others 90% are."""
    return [
        trial(f"b{i}", 0.9 * (not lost and rng.random() < 0.9), replicate=r)
        for i in range(15)
        for lost in [rng.random() < 0.05]
        for r in range(20)
    ]


def films_lost_in_one_arm(rng):
    """As many, of which the arm finds none on one background in twenty; elsewhere 4% are found in one arm alone."""
    return [
        trial(f"b{i}", 0.9 * hit, arm=arm, replicate=r)
        for i in range(15)
        for lost in [rng.random() < 0.05]
        for r in range(20)
        for u in [rng.random()]
        for arm, hit in (("a", not lost and u >= 0.02), ("r", u < 0.98))
    ]


def one_group_loses_films(rng):
    """Twenty nodules on each of 15 backgrounds a group; on one in ten of the men's none is found, else 90% are."""
    return [
        trial(f"{sex}{i}", 0.9 * (not lost and rng.random() < 0.9), replicate=r, strata={"sex": sex})
        for sex in "FM"
        for i in range(15)
        for lost in [sex == "M" and rng.random() < 0.1]
        for r in range(20)
    ]


def lost_films(rng):
    """Three nodules on each of 20 backgrounds; on one background in twenty none of them is found."""
    made = []
    for i in range(20):
        lost = rng.random() < 0.05
        for r in range(3):
            made.append(trial(f"b{i}", float(special.expit(2.5 + rng.standard_normal())) * (not lost), replicate=r))
        made.append(trial(f"b{i}", arm="@untouched", false_positives=[float(special.expit(rng.standard_normal()))]))
    return made


LOST_AREA = 0.95 * 0.5 * (1 + math.erf(2.5 / 2))
"""Of the nodules that are found, the logit's excess has variance 2."""
AUC = 0.5 * (1 + math.erf(1.5 / math.sqrt(2 * (1 + 0.7**2)) / math.sqrt(2)))
"""Chance that the logit of a scene exceeds that of another background: both have variance 1 + 0.7**2."""

RHO = 0.859
"""Spearman correlation of 200,000 nodules of :func:`unresponsive`."""

DESIGNS = {
    "sensitivity": ("sensitivity", {"at_least": 0.8}, clustered, 200),
    "detected": ("detected", {"rate_at_least": 0.8}, clustered, 200),
    "sensitivity by film": ("sensitivity", {"at_least": 0.9 * 0.95}, empty_films, 60),
    "non-inferior by film": ("non_inferior", {**ARMS, "margin": 0.98 * 0.05}, films_lost_in_one_arm, 60),
    "parity by film": ("parity", {"strata": SEXES, "margin": 0.09, "metric": "sensitivity"}, one_group_loses_films, 30),
    "specificity": ("specificity", {"at_least": 0.8}, quiet, 200),
    "false positives": ("false_positives_per_image", {"at_most": 0.5}, crowded, 40),
    "non-inferior": ("non_inferior", ARMS, two_arms(0.05, 0.15), 100),
    "superior": ("superior", ARMS, two_arms(0.15, 0.05), 100),
    "equivalent": ("equivalent", ARMS, two_arms(0.05, 0.15, 100), 80),
    "invariant": ("invariant", ARMS, two_arms(0.15, 0.05, 100), 80),
    "confidence": ("non_inferior", {**ARMS, "metric": "confidence"}, rare_large_loss, 60),
    "parity": ("parity", {"strata": SEXES, "margin": 0.15, "metric": "sensitivity"}, sexes, 20),
    "parity of false positives": (
        "parity",
        {"strata": SEXES, "margin": 0.2, "metric": "false_positives_per_image"},
        loud_in_one_group,
        40,
    ),
    "size": ("size_at_sensitivity", {"level": 0.8, "at_most": 15.0}, sizes, 25),
    "froc": ("froc", {"at_least": 0.8}, free_response, 20),
    "froc by film": ("froc", {"at_least": 0.05}, crowd_on_some_films, 30),
    "auc": ("auc", {"at_least": AUC}, image_scores, 25),
    "afroc": ("afroc", {"at_least": LOST_AREA}, lost_films, 60),
    "average precision": ("average_precision", {"at_least": 0.8}, alarms_on_some_films, 30),
    "correlation across": ("correlation", {"over": "diameter_mm", "at_least": RHO}, unresponsive, 40),
    "calibration": ("calibration", {"at_most": 1 / 6}, overconfident, 40),
    "calibration by film": ("calibration", {"at_most": 0.05}, wrong_on_some_films, 60),
}


@pytest.fixture
def without_p_values(monkeypatch):
    """Leave out the p value of a ruling, for which estimates are made a dozen times more; it decides nothing."""
    monkeypatch.setattr("synnodtest.expectations.rule.alarm_p", lambda *_: math.nan)


@pytest.mark.usefixtures("resampled_seldom", "without_p_values")
@pytest.mark.parametrize("name", DESIGNS)
def test_a_detector_at_the_bound_rarely_passes(name):
    kind, parameters, design, runs = DESIGNS[name]
    judge = find_check(kind).judge
    verdicts = Counter(
        judge(parameters, evidence(design(np.random.default_rng([2026, k])), alpha=ALPHA)).status for k in range(runs)
    )
    allowed = ALPHA + 3 * math.sqrt(ALPHA * (1 - ALPHA) / runs)
    assert verdicts[Status.PASSED] / runs <= allowed
    assert verdicts[Status.INCONCLUSIVE] / runs >= 1 - 2 * allowed


def right_scores(rng):
    """Scores uniform on (0, 1), each right with its own chance."""
    made = []
    for i in range(60):
        for r in range(5):
            score = float(rng.random())
            hit = rng.random() < score
            made.append(trial(f"b{i}", score * hit, replicate=r, false_positives=[] if hit else [score]))
    return made


@pytest.mark.usefixtures("resampled_seldom", "without_p_values")
def test_of_the_error_that_right_scores_show_by_chance_next_to_nothing_is_held_against_a_detector():
    """Without the widths of the bounds, at an error rate of nearly a half; resampling alone took back two fifths."""
    judge, runs = find_check("calibration").judge, range(20)
    rulings = [judge({"at_most": 0.5}, evidence(right_scores(np.random.default_rng([1, k])), alpha=0.49)) for k in runs]
    value, left = np.mean([(part.value, part.lower) for part in (r.components[0] for r in rulings)], axis=0)
    assert value > 0.05
    assert left < 0.45 * value


GATED = {
    "non_inferior": ARMS,
    "superior": {**ARMS, "margin": 0.0},
    "equivalent": ARMS,
    "invariant": ARMS,
    "parity": {"strata": SEXES, "margin": 0.1},
    "no_detection": {"region": "air_leak", "at_most": 0.1},
    "correlation": {"over": "diameter_mm", "at_most": 0.5},
    "calibration": {"at_most": 0.5},
    "sensitivity": {"at_least": 0.1},
    "detected": {"rate_at_least": 0.1},
    "size_at_sensitivity": {"at_most": 30.0},
    "monotone": {"over": "diameter_mm", "min_spearman": 0.1, "max_drop": 0.5},
    "froc": {"at_least": 0.1},
    "auc": {"at_least": 0.5},
    "average_precision": {"at_least": 0.1},
    "localization": {"metric": "iou", "at_least": 0.1},
}


@pytest.mark.parametrize("kind", GATED)
def test_an_always_silent_detector_passes_nothing_that_asks_for_nodules(kind):
    trials = []
    for i in range(60):
        known = {"strata": {"sex": "FM"[i % 2]}}
        trials += [trial(f"b{i}", 0.0, arm=arm, diameter_mm=d, replicate=r, **known)
                   for r, d in enumerate((5.0, 8.0, 12.0, 16.0, 20.0)) for arm in ("a", "r", "@outside")]  # fmt: skip
        trials.append(trial(f"b{i}", arm="@untouched", **known))
    ruling = find_check(kind).judge(GATED[kind], evidence(trials))
    assert ruling.status is not Status.PASSED


@pytest.mark.parametrize("kind", [*GATED, "specificity", "false_positives_per_image"])
def test_one_background_never_passes(kind):
    alone = {"specificity": {"at_least": 0.1}, "false_positives_per_image": {"at_most": 5.0}}
    parameters = alone.get(kind) or GATED[kind]
    trials = []
    for r in range(40):
        for arm in ("a", "r", "@outside"):
            size = 5.0 + r % 8
            known = {"strata": {"sex": "FM"[r % 2]}, "replicate": r}
            trials.append(trial("only", 0.05 * size + 0.3, arm=arm, diameter_mm=size, **known))
        trials.append(trial("only", arm="@untouched", replicate=r, strata={"sex": "FM"[r % 2]}))
    assert find_check(kind).judge(parameters, evidence(trials)).status is not Status.PASSED


def test_three_of_three_against_four_fifths_is_inconclusive():
    ruling = find_check("sensitivity").judge({"at_least": 0.8}, evidence([trial(f"b{i}", 0.9) for i in range(3)]))
    assert ruling.status is Status.INCONCLUSIVE


@pytest.mark.parametrize("kind", ["non_inferior", "equivalent", "invariant"])
def test_no_discordant_pair_among_ten_is_inconclusive(kind):
    trials = [trial(f"b{i}", 0.9, arm=arm) for i in range(10) for arm in "ar"]
    assert find_check(kind).judge({**ARMS, "margin": 0.05}, evidence(trials)).status is Status.INCONCLUSIVE


def rising(rng, levels=6):
    """Scores that rise a little with the size, on each background or, of one level on each, over all of them."""
    made = []
    for i in range(25):
        for k in range(levels):
            size = 6.0 + 3 * k + (i if levels == 1 else 0)
            score = float(np.clip(0.2 + 0.004 * size + 0.12 * rng.standard_normal(), 0.01, 1))
            made.append(trial(f"b{i}", score, diameter_mm=size, levels={"diameter_mm": size}))
    return made


def leaking(rng):
    shown = {"regions": frozenset({shown_name("hilar")})}
    made = [trial(f"b{i}", 0.6, fires=[("hilar", 0.9)] * (rng.random() < 0.2), **shown) for i in range(40)]
    return made + [trial(f"b{i}", 0.9 * (rng.random() < 0.8), arm="@outside") for i in range(40)]


def growing(rng):
    made = []
    for i in range(30):
        now = trial(f"b{i}", float(rng.uniform(0.5, 0.9)))
        (nodule,) = now.nodules
        made.append(replace(now, nodules=(replace(nodule, requested={**nodule.requested, "doubling_days": 90.0}),)))
        made.append(trial(f"b{i}", float(rng.uniform(0.1, 0.6)), arm="@prior:default"))
    return made


def off_centre(rng):
    made = [trial(f"b{i}", 0.9 * (rng.random() < 0.9)) for i in range(40)]
    boxes = [(10.0, 10.0, 14.0 + 4 * rng.random(), 14.0) for _ in made]
    return [
        replace(t, sightings=tuple(replace(s, finding=replace(s.finding, box=box)) for s in t.sightings))
        for t, box in zip(made, boxes, strict=True)
    ]


def with_leads(rng):
    made = []
    for i in range(40):
        (lead,) = trial(f"b{i}", 0.9 * (rng.random() < 0.2), name="lead").nodules
        made.append(replace(trial(f"b{i}", 0.9), mimics=(lead,)))
    return made


FURTHER = {
    "monotone": ("monotone", {"over": "diameter_mm", "min_spearman": 0.2, "max_drop": 0.5}, rising),
    "correlation": ("correlation", {"over": "diameter_mm", "at_least": 0.2}, rising),
    "correlation below": ("correlation", {"over": "diameter_mm", "at_most": 0.9}, partial(rising, levels=1)),
    "no detection": ("no_detection", {"region": "hilar", "at_most": 0.3}, leaking),
    "growth": ("growth", {"at_least": 0.1}, growing),
    "localization": ("localization", {"metric": "iou", "at_least": 0.5}, off_centre),
    "distance": ("localization", {"metric": "distance_mm", "at_most": 3.0}, off_centre),
    "distractor": ("distractor", {"at_most": 0.3}, with_leads),
    "parity of confidence": ("parity", {"strata": SEXES, "margin": 0.15, "metric": "confidence"}, sexes),
}
EVERY = {**{name: design[:3] for name, design in DESIGNS.items()}, **FURTHER}


def test_every_kind_has_a_design():
    assert {kind for kind, *_ in EVERY.values()} | {"python"} == set(known_checks())


@pytest.mark.usefixtures("resampled_seldom")
@pytest.mark.parametrize("name", EVERY)
def test_bounds_have_the_error_rate_that_is_asked_for_and_beside_them_stand_those_of_95_percent(name):
    kind, parameters, design = EVERY[name]
    trials = design(np.random.default_rng([2026, 1]))
    strict, usual, lax = (
        find_check(kind).judge(parameters, evidence(trials, alpha=alpha)).components for alpha in (0.025, 0.05, 0.2)
    )
    assert any(math.isfinite(part.lower) for part in strict if part.role == "decides")
    for wide, middle, narrow in zip(strict, usual, lax, strict=True):
        both = [(part.lower95, part.upper95) for part in (wide, middle, narrow)]
        assert both == [(wide.lower, wide.upper)] * 3
        for one, next_ in ((wide, middle), (middle, narrow)):
            assert one.lower < next_.lower or one.lower == next_.lower == min(0.0, one.value) or math.isinf(one.lower)
            assert one.upper > next_.upper or one.upper == next_.upper >= 1.0
