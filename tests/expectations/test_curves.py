"""Curves, calibration and localization agree with independent references and refuse to decide on little."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from synnodtest import Finding, statistics
from synnodtest.canonical import seed_sequence
from synnodtest.evidence.sightings import Sighting
from synnodtest.expectations import Status, find_check
from synnodtest.expectations.curves import bootstrapped, ledger_of
from synnodtest.expectations.kinds.calibration import _among_the_loud, _error_of
from synnodtest.expectations.language import Selection
from tests.expectations.evidence import evidence, trial


def judge(kind, parameters, trials, **options):
    return find_check(kind).judge(parameters, evidence(trials, **options))


def detector(backgrounds=40, sensitivity=0.9, noise=1.0, seed=0):
    """Scenes with one nodule each, and the same backgrounds untouched."""
    rng = np.random.default_rng(seed)
    trials = []
    for i in range(backgrounds):
        found = rng.random() < sensitivity
        wrong = list(rng.random(rng.poisson(noise)) * 0.5)
        trials.append(trial(f"b{i}", 0.5 + 0.5 * rng.random() if found else 0.0, false_positives=wrong))
        trials.append(trial(f"b{i}", arm="@untouched", false_positives=list(rng.random(rng.poisson(noise)) * 0.5)))
    return trials


def pooled(trials):
    scores = [s.finding.score for t in trials for s in t.sightings]
    hits = [k not in t.false_positives for t in trials for k in range(len(t.sightings))]
    return scores, hits


def test_scores_that_part_hits_from_all_else_have_no_recalibration_line():
    (note,) = judge("calibration", {"at_most": 0.5}, detector()).notes
    assert note.endswith("; no recalibration line can be fitted")


def test_the_calibration_error_of_weighted_images_is_that_of_the_images_repeated():
    trials = detector(12, sensitivity=0.7)
    ledger = ledger_of(Selection(), evidence(trials))
    rows = np.random.default_rng(1).integers(24, size=24)
    scores, hits = pooled([ledger.trials[row] for row in rows])
    expected = statistics.expected_calibration_error(scores, hits, bins=5)
    assert _error_of(ledger, 5)(np.bincount(rows, minlength=24)) == pytest.approx(expected)


def mixed(backgrounds=16, seed=4):
    """Two nodules on each of some backgrounds, and false positives as loud as hits, in steps of 0.1."""
    rng = np.random.default_rng(seed)

    def scores(count):
        return [float(one) for one in rng.integers(1, 10, count) / 10]

    for i in range(backgrounds):
        for name in ("one", "two"):
            yield trial(f"b{i}", float(rng.integers(0, 10) / 10), name=name, false_positives=scores(rng.poisson(1.0)))
        yield trial(f"b{i}", arm="@untouched", false_positives=scores(rng.poisson(0.7)))


@pytest.mark.parametrize("fppi", [0.1, 0.25, 0.5, 1.0, 2.5])
def test_sensitivity_at_false_positives_per_image_is_that_of_the_best_threshold_that_allows_them(fppi):
    trials = list(mixed())
    images, nodules = len(trials), sum(len(t.nodules) for t in trials)
    curve = []
    for threshold in sorted({s.finding.score for t in trials for s in t.sightings} | {2.0}):
        false = sum(t.false_positives_at(threshold) for t in trials) / images
        hits = sum(n.detected(threshold) for t in trials for n in t.nodules) / nodules
        curve.append((false, hits))
    best = max(hits for false, hits in curve if false <= fppi)
    ruling = judge("froc", {"at_least": 0.01, "at_false_positives_per_image": fppi}, trials)
    part = ruling.components[0]
    assert part.value == pytest.approx(best)
    ledger = ledger_of(Selection(), evidence(trials))
    assert sum(ledger.hits_at(fppi)) == round(best * nodules)
    exact = statistics.clustered_rate(ledger.hits_at(fppi), [ledger.trials[i].cluster for i in ledger.owner])
    assert part.lower <= exact.lower
    assert part.upper >= exact.upper
    assert f"n = {nodules} nodules on 16 backgrounds, 16 untouched" in ruling.sentence
    points = list(zip(ruling.figure["fppi"], ruling.figure["sensitivity"], strict=True))
    assert points == [(round(false, 5), round(hits, 5)) for false, hits in sorted(curve)]


def crowded_at(trials, threshold):
    """False positives per image of all images, and of the worst background."""
    count = {t.background: [] for t in trials}
    for t in trials:
        count[t.background].append(t.false_positives_at(threshold))
    return np.mean([n for own in count.values() for n in own]), max(np.mean(own) for own in count.values())


@pytest.mark.parametrize("fppi", [0.25, 0.5, 1.0])
def test_backgrounds_unlike_all_seen_may_take_the_false_positives_that_a_point_of_a_curve_allows(fppi):
    """A share of 1 - 0.05**(1/40) of them shows three per image, or as many as the worst of those seen."""
    trials, share = list(mixed(40)), 1 - 0.05 ** (1 / 40)
    nodules = [n for t in trials for n in t.nodules]
    left = []
    for threshold in sorted({s.finding.score for t in trials for s in t.sightings} | {2.0}):
        mean, worst = crowded_at(trials, threshold)
        if (1 - share) * mean + share * max(3, worst) <= fppi:
            left.append(np.mean([n.detected(threshold) for n in nodules]))
    part = judge("froc", {"at_least": 0.01, "at_false_positives_per_image": fppi}, trials).components[0]
    ledger = ledger_of(Selection(), evidence(trials))
    exact = statistics.clustered_rate(ledger.hits_at(fppi), [ledger.trials[i].cluster for i in ledger.owner])
    assert part.lower == pytest.approx(max(left))
    assert part.lower < exact.lower


def test_false_positives_of_backgrounds_unlike_all_seen_leave_nothing_of_a_point_with_fewer():
    trials = [trial(f"b{i}", 0.9, arm=arm) for i in range(40) for arm in ("default", "@untouched")]
    part = judge("froc", {"at_least": 0.5, "at_false_positives_per_image": 0.2}, trials).components[0]
    assert (part.value, part.lower) == (1.0, 0.0)


def test_the_band_of_a_curve_holds_it_and_without_nodules_there_is_no_sensitivity():
    trials = list(mixed())
    figure = judge("froc", {"at_least": 0.1}, trials).figure
    lower, value, upper = (np.array(figure[name]) for name in ("band_lower", "sensitivity", "band_upper"))
    assert (lower <= value).all()
    assert (value <= upper).all()
    assert (upper - lower)[2:-1].min() > 0.05
    assert (figure["band_level"], figure["whole"]) == (0.9, True)
    loud = [
        *trials,
        *(trial(f"b{i}", arm="@untouched", false_positives=[0.3 - 0.001 * k for k in range(300)]) for i in range(16)),
    ]
    assert judge("froc", {"at_least": 0.1}, loud).figure["whole"] is False
    ledger = ledger_of(Selection(), evidence(trials))
    assert np.isnan(ledger.sensitivity(np.zeros(len(ledger.trials)), 1.0))


@pytest.mark.parametrize("kind", ["auc", "afroc"])
def test_an_area_is_bounded_by_the_wider_of_bootstrap_and_delong(kind):
    trials = [t for t in mixed(20) if t.arm == "@untouched" or t.nodules[0].name == "one"]
    part = judge(kind, {"at_least": 0.5}, trials).components[0]
    planted, untouched = ([t for t in trials if bool(t.nodules) is there] for there in (True, False))
    quiet = [max((s.finding.score for s in t.sightings), default=-np.inf) for t in untouched]
    loud = [max((s.finding.score for s in t.sightings), default=-np.inf) for t in planted]
    if kind == "afroc":
        loud = [n.confidence if n.finding is not None else -np.inf for t in planted for n in t.nodules]
    want = statistics.delong(loud, quiet, guarded=True)
    assert part.value == pytest.approx(want.value)
    assert part.lower <= want.lower + 1e-12
    assert part.upper >= want.upper - 1e-12


def test_an_area_is_bounded_no_narrower_than_by_the_guarded_bootstrap_where_all_hangs_on_one_patient():
    """On his 12 images nothing is found, on those of 24 others all but one of them."""
    owner = [f"p{max(0, i - 11)}" for i in range(36)]
    trials = [trial(f"b{i}", 0.9 * (i > 12), cluster=owner[i]) for i in range(36)]
    trials += [trial(f"b{i}", arm="@untouched", cluster=owner[i], false_positives=[0.5] * (i % 3)) for i in range(36)]
    loudest = np.array([max((s.finding.score for s in t.sightings), default=-np.inf) for t in trials])
    planted = np.array([bool(t.nodules) for t in trials])

    def area(rows):
        return statistics.auc(loudest[rows[planted[rows]]], loudest[rows[~planted[rows]]])

    plain, guarded = (
        statistics.cluster_bootstrap(area, [t.cluster for t in trials], seed=0, limits=(0.0, 1.0), guarded=on)
        for on in (False, True)
    )
    exact = statistics.delong(loudest[planted], loudest[~planted], guarded=True)
    part = judge("auc", {"at_least": 0.3}, trials).components[0]
    assert guarded.lower < min(plain.lower, exact.lower)
    assert (part.value, part.lower) == pytest.approx((exact.value, guarded.lower))
    assert part.upper == pytest.approx(max(guarded.upper, exact.upper))


def precision_at_recalls(scores, hits, nodules, ahead=0.0):
    """COCO's 101 points by hand: the best precision at any threshold that finds so many, ties together."""
    points = []
    for threshold in set(scores):
        kept = np.array(scores) >= threshold
        points.append((np.array(hits)[kept].sum() / nodules, np.array(hits)[kept].sum() / (kept.sum() + ahead)))
    recalls = [k / 100 for k in range(101)]
    return np.mean([max((p for found, p in points if found >= recall - 1e-12), default=0.0) for recall in recalls])


def test_average_precision_is_bounded_by_one_more_background_what_was_found_and_what_was_not_seen():
    trials = list(mixed())
    scores, hits = pooled(trials)
    nodules, images = sum(len(t.nodules) for t in trials), len(trials)
    part = judge("average_precision", {"at_least": 0.1}, trials).components[0]
    assert part.value == pytest.approx(precision_at_recalls(scores, hits, nodules))
    found = [n.finding is not None for t in trials for n in t.nodules]
    exact = statistics.clustered_rate(found, [t.cluster for t in trials for _ in t.nodules])
    ledger = ledger_of(Selection(), evidence(trials))
    low = bootstrapped(ledger, ledger.precision, evidence(trials))(0.05)
    unseen = precision_at_recalls(scores, hits, nodules, ahead=3 * images * (1 - 0.05 ** (1 / 16)))
    assert part.lower == pytest.approx(min(low.lower * 16 / 17, exact.lower, unseen))
    assert part.upper == pytest.approx(low.upper)


@pytest.mark.usefixtures("resampled_seldom")
@pytest.mark.parametrize("kind", ["froc", "average_precision"])
def test_one_background_says_nothing_of_a_curve(kind):
    trials = [trial("b", 0.9, replicate=i) for i in range(20)]
    ruling = judge(kind, {"at_least": 0.1}, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.components[0].value == 1.0
    assert "; one cluster" in ruling.sentence or "1 independent background is too few" in ruling.sentence


@pytest.mark.usefixtures("resampled_seldom")
@pytest.mark.parametrize("kind", ["froc", "average_precision"])
def test_a_good_detector_passes_and_a_silent_one_fails(kind):
    assert judge(kind, {"at_least": 0.5}, detector(60)).status is Status.PASSED
    silent = [trial(f"b{i}", 0.0) for i in range(40)] + [trial(f"b{i}", arm="@untouched") for i in range(40)]
    assert judge(kind, {"at_least": 0.5}, silent).status is Status.FAILED


def test_the_interval_at_perfect_sensitivity_is_the_exact_one():
    trials = [trial(f"b{i}", 0.9) for i in range(20)] + [trial(f"b{i}", arm="@untouched") for i in range(20)]
    part = judge("froc", {"at_least": 0.5}, trials).components[0]
    assert part.lower <= statistics.clopper_pearson(20, 20).lower
    assert part.value == 1.0


def test_the_auc_is_that_of_the_highest_score_per_image():
    from sklearn.metrics import roc_auc_score

    trials = detector(40, sensitivity=0.6)
    ruling = judge("auc", {"at_least": 0.5}, trials)
    truth = [bool(t.nodules) for t in trials]
    loudest = [max((s.finding.score for s in t.sightings), default=0.0) for t in trials]
    assert ruling.components[0].value == pytest.approx(roc_auc_score(truth, loudest))
    assert (ruling.n_nodules, ruling.n_clusters) == (80, 40)


def test_a_silent_detector_has_an_auc_of_one_half_and_does_not_pass():
    silent = [trial(f"b{i}", 0.0) for i in range(40)] + [trial(f"b{i}", arm="@untouched") for i in range(40)]
    ruling = judge("auc", {"at_least": 0.5}, silent)
    assert ruling.components[0].value == 0.5
    assert ruling.status is Status.INCONCLUSIVE


@pytest.mark.usefixtures("resampled_seldom")
def test_a_second_finding_on_a_nodule_is_a_false_positive_to_average_precision_alone():
    """By falling score hit, hit again, hit of the other image: precision 1 at 51 recalls, 2/3 at the other 50."""

    def doubled(made, score):
        again = Sighting(Finding((11, 11, 13, 13), score))
        return replace(made, sightings=(*made.sightings, again), duplicates=(1,))

    trials = [
        doubled(trial("a", 0.9), 0.8),
        trial("b", 0.7),
        trial("a", arm="@untouched"),
        trial("b", arm="@untouched"),
    ]
    part = judge("average_precision", {"at_least": 0.5}, trials).components[0]
    assert part.value == pytest.approx((51 + 50 * 2 / 3) / 101)
    curve = judge("froc", {"at_least": 0.5, "at_false_positives_per_image": 0.1}, trials).components[0]
    assert curve.value == 1.0
    elsewhere = replace(trials[0].nodules[0], name="other", truth=replace(trials[0].nodules[0].truth, origin=(60, 60)))
    trials[0] = replace(trials[0], nodules=(*trials[0].nodules, replace(elsewhere, finding=None, confidence=0.0)))
    parts = [
        judge("average_precision", {"at_least": 0.5, "of": of}, trials).components[0] for of in ("nodule", "other")
    ]
    assert [one.value for one in parts] == [part.value, 0.0]


@pytest.mark.parametrize("kind", ["froc", "average_precision", "auc"])
def test_fourteen_backgrounds_decide_no_curve(kind):
    assert judge(kind, {"at_least": 0.1}, detector(14)).status is Status.INCONCLUSIVE


def test_findings_on_nodules_that_are_not_judged_are_no_false_positives():
    small = [trial(f"b{i}", 0.9, diameter_mm=5.0) for i in range(20)]
    large = [trial(f"b{i}", 0.9, diameter_mm=20.0, false_positives=[0.3]) for i in range(20)]
    ledger = ledger_of(Selection(where={"diameter_mm": {"at_least": 10}}), evidence(small + large))
    assert (len(ledger.trials), ledger.hit.sum(), (~ledger.hit).sum()) == (20, 20, 20)


def scored(backgrounds, chance, seed=0, each=6):
    """Findings whose score is right with the chance that ``chance`` makes of it."""
    rng = np.random.default_rng(seed)
    trials = []
    for i in range(backgrounds):
        for r in range(each):
            score = float(rng.random())
            hit = rng.random() < chance(score)
            trials.append(trial(f"b{i}", score if hit else 0.0, replicate=r, false_positives=[] if hit else [score]))
    return trials


def test_calibrated_scores_pass_and_overconfident_ones_fail():
    parameters = {"at_most": 0.15, "bins": 5}
    good = judge("calibration", parameters, scored(100, lambda p: p))
    assert good.status is Status.PASSED
    assert sum(good.figure["count"]) == 600
    assert judge("calibration", parameters, scored(100, lambda p: p**4)).status is Status.FAILED


@pytest.mark.parametrize(
    ("backgrounds", "chance", "copies"),
    [(30, lambda p: p, 1), (30, lambda p: p**3, 1), (5, lambda p: p**3, 4)],
    ids=["calibrated", "overconfident", "few backgrounds of many findings"],
)
def test_the_error_of_calibration_is_bounded_by_the_spread_of_resampled_backgrounds_less_their_bias(
    backgrounds, chance, copies
):
    trials = [
        replace(t) for t in scored(backgrounds, chance, seed=6, each=6 if copies == 1 else 60) for _ in range(copies)
    ]
    part = judge("calibration", {"at_most": 0.2, "bins": 4}, trials, seed=9).components[0]

    names = sorted({t.background for t in trials})
    own = [np.array(pooled([t for t in trials if t.background == name]), float) for name in names]

    def error(pick):
        return statistics.expected_calibration_error(*np.concatenate([own[k] for k in pick], axis=1), bins=4)

    rng, value = np.random.default_rng(seed_sequence("calibration", 9)), error(range(backgrounds))
    draws = np.array([error(pick) for pick in rng.integers(backgrounds, size=(2000, backgrounds))])
    excess, half = draws.mean() - value, stats.t.isf(0.05, backgrounds - 1) * draws.std(ddof=1)
    assert part.value == pytest.approx(value)
    assert part.lower == pytest.approx(max(0.0, value - max(excess, 0.0) / (np.sqrt(2) - 1) - half))
    units = min(value * (1 - value) / draws.var(ddof=1), len(pooled(trials)[0]))
    beta_bound = stats.beta.isf(0.05, value * units + 1, units - value * units)
    assert part.upper == pytest.approx(max(value + half, beta_bound))
    assert bool(value + half > beta_bound) is (backgrounds == 5)


def test_where_no_resample_differs_backgrounds_unlike_all_seen_are_allowed_for():
    part = judge("calibration", {"at_most": 0.5, "bins": 2}, [trial(f"b{i}", 0.9) for i in range(20)]).components[0]
    unseen = 1 - 0.05 ** (1 / 20)
    assert (part.value, part.lower, part.upper) == pytest.approx((0.1, 0.1 * (1 - unseen), 0.1 + 0.9 * unseen))
    alone = judge("calibration", {"at_most": 0.5, "bins": 2}, [trial("b", 0.9, replicate=i) for i in range(40)])
    assert "; one cluster" in alone.sentence


def test_the_points_of_a_calibration_are_the_means_of_bins_of_equal_mass():
    trials = scored(30, lambda p: p**2, seed=6)
    scores, hits = (np.array(column, float) for column in pooled(trials))
    bins = np.array_split(np.argsort(scores), 5)
    ruling = judge("calibration", {"at_most": 0.5, "bins": 5}, trials)
    assert ruling.figure["count"] == [36] * 5
    assert ruling.figure["p"] == [round(scores[k].mean(), 5) for k in bins]
    assert ruling.figure["observed"] == [round(hits[k].mean(), 5) for k in bins]
    line = statistics.calibration_line(scores, hits)
    told = f"Brier score {((scores - hits) ** 2).mean():.3f}; recalibration slope {line.slope:.2f}, intercept "
    assert ruling.notes[0] == f"{told}{line.intercept:.2f}"


@pytest.mark.parametrize(("right", "status"), [(0.9, "PASSED"), (0.4, "INCONCLUSIVE")])
def test_findings_of_next_to_no_score_do_not_hide_that_high_scores_are_wrong(right, status):
    """Twenty findings of 0.01 on every image, none of them a nodule: their error is 0.01, and they are most of all."""
    rng, trials = np.random.default_rng(8), []
    for i in range(60):
        for r in range(3):
            hit, junk = rng.random() < right, list(0.02 * rng.random(20))
            trials.append(trial(f"b{i}", 0.9 * hit, replicate=r, false_positives=junk if hit else [0.9, *junk]))
    ruling = judge("calibration", {"at_most": 0.1}, trials)
    assert ruling.status == status
    assert ruling.components[0].upper < 0.1
    assert ("of the 180 findings of 0.25 or more the error is 0.5" in ruling.sentence) is (right == 0.4)


def beside_junk(loud, junk=20):
    """One background for each score that is right or wrong, or None; on all of them findings of 0.01, and as right."""
    rng, trials = np.random.default_rng(8), []
    for i, one in enumerate(loud):
        score, right = one or (0.0, False)
        wrong = [0.01 * (1 + rng.random()) for _ in range(junk)] + [score] * (score > 0 and not right)
        trials.append(trial(f"b{i}", score if right else 0.0, false_positives=wrong))
    return trials


@pytest.mark.parametrize("loud", [9, 12])
def test_ten_findings_at_the_operating_point_are_needed_to_say_how_wrong_they_are(loud):
    ruling = judge("calibration", {"at_most": 0.1}, beside_junk([(0.9, False)] * loud + [None] * (60 - loud)))
    assert ruling.components[0].status is Status.PASSED
    assert ("of the 12 findings of 0.25 or more the error is 0.90" in ruling.sentence) is (loud == 12)


def test_the_error_of_the_loud_has_a_bin_for_every_thirty_and_counts_those_just_at_the_operating_point():
    """Three bins of thirty: 0.5, half of them right, leave next to no gap, and sixty of 0.9 are all wrong."""
    loud = [(0.5 + 0.001 * k, k % 2 == 0) for k in range(30)] + [(0.9 + 0.001 * k, False) for k in range(60)]
    trials = beside_junk(loud + [None] * 90)
    ruling = judge("calibration", {"at_most": 0.35}, trials, operating_point=0.5)
    scores, hits = zip(*loud, strict=True)
    by_hand = [abs(np.mean(scores[k : k + 30]) - np.mean(hits[k : k + 30])) for k in (0, 30, 60)]
    assert f"of the 90 findings of 0.5 or more the error is {np.mean(by_hand):.2f} (" in ruling.sentence
    assert ruling.components[0].status is Status.PASSED


def test_few_of_the_loud_are_two_bins():
    """Two bins of fifteen: ten of 0.5, of which half are right, and twenty of 0.9, all wrong."""
    loud = [(0.5 + 0.001 * k, k % 2 == 0) for k in range(10)] + [(0.9 + 0.001 * k, False) for k in range(20)]
    ruling = judge("calibration", {"at_most": 0.3}, beside_junk(loud + [None] * 30), operating_point=0.5)
    scores, hits = zip(*loud, strict=True)
    by_hand = [abs(np.mean(scores[k : k + 15]) - np.mean(hits[k : k + 15])) for k in (0, 15)]
    assert f"of the 30 findings of 0.5 or more the error is {np.mean(by_hand):.2f} (" in ruling.sentence


@pytest.mark.parametrize(("off", "fewest", "most"), [(0.0, 0, 31), (0.1, 60, 100)])
def test_of_sixty_scores_chance_alone_withholds_no_more_than_a_third_where_they_are_right(off, fewest, most):
    parameters, withheld = find_check("calibration").read({"at_most": 0.05}), 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        right = [(s, rng.random() < s - off) for s in rng.uniform(0.25, 1.0, 60)]
        seen = evidence(beside_junk(right, junk=1))
        withheld += bool(_among_the_loud(ledger_of(parameters, seen), 10, 0.05, seen))
    assert fewest <= withheld <= most


@pytest.mark.parametrize(("score", "are"), [(0.0, True), (-0.01, False), (1.0, True), (1.01, False)])
def test_scores_that_leave_0_to_1_are_no_probabilities(score, are):
    trials = [*scored(40, lambda p: p), trial("x", 0.5, false_positives=[score])]
    ruling = judge("calibration", {"at_most": 0.3}, trials)
    assert ("no probabilities" in ruling.sentence) is not are
    assert (ruling.status is Status.PASSED) is are


def test_a_detector_with_calibrated_but_hopeless_findings_does_not_pass():
    trials = [trial(f"b{i}", 0.0, false_positives=[0.001] * 9) for i in range(60)]
    ruling = judge("calibration", {"at_most": 0.1}, trials)
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is Status.INCONCLUSIVE


@pytest.mark.parametrize(("at_most", "clear"), [(0.9, "stays below"), (0.05, "exceeds the pre-specified limit")])
def test_what_alone_withholds_a_ruling_leads_its_sentence(at_most, clear):
    """Sixty findings in ten bins: the interval is clear of the bound, and the bins hold too few."""
    ruling = judge("calibration", {"at_most": at_most}, [trial(f"b{i}", 0.6) for i in range(60)])
    assert ruling.status is Status.INCONCLUSIVE
    assert ruling.sentence.startswith("INCONCLUSIVE 60 findings are too few for 10 bins of 10; expected calibration")
    assert clear in ruling.sentence
    assert ruling.sentence.endswith("; n = 60 findings on 60 backgrounds")


def test_the_error_of_the_loud_is_not_rounded_to_the_bound():
    rng, trials = np.random.default_rng(8), []
    for i in range(60):
        junk, hits = list(0.02 * rng.random(20)), rng.random(3) < 0.4
        trials += [
            trial(f"b{i}", 0.846 * h, replicate=r, false_positives=junk + [0.846] * (1 - h)) for r, h in enumerate(hits)
        ]
    told = judge("calibration", {"at_most": 0.41}, trials).sentence
    assert "the error is 0.413 (0.412 without chance), beyond 0.41" in told


def test_scores_above_one_are_no_probabilities():
    trials = [trial(f"b{i}", 4.0 + i % 3) for i in range(200)]
    ruling = judge("calibration", {"at_most": 0.1}, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert "no probabilities" in ruling.sentence


def test_localization_is_the_mean_overlap_of_hits():
    ruling = judge("localization", {"metric": "iou", "at_least": 0.9}, [trial(f"b{i}", 0.9) for i in range(60)])
    assert ruling.components[0].value == 1.0
    assert ruling.status is Status.PASSED
    assert (
        judge("localization", {"metric": "iou", "at_least": 0.9}, [trial("b", 0.9)] * 50).status is Status.INCONCLUSIVE
    )


def test_localization_in_mm_uses_the_spacing_of_each_axis():
    near = [trial(f"b{i}", 0.9) for i in range(60)]
    assert judge("localization", {"metric": "distance_mm", "at_most": 1.0}, near).components[0].value == 0.0
    silent = [trial(f"b{i}", 0.0) for i in range(60)]
    assert judge("localization", {"metric": "distance_mm", "at_most": 1.0}, silent).status is Status.INCONCLUSIVE


CURVES = {
    "froc": {"at_least": 0.5},
    "auc": {"at_least": 0.5},
    "afroc": {"at_least": 0.5},
    "average_precision": {"at_least": 0.5},
    "calibration": {"at_most": 0.5, "bins": 3},
}


@pytest.mark.usefixtures("resampled_seldom")
@pytest.mark.parametrize("kind", CURVES)
def test_a_condition_on_the_radiograph_selects_untouched_ones_too(kind):
    """Those of the others, on whom the detector fires a lot, would make the curve of the selected worse."""
    women = [replace(t, strata={"sex": "F"}) for t in mixed(20)]
    loud = [0.95, 0.9, 0.85, 0.8]
    men = [trial(f"m{i}", 0.1, strata={"sex": "M"}, false_positives=loud) for i in range(20)]
    men += [trial(f"m{i}", arm="@untouched", strata={"sex": "M"}, false_positives=loud) for i in range(20)]
    alone, both = judge(kind, CURVES[kind], women), judge(kind, {**CURVES[kind], "where": {"sex": "F"}}, women + men)
    assert both.components == alone.components
    assert judge(kind, CURVES[kind], women + men).components != alone.components


@pytest.mark.parametrize("missed", [0, 4])
def test_backgrounds_unlike_all_seen_may_show_three_false_positives_per_image_before_all_findings(missed):
    trials = [trial(f"b{i}", (0.9 - 0.001 * i) * (i >= missed)) for i in range(40)]
    trials += [trial(f"b{i}", arm="@untouched") for i in range(40)]
    scores = [0.9 - 0.001 * i for i in range(missed, 40)]
    part = judge("average_precision", {"at_least": 0.1}, trials).components[0]
    unseen = precision_at_recalls(scores, [True] * len(scores), 40, ahead=3 * 80 * (1 - 0.05 ** (1 / 40)))
    assert part.value == pytest.approx(precision_at_recalls(scores, [True] * len(scores), 40))
    assert part.lower == pytest.approx(unseen)


def with_nodules(background, found):
    """One scene with a nodule for each answer: found or not."""
    one, hits = trial(background, 0.9), np.cumsum(found) - 1
    nodules = [
        replace(one.nodules[0], name=f"n{k}", confidence=0.9 * hit, finding=int(hits[k]) if hit else None)
        for k, hit in enumerate(found)
    ]
    return replace(one, nodules=tuple(nodules), sightings=one.sightings * int(sum(found)))


def test_an_average_precision_that_false_positives_lower_allows_for_one_more_background_without_a_finding():
    rng = np.random.default_rng(2)
    found = [list(rng.random(12) < 0.85) for _ in range(16)]
    trials = [with_nodules(f"b{i}", answers) for i, answers in enumerate(found)]
    trials += [trial(f"b{i}", arm="@untouched", false_positives=[1.0, 1.0]) for i in range(16)]
    ledger = ledger_of(Selection(), evidence(trials))
    low = bootstrapped(ledger, ledger.precision, evidence(trials))(0.05)
    part = judge("average_precision", {"at_least": 0.1}, trials).components[0]
    exact = statistics.clustered_rate(np.ravel(found), np.repeat(np.arange(16), 12))
    assert part.value == pytest.approx(precision_at_recalls(*pooled(trials), 16 * 12))
    assert part.value > 0.6
    assert part.lower == pytest.approx(low.lower * 16 / 17)
    assert part.lower < exact.lower


@pytest.mark.parametrize(("wrong", "status"), [(10, Status.PASSED), (30, Status.INCONCLUSIVE)])
def test_scores_at_the_operating_point_that_err_by_more_than_the_bound_pass_in_no_crowd_of_quiet_ones(wrong, status):
    """Where half of 60 findings of 0.9 are wrong they err by 0.4; beside 2,000 that are right that is 0.02 over all."""
    loud = [(0.9, k >= wrong) for k in range(60)]
    ruling = judge("calibration", {"at_most": 0.35}, beside_junk([*loud, *[None] * 40]))
    assert ruling.components[0].status is Status.PASSED
    assert ruling.status is status
    assert ("of the 60 findings of 0.25 or more the error is 0.40" in ruling.sentence) is (wrong == 30)


def test_scores_that_are_right_pass_though_bins_of_few_findings_err_by_chance():
    """Of ten findings each of 0.3 to 0.7 as many hit as their scores say, but for one: 0.1, where chance adds 0.12."""
    loud = [(s / 10, k < s + off) for s, off in [(3, 1), (4, -1), (5, 1), (6, -1), (7, 1)] for k in range(10)]
    ruling = judge("calibration", {"at_most": 0.04}, beside_junk([*loud, *[None] * 40]))
    assert ruling.status is Status.PASSED


def test_an_error_that_surely_exceeds_its_bound_fails_whatever_that_of_the_loud():
    loud = [(0.9, False)] * 60
    trials = beside_junk(loud, junk=1)
    ruling = judge("calibration", {"at_most": 0.1, "bins": 2}, trials)
    assert ruling.components[0].status is Status.FAILED
    assert ruling.status is Status.FAILED
