"""What trends, growth and boxes are judged by, against SciPy and sums written out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from synnodtest import Finding, Truth
from synnodtest.evidence.sightings import Sighting
from synnodtest.expectations import Status, find_check
from synnodtest.expectations.trend import against_trend
from synnodtest.statistics import clopper_pearson, cluster_bootstrap, paired_mean, size_at_sensitivity, spearman
from synnodtest.statistics.skewness import hall_bounds
from tests.expectations.evidence import evidence, trial

SIZES = [4.0, 6.0, 8.0, 10.0, 14.0, 20.0]
RISING = {"over": "diameter_mm", "min_spearman": 0.2, "max_drop": 0.5}


def judge(kind, parameters, trials):
    return find_check(kind).judge(parameters, evidence(trials))


def swept(scores):
    """One scene for each score; shape (backgrounds, replicates, sizes). NaN: the scene was not made."""
    return [
        trial(f"b{i}", score, diameter_mm=mm, levels={"diameter_mm": mm}, replicate=r)
        for i, background in enumerate(scores)
        for r, row in enumerate(background)
        for mm, score in zip(SIZES, row, strict=True)
        if not np.isnan(score)
    ]


@pytest.mark.parametrize(
    ("scale", "status", "direction"),
    [(0.1, "INCONCLUSIVE", "increasing"), (0.1, "INCONCLUSIVE", "decreasing"), (1.0, "FAILED", "increasing")],
)
def test_scores_so_low_that_the_loss_of_all_large_nodules_is_no_drop_pass_no_trend(scale, status, direction):
    rng = np.random.default_rng(4)
    scores = scale * (np.array([0.3, 0.4, 0.5, 0.6, 0.7, 0.0]) + rng.uniform(0, 0.05, (20, 1, 6)))
    scores[..., -1] = 0.0  # blind to the largest
    order = slice(None) if direction == "increasing" else slice(None, None, -1)
    ruling = judge("monotone", {**RISING, "max_drop": 0.1, "direction": direction, "min_spearman": 0.0},
                   swept(scores[..., order]))  # fmt: skip
    assert ruling.status.name == status, ruling.sentence
    assert ("the mean curve, at most 0.07" in ruling.sentence) is (status == "INCONCLUSIVE")
    silent = judge("monotone", {**RISING, "max_drop": 0.1}, swept(0.0 * scores))
    assert silent.status is Status.FAILED, "a rank correlation of 0 falls short, whatever the room"


@pytest.mark.parametrize("direction", ["increasing", "decreasing"])
@pytest.mark.parametrize("response", ["confidence", "detected"])
def test_a_trend_has_the_mean_correlation_within_backgrounds_and_the_drop_of_their_mean_curve(response, direction):
    rng = np.random.default_rng(3)
    scores = np.clip(np.linspace(0.1, 0.6, 6) + 0.15 * rng.standard_normal((20, 2, 6)), 0.01, 1)
    scores = scores if direction == "increasing" else scores[..., ::-1].copy()
    scores[0, :, 2] = np.nan
    asked = {**RISING, "response": response, "direction": direction}
    ruling = judge("monotone", asked, swept(scores))
    seen = scores if response == "confidence" else np.where(np.isnan(scores), np.nan, scores >= 0.25)
    means = seen.mean(axis=1) * (1 if direction == "increasing" else -1)
    kept = [~np.isnan(row) for row in means]
    rhos = [stats.spearmanr(np.array(SIZES)[k], row[k]).statistic for row, k in zip(means, kept, strict=True)]
    curve = means[1:].mean(axis=0)
    drop = max(curve[i] - curve[j] for i in range(6) for j in range(i + 1, 6))
    rho, fall = ruling.components
    assert rho.value == pytest.approx(np.mean(rhos))
    assert fall.value == pytest.approx(max(drop, 0.0), abs=1e-12)
    assert (rho.bound, rho.side, fall.bound, fall.side) == (0.2, "above", 0.5, "below")
    assert ruling.status is Status.PASSED
    assert "1 independent background lacks a level and is left out of the mean curve" in ruling.notes
    assert ruling.n_nodules == 20 * 2 * 6 - 2
    assert np.array(ruling.figure["lines"]) == pytest.approx(np.abs(means[1:]), abs=1e-5)


def test_a_trend_is_bounded_by_the_widest_of_students_t_halls_and_one_more_background_without_a_response():
    """On 3 of 20 backgrounds the response falls: correlations near 1 with a tail, which deceive Student's t."""
    rng = np.random.default_rng(9)
    scores = np.linspace(0.1, 0.9, 6) + 0.02 * rng.standard_normal((20, 1, 6))
    scores[:3] = scores[:3, :, ::-1]
    rhos = np.array([stats.spearmanr(SIZES, row).statistic for (row,) in scores])

    def students(values):
        return values.mean() - stats.t.isf(0.05, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values))

    part = judge("monotone", RISING, swept(scores)).components[0]
    want = min(students(rhos), hall_bounds(rhos, 0.05)[0], students(np.append(rhos, 0.0)))
    assert part.lower == pytest.approx(want)
    assert part.lower < students(rhos) - 0.01


@pytest.mark.parametrize(("scale", "rising"), [(1, True), (10, True), (10, False)])
def test_where_all_backgrounds_agree_the_drop_of_unseen_ones_may_be_as_large_as_scores_can_be(scale, rising):
    curve = scale * np.array([0.1, 0.3, 0.5, 0.5, 0.6, 0.6])
    scores = np.broadcast_to(curve if rising else curve[::-1], (20, 1, 6))
    asked = {**RISING, "direction": "increasing" if rising else "decreasing"}
    part = judge("monotone", asked, swept(scores)).components[1]
    span = 1 if scale == 1 else 6 if rising else 1 + 6  # signed responses, and 0 and 1 always within
    assert (part.value, part.upper) == pytest.approx((0.0, span * (1 - 0.05 ** (1 / 20))))


def test_a_correlation_bounded_from_above_is_gated_by_sensitivity_where_silence_would_do():
    flat = np.full((20, 1, 6), 0.9) + 0.05 * np.random.default_rng(1).standard_normal((20, 1, 6))
    ruling = judge("correlation", {"over": "diameter_mm", "at_most": 0.5}, swept(flat))
    assert [part.role for part in ruling.components] == ["decides", "gate"]
    assert ruling.components[1].value == 1.0
    assert (ruling.status, ruling.components[0].side) == (Status.PASSED, "below")
    strict = judge("correlation", {"over": "diameter_mm", "at_most": -0.5}, swept(flat))
    assert (strict.status, len(strict.components)) == (Status.FAILED, 1)


def noisy(sizes):
    return np.clip(sizes / 25 + 0.15 * np.random.default_rng(2).standard_normal(len(sizes)), 0.01, 1)


def largest_lost(sizes):
    return np.where(sizes >= np.sort(sizes)[-3], 0.0, sizes / 25)


def all_but_one_alike(sizes):
    return np.where(sizes == sizes.max(), 0.9, 0.5)


def nearly_perfect(sizes):
    return sizes / 25 + 0.01 * np.random.default_rng(2).standard_normal(40)


def nearly_reversed(sizes):
    return 1 - nearly_perfect(sizes)


@pytest.mark.parametrize("scores_of", [noisy, largest_lost, all_but_one_alike, nearly_perfect, nearly_reversed])
def test_a_correlation_across_backgrounds_has_the_widest_of_three_bounds(scores_of):
    """Bonett and Wright's, those of a bootstrap, and those with an unseen share ordered the other way round."""
    sizes = np.random.default_rng(2).uniform(4, 20, 40)
    scores = scores_of(sizes)
    trials = [trial(f"b{i}", s, diameter_mm=mm) for i, (mm, s) in enumerate(zip(sizes, scores, strict=True))]
    asked = {"over": "diameter_mm", "at_least": 0.3}
    part = judge("correlation", asked, trials).components[0]

    def ranks(values):  # with ties in the middle of theirs, as SciPy's, which take ten times as long
        ordered = np.sort(values)
        return np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")

    def of_rows(rows):
        varies = np.ptp(sizes[rows]) > 0 and np.ptp(scores[rows]) > 0
        return np.corrcoef(ranks(sizes[rows]), ranks(scores[rows]))[0, 1] if varies else 0.0

    drawn = cluster_bootstrap(of_rows, range(40), seed=0, limits=(-1, 1))
    exact, rho = spearman(sizes, scores), stats.spearmanr(sizes, scores).statistic
    turned = rho * (1 - 2 * (1 - 0.05 ** (1 / 40)))
    assert part.value == pytest.approx(rho)
    assert part.lower == pytest.approx(min(exact.lower, drawn.lower, turned, rho))
    assert part.upper == pytest.approx(max(exact.upper, drawn.upper, turned))


def test_one_patient_with_most_films_lends_no_correlation_across_backgrounds():
    """50 of 69 films are of one patient: by the number of patients alone such passed a bound of 0.43 in 21% of runs."""
    sizes = np.random.default_rng(2).uniform(4, 20, 69)
    scores, patients = noisy(sizes), [f"p{max(0, i - 49)}" for i in range(69)]
    trials = [
        trial(f"b{i}", s, diameter_mm=mm, cluster=p)
        for i, (mm, s, p) in enumerate(zip(sizes, scores, patients, strict=True))
    ]
    ruling = judge("correlation", {"over": "diameter_mm", "at_least": 0.2}, trials)
    assert ruling.status is Status.INCONCLUSIVE
    assert f"as much as {69**2 / (50**2 + 19):.1f} equal ones" in ruling.sentence


def test_films_of_unequally_many_a_patient_count_as_kishs_number_of_equal_patients():
    sizes, patients = np.random.default_rng(2).uniform(4, 20, 60), [i // 4 if i < 20 else i for i in range(60)]
    scores, equal = noisy(sizes), 60**2 / (5 * 4**2 + 40)
    rho = stats.spearmanr(sizes, scores).statistic
    half = stats.norm.isf(0.05) * np.sqrt((1 + rho**2 / 2) / (equal - 3))
    got = spearman(sizes, scores, cluster=patients)
    assert (got.lower, got.upper) == pytest.approx(tuple(np.tanh(np.arctanh(rho) + np.array([-half, half]))))
    trials = [
        trial(f"b{i}", s, diameter_mm=mm, cluster=f"p{p}")
        for i, (mm, s, p) in enumerate(zip(sizes, scores, patients, strict=True))
    ]
    (part,) = judge("correlation", {"over": "diameter_mm", "at_least": 0.1}, trials).components
    assert part.lower <= min(got.lower, rho * (1 - 2 * (1 - 0.05 ** (1 / equal)))) + 1e-12


def test_a_correlation_across_backgrounds_of_patients_with_two_films_counts_patients():
    """Else one patient of whom there are two films made it a mean of correlations within them, which have no levels."""
    sizes = np.random.default_rng(2).uniform(4, 20, 40)
    scores, patients = noisy(sizes), [f"p{i // 2}" for i in range(40)]
    rows = zip(sizes, scores, patients, strict=True)
    trials = [trial(f"b{i}", s, diameter_mm=mm, cluster=p) for i, (mm, s, p) in enumerate(rows)]
    ruling = judge("correlation", {"over": "diameter_mm", "at_least": 0.3}, trials)
    (part,) = ruling.components
    rho = stats.spearmanr(sizes, scores).statistic
    assert part.value == pytest.approx(rho)
    half = stats.norm.isf(0.05) * np.sqrt((1 + rho**2 / 2) / (20 - 3))
    assert part.lower <= np.tanh(np.arctanh(rho) - half) + 1e-12
    assert part.lower <= rho * (1 - 2 * (1 - 0.05 ** (1 / 20))) + 1e-12
    assert (ruling.status, ruling.n_clusters) == (Status.PASSED, 20)
    assert "within-background" not in ruling.criterion
    few = judge("correlation", {"over": "diameter_mm", "at_least": 0.3}, trials[:28])
    assert (few.status, "14 independent backgrounds are too few" in few.sentence) == (Status.INCONCLUSIVE, True)


def test_a_correlation_across_backgrounds_needs_scores_that_vary_and_the_quantity():
    sizes = np.random.default_rng(2).uniform(4, 20, 40)
    asked = {"over": "diameter_mm", "at_least": 0.3}
    trials = [trial(f"b{i}", 0.5, diameter_mm=mm) for i, mm in enumerate(sizes)]
    alone = judge("correlation", asked, trials)
    assert (alone.status, "one side does not vary" in alone.sentence) == (Status.INCONCLUSIVE, True)
    assert judge("correlation", {"over": "Sphericity", "at_least": 0.3}, trials).sentence == (
        "INCONCLUSIVE no nodule to judge"
    )


def test_the_size_found_half_of_the_time_stands_in_the_figure_of_a_sweep_over_diameter():
    rng = np.random.default_rng(5)
    chance = 1 / (1 + np.exp(-(np.log(SIZES) - np.log(9)) * 4))
    trials = swept(np.where(rng.random((30, 1, 6)) < chance, 0.9, 0.1))
    told = judge("monotone", RISING, trials).figure["d50"]
    pairs = [(n.requested_mm, n.detected(0.25), t.cluster) for t in trials for n in t.nodules]
    want = size_at_sensitivity(*zip(*pairs, strict=True), 0.5)
    assert told == {"value": want.value, "lower": want.lower, "upper": want.upper}
    other = [replace(t, levels={"blur": mm}) for t, mm in zip(trials, SIZES * 30, strict=True)]
    assert judge("monotone", {**RISING, "over": "blur"}, other).figure["d50"] is None
    assert judge("monotone", RISING, swept(np.full((20, 1, 6), 0.9))).figure["d50"] is None


def test_where_no_background_has_all_levels_there_is_no_mean_curve_and_no_verdict():
    scores = np.tile(np.linspace(0.1, 0.9, 6), (20, 1, 1))
    scores[np.arange(20), 0, np.arange(20) % 6] = np.nan
    ruling = judge("monotone", RISING, swept(scores))
    assert (ruling.status, ruling.components[0].value) == (Status.INCONCLUSIVE, pytest.approx(1.0))
    assert "0 complete independent backgrounds are too few, 15 are needed" in ruling.sentence


def test_four_levels_are_too_few_for_a_trend():
    scores = np.full((20, 1, 6), np.nan)
    scores[..., :4] = np.linspace(0.1, 0.9, 4)
    ruling = judge("monotone", RISING, swept(scores))
    assert (ruling.status, "4 levels are too few, 5 are needed" in ruling.sentence) == (Status.INCONCLUSIVE, True)


@pytest.mark.parametrize("rising", [True, False])
def test_excluded_nodules_are_taken_as_answered_the_wrong_way_round(rising):
    kind, given = find_check("monotone"), {**RISING, "direction": "increasing" if rising else "decreasing"}
    trials = [trial(f"b{mm}", 0.5, diameter_mm=mm) for mm in SIZES]
    (worst_score,) = against_trend(kind.read(given), evidence(trials))
    answers = [worst_score(t, t.nodules[0]) for t in (*trials, trial("x", 0.5, diameter_mm=9.0))]
    high = [float(mm > 9) for mm in (*SIZES, 9.0)]
    assert answers == [1 - one if rising else one for one in high]
    correlations = [
        find_check("correlation").read({"over": "diameter_mm", **b}) for b in ({"at_least": 0}, {"at_most": 0})
    ]
    assert [c.rising for c in correlations] == [True, False]


@pytest.mark.parametrize(("span", "noted"), [(1e-5, True), (0.0009, True), (0.0011, False)])
@pytest.mark.parametrize(
    ("kind", "asked"), [("monotone", {"min_spearman": 0.5, "max_drop": 0.1}), ("correlation", {"at_least": 0.5})]
)
def test_a_pass_of_ranks_whose_scores_hardly_differ_says_so(kind, asked, span, noted):
    """At its ceiling a detector may rank by the last digit, which no reader is shown."""
    curve = np.linspace(0.9, 0.9 + span, len(SIZES))
    ruling = judge(kind, {"over": "diameter_mm", **asked}, swept(np.tile(curve, (30, 1, 1))))
    assert ruling.status is Status.PASSED
    told = f"ranks alone are judged: from its lowest to its highest mean the response changes by {span:.2g}"
    assert (told in ruling.notes) is noted


def grown(i, now, prior, days=100.0, **options):
    current = trial(f"b{i}", now, **options)
    (nodule,) = current.nodules
    made = [replace(current, nodules=(replace(nodule, requested={**nodule.requested, "doubling_days": days}),))]
    return made if prior is None else [*made, trial(f"b{i}", prior, arm="@prior:default", **options)]


def test_growth_is_the_paired_mean_of_current_minus_prior_by_doubling_time():
    rng = np.random.default_rng(4)
    now, before = rng.uniform(0.5, 0.9, 30), rng.uniform(0.1, 0.6, 30)
    days = [50, 99, 100, 250, 400, 600] * 5
    trials = [t for i in range(30) for t in grown(i, now[i], before[i], days[i])]
    trials += [trial("still", 0.9), *grown("new", 0.7, None)]
    ruling = judge("growth", {"at_least": 0.0}, trials)
    want = paired_mean(now - before, range(30), guarded=True)
    part, gate = ruling.components
    assert (part.value, part.lower, part.upper) == pytest.approx((want.value, want.lower, want.upper))
    assert gate.lower == pytest.approx(clopper_pearson(30, 30).lower)
    table = {row["doubling time (days)"]: row for row in ruling.details["by doubling time"]}
    assert {band: row["pairs"] for band, row in table.items()} == {
        "below 100": 10,
        "below 200": 5,
        "below 400": 5,
        "400 and more": 10,
    }
    assert table["below 200"]["current"] == pytest.approx(now[2::6].mean(), abs=1e-4)
    assert table["below 200"]["prior"] == pytest.approx(before[2::6].mean(), abs=1e-4)
    assert judge("growth", {"at_most": 0.0}, trials).status is Status.FAILED


@pytest.mark.parametrize(("scale", "status"), [(1.0, Status.FAILED), (0.14, Status.INCONCLUSIVE)])
def test_a_fall_that_is_allowed_says_nothing_of_confidences_that_have_no_more_to_lose(scale, status):
    """All nodules were found in the prior, and half of them are dismissed for it once they have grown."""
    pairs = [t for i in range(60) for t in grown(i, scale * (i % 2), scale)]
    ruling = find_check("growth").judge({"at_least": -0.15}, evidence(pairs, operating_point=0.1))
    assert ruling.status is status
    room = "leaves no room for a loss of 0.15" in ruling.sentence
    assert room == (status is Status.INCONCLUSIVE)


def test_a_sure_rise_from_a_prior_without_confidence_is_no_fall():
    pairs = [t for i in range(60) for t in grown(i, 0.9, 0.0)]
    assert judge("growth", {"at_least": -0.15}, pairs).status is Status.PASSED


def test_nodules_that_do_not_grow_are_no_pairs_though_their_scene_has_a_prior():
    pairs = []
    for i in range(30):
        current, prior = grown(i, 0.9, 0.2)
        still, before = trial("s", 0.9, name="scar").nodules[0], trial("s", 0.9, name="scar").nodules[0]
        pairs += [replace(current, nodules=(*current.nodules, still)), replace(prior, nodules=(*prior.nodules, before))]
    ruling = judge("growth", {"at_most": 0.5}, pairs)
    assert (ruling.status, ruling.n_nodules) == (Status.FAILED, 30)
    assert ruling.components[0].value == pytest.approx(0.7)


def test_excluded_nodules_are_taken_as_found_at_one_time_only_whichever_is_worse_for_the_bound():
    """40 pairs change by 0.1, and one side of 20 more was excluded: it may have been 1 now, or 0 before."""
    pairs = [t for i in range(40) for t in grown(i, 0.9, 0.8)]
    currents, priors = [[grown(i, 0.9, 0.8)[k] for i in range(40, 60)] for k in (0, 1)]
    assert judge("growth", {"at_most": 0.2}, pairs).status is Status.PASSED
    for lost, kept, change in ((currents, priors, 1 - 0.8), (priors, currents, 0.9 - 0)):
        ruling = judge("growth", {"at_most": 0.2}, [*pairs, *kept, *(replace(t, rejected="contrast") for t in lost)])
        assert f": difference in confidence (current - prior) {(40 * 0.1 + 20 * change) / 60:.2f} (" in ruling.notes[-1]
        assert ruling.status is (Status.INCONCLUSIVE if lost is priors else Status.PASSED)


@pytest.mark.parametrize(
    ("asked", "now", "before", "worst"), [({"at_least": 0.4}, 0.9, 0.2, -1.0), ({"at_most": 0.3}, 0.5, 0.45, 1.0)]
)
def test_of_excluded_pairs_the_nodule_is_taken_to_be_found_at_the_wrong_time_alone(asked, now, before, worst):
    pairs = [t for i in range(40) for t in grown(i, now, before)]
    lost = [replace(t, rejected="contrast") for i in range(40, 60) for t in grown(i, now, before)]
    assert judge("growth", asked, pairs).status is Status.PASSED
    ruling = judge("growth", asked, pairs + lost)
    assert ruling.status is Status.INCONCLUSIVE
    value = (40 * (now - before) + 20 * worst) / 60
    assert ruling.notes[-1].startswith("with the 40 excluded scenes counted against the detector")
    assert f": difference in confidence (current - prior) {value:.2f} (" in ruling.notes[-1]


def test_where_most_nodules_that_grow_have_no_prior_nothing_is_decided():
    pairs, alone = ([t for i in range(a, b) for t in grown(i, 0.9, p)] for a, b, p in ((0, 20, 0.1), (20, 41, None)))
    assert judge("growth", {"at_least": 0.2}, pairs + alone[:20]).status is Status.PASSED
    ruling = judge("growth", {"at_least": 0.2}, pairs + alone)
    assert ruling.status is Status.INCONCLUSIVE
    assert "21 of 41 nodules that grow have no prior" in ruling.sentence


def test_a_nodule_that_was_not_there_before_had_no_confidence():
    pairs = [[grown(i, 0.8, 0.1)[0], trial(f"b{i}", arm="@prior:default")] for i in range(20)]
    ruling = judge("growth", {"at_least": 0.5}, [t for pair in pairs for t in pair])
    assert (ruling.components[0].value, ruling.status) == (pytest.approx(0.8), Status.PASSED)


def boxed(i, box):
    """A hit with this box on a nodule whose box is 10..14, at 0.5 mm by 2 mm."""
    made = trial(f"b{i}", 0.9)
    return replace(made, sightings=(Sighting(Finding(box, 0.9)),), spacing_mm=(0.5, 2.0))


def test_boxes_of_hits_are_judged_by_their_mean_overlap_or_distance():
    boxes = [(10.0 + i % 3, 10.0, 14.0 + i % 3, 14.0 + 2 * (i % 2)) for i in range(40)]
    trials = [boxed(i, box) for i, box in enumerate(boxes)] + [trial(f"m{i}", 0.0) for i in range(10)]
    overlaps, distances = [], []
    for x0, y0, x1, y1 in boxes:
        both = max(0, min(x1, 14) - max(x0, 10)) * max(0, min(y1, 14) - max(y0, 10))
        overlaps.append(both / ((x1 - x0) * (y1 - y0) + 16 - both))
        distances.append(np.hypot(2.0 * ((x0 + x1) / 2 - 12), 0.5 * ((y0 + y1) / 2 - 12)))
    for metric, bound, values in (("iou", {"at_least": 0.3}, overlaps), ("distance_mm", {"at_most": 4.0}, distances)):
        ruling = judge("localization", {"metric": metric, **bound}, trials)
        part, gate = ruling.components
        farthest = 1.0 if metric == "iou" else max([*distances, 10 / 2 + 5])
        want = paired_mean(values, range(40), limits=(0, farthest), guarded=True)
        assert (part.value, part.lower, part.upper) == pytest.approx((want.value, want.lower, want.upper))
        assert gate.value == 0.8
        assert (
            part.label == f"mean {'intersection over union of hits' if metric == 'iou' else 'distance of hits in mm'}"
        )
        assert (ruling.status, ruling.n_nodules) == (Status.PASSED, 40)
        lost = [replace(boxed(f"x{i}", boxes[0]), rejected="contrast") for i in range(5)]
        worst = paired_mean([*values, *[0.0 if metric == "iou" else farthest] * 5], range(45), limits=(0, farthest))
        assert (
            f" {worst.value:.2f} (bounds" in judge("localization", {"metric": metric, **bound}, trials + lost).notes[-1]
        )


def test_distances_are_taken_between_the_centres_of_boxes_that_lie_off_the_diagonal():
    """Truth in columns 30 to 36 and rows 10 to 14, its finding 2 columns right and 6 rows down, at 0.5 by 2 mm."""
    truth = Truth("nodule", np.ones((4, 6), bool), (10, 30), 10.0, 0.3, {"diameter_mm": 10.0})
    trials = [boxed(f"b{i}", (33.0, 12.0, 37.0, 24.0)) for i in range(20)]
    trials = [replace(t, nodules=(replace(t.nodules[0], truth=truth),)) for t in trials]
    ruling = judge("localization", {"metric": "distance_mm", "at_most": 8.0}, trials)
    assert ruling.components[0].value == pytest.approx(np.hypot(2 * 2.0, 6 * 0.5))


def test_excluded_scenes_of_nodules_that_are_not_judged_leave_the_fit_of_boxes_as_it_is():
    trials = [boxed(i, (10.0, 10.0, 14.0, 13.0)) for i in range(40)]
    asked = {"metric": "iou", "at_least": 0.3, "where": {"diameter_mm": {"at_most": 12}}}
    lost = [trial(f"x{i}", 0.9, diameter_mm=mm, rejected="contrast") for i, mm in enumerate((20.0, 20.0, 10.0))]
    assert judge("localization", asked, trials + lost[:2]).notes == judge("localization", asked, trials).notes == ()
    assert judge("localization", asked, trials + lost).notes[0].startswith("with the 1 excluded scene counted")


@pytest.mark.parametrize(
    ("asked", "parts"),
    [
        ({"at_least": -0.01}, ["decides", "gate"]),
        ({"at_least": 0.0}, ["decides"]),
        ({"at_most": 0.0}, ["decides"]),
        ({"at_most": 0.01}, ["decides", "gate"]),
    ],
)
def test_silence_whose_correlation_is_zero_meets_only_bounds_beyond_zero_and_there_is_gated(asked, parts):
    silent = judge("correlation", {"over": "diameter_mm", **asked}, swept(np.zeros((400, 1, 6))))
    assert silent.components[0].value == 0.0
    assert [part.role for part in silent.components] == parts
    assert silent.status is Status.INCONCLUSIVE


@pytest.mark.parametrize("sign", [1, -1])
def test_a_perfect_order_across_backgrounds_is_bounded_by_what_unseen_ones_may_do(sign):
    sizes = np.random.default_rng(2).uniform(4, 20, 40)
    trials = [trial(f"b{i}", 0.5 + 0.02 * sign * mm, diameter_mm=mm) for i, mm in enumerate(sizes)]
    part = judge("correlation", {"over": "diameter_mm", "at_least": 0.3}, trials).components[0]
    exact, agreeing = spearman(sizes, sizes), 1 - 2 * (1 - 0.05 ** (1 / 40))
    least = min(exact.lower, agreeing)
    assert (part.lower, part.upper) == pytest.approx((least, 1) if sign > 0 else (-1, -least))


def test_films_of_one_patient_are_no_independent_backgrounds_in_the_sentence():
    """28 films of 14 patients: what is too few are the patients, and the sentence does not call them films."""
    scores = np.linspace(0.1, 0.6, 6) * np.ones((28, 1, 6))
    films = [replace(t, cluster=f"p{int(t.background[1:]) // 2}") for t in swept(scores)]
    ruling = judge("monotone", RISING, films)
    assert "14 complete independent backgrounds are too few, 15 are needed" in ruling.sentence
    assert ruling.sentence.endswith("n = 168 nodules on 28 backgrounds")
