"""Two detectors on the same films: every difference counted another way, and what is told of it."""

import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

from synnodtest import Finding
from synnodtest.annotated.sets import Case
from synnodtest.evaluation.answers import Answer, marks_of
from synnodtest.evaluation.comparison import LABELS, compare, unadjusted
from synnodtest.evaluation.detector import measure
from synnodtest.evaluation.figures import Bounds
from synnodtest.identity import Identity
from synnodtest.matching import Matching
from synnodtest.radiograph import Truth
from synnodtest.statistics.pooled import Pooled

NODULES = (Truth("nodule", np.ones((20, 20), bool), (10, 10), 20.0, 0.3),)
BOX = (10, 10, 30, 30)
RATES = (0.125, 0.25, 0.5, 1, 2, 4, 8)


def film(patient, ill, scores, false=(), *, exhaustive=True):
    """Return an answer: findings on the nodule and beside it."""
    findings = [Finding(BOX, float(score)) for score in scores]
    findings += [Finding((60, 60 + 10 * k, 68, 68 + 10 * k), float(score)) for k, score in enumerate(false)]
    ordered = tuple(sorted(findings, key=lambda finding: -finding.score))
    return Answer(patient, ordered, NODULES if ill else (), (1.0, 1.0), exhaustive=exhaustive)


def two(seed, positives=20, negatives=20, *, per_patient=1, better=0.0):
    """Return the answers of two detectors to the same films; both have what makes a nodule plain in common."""
    rng = np.random.default_rng(seed)
    pairs = []
    for k in range(positives + negatives):
        ill, patient = k < positives, f"patient-{k // per_patient}"
        plain, count = rng.normal(1.0, 0.7), rng.poisson(1.5)
        loud = rng.normal(0, 0.7, count)
        scores = [[plain + gain + rng.normal(0, 0.7)] if ill and rng.random() < 0.9 else [] for gain in (0, better)]
        pairs.append([film(patient, ill, own, loud + rng.normal(0, 0.7, count)) for own in scores])
    return [first for first, _ in pairs], [second for _, second in pairs]


def tops(answers):
    return [np.array([a.top_score for a in answers if bool(a.nodules) == ill]) for ill in (True, False)]


def hit_of(answer):
    return max((finding.score for finding in answer.findings if finding.box == BOX), default=-math.inf)


def by_hand(answers):
    """Sensitivities, AUC and AFROC area without a curve: thresholds tried one by one, pairs counted."""
    hits = [hit_of(a) for a in answers if a.nodules]
    false = [f.score for a in answers for f in a.findings if f.box != BOX]
    found = {}
    for rate in RATES:
        allowed = [t for t in [math.inf, *hits, *false] if sum(f >= t for f in false) <= rate * len(answers)]
        most = max(sum(h >= t and h > -math.inf for h in hits) for t in allowed)
        found[f"sensitivity_at_{rate:g}_fp"] = most / len(hits)
    ill, well = tops(answers)
    found["auc"] = np.mean([(p > n) + 0.5 * (p == n) for p in ill for n in well])
    found["afroc"] = np.mean([(p > n) + 0.5 * (p == n) for p in hits for n in well])
    return found


def test_differences_are_those_of_figures_counted_by_hand():
    first, later = two(1)
    found = compare(later, first, resamples=0).differences
    for name, value in by_hand(later).items():
        assert found[name].value == pytest.approx(value - by_hand(first)[name]), name


class Films:
    """A set whose films are never read."""

    name = "films"

    def __init__(self, count):
        self.cases = [Case(str(k), str(k)) for k in range(count)]


def measured(answers):
    return measure(Identity("d"), Films(len(answers)), answers, resamples=0)


def test_differences_are_those_of_the_figures_of_each():
    first, later = two(2, better=0.6)
    found = compare(later, first, resamples=0).differences
    one, other = measured(later), measured(first)
    for name, figure in {
        "average_precision_at_0.50": lambda m: m["average_precision"]["0.50"],
        "sensitivity_at_1_fp": lambda m: m["sensitivity_at_1_fp"]["value"],
        "auc": lambda m: m["auc"]["value"],
        "afroc": lambda m: m["afroc"]["value"],
        "node21_score": lambda m: m["node21_score"],
    }.items():
        assert found[name].value == pytest.approx(figure(one) - figure(other)), name
    assert set(found) == set(LABELS)


def test_the_difference_of_auc_has_delongs_covariance():
    first, later = two(3)
    got = compare(later, first, resamples=0).differences["auc"]
    parts = []
    for answers in (later, first):
        ill, well = tops(answers)
        kernel = (ill[:, None] > well[None, :]) + 0.5 * (ill[:, None] == well[None, :])
        parts.append((kernel.mean(axis=1), kernel.mean(axis=0)))
    (a1, b1), (a2, b2) = parts
    s = np.cov(a1, a2) / len(a1) + np.cov(b1, b2) / len(b1)
    half = stats.norm.ppf(0.95) * math.sqrt(s[0, 0] + s[1, 1] - 2 * s[0, 1])
    assert (got.lower, got.upper) == pytest.approx((got.value - half, got.value + half))


def test_where_patients_repeat_the_auc_is_bounded_by_patients():
    first, later = two(4, 15, 15)
    copies = [[dataclasses.replace(a) for a in answers for _ in range(2)] for answers in (first, later)]
    once = compare(later, first, resamples=100).differences["auc"]
    again = compare(copies[1], copies[0], resamples=100).differences["auc"]
    assert again.value == pytest.approx(once.value)
    assert again.upper - again.lower > 0.85 * (once.upper - once.lower)  # DeLong of 60 images alone: 0.7 of it


def test_bounds_are_those_of_scipys_bootstrap_of_both_detectors_on_the_same_patients():
    """BCa of the difference of AFROC areas; pairs of nodules and normal films are counted in matrices."""
    first, later = two(5, 30, 30)
    own, other = (Pooled.of([marks_of(one, Matching()) for one in some]).against_normal for some in (later, first))
    bounds = Bounds([one.cluster for one in first], 0.05, 2000, limits=(-1.0, 1.0))
    got = bounds.around(lambda weights: own.area(weights) - other.area(weights))
    kernels = []
    for answers in (later, first):
        hits, well = np.array([hit_of(a) for a in answers if a.nodules]), tops(answers)[1]
        kernels.append((hits[:, None] > well) + 0.5 * (hits[:, None] == well))

    def gap(rows):
        times = np.bincount(rows, minlength=60)
        return times[:30] @ (kernels[0] - kernels[1]) @ times[30:] / times[:30].sum() / times[30:].sum()

    wanted = stats.bootstrap(
        (np.arange(60),), gap, n_resamples=2000, vectorized=False, confidence_level=0.9, random_state=1
    ).confidence_interval
    assert (got.lower, got.upper) == pytest.approx((wanted.low, wanted.high), abs=0.015)


def test_average_precision_is_bounded_by_the_jackknife_too():
    """Miller (1974): each patient left out, Student's t; BCa alone is too narrow."""
    first, later = two(18, per_patient=2)
    got = compare(later, first, resamples=100).differences["average_precision_at_0.50"]
    names = sorted({one.cluster for one in first})
    left = [
        compare(*([one for one in some if one.cluster != name] for some in (later, first)), resamples=0)
        for name in names
    ]
    values = np.array([one.differences["average_precision_at_0.50"].value for one in left])
    pseudo = len(names) * got.value - (len(names) - 1) * values
    half = stats.t.ppf(0.95, len(names) - 1) * pseudo.std(ddof=1) / math.sqrt(len(names))
    assert "jackknife" in got.method
    assert got.lower <= got.value - half + 1e-12
    assert got.upper >= got.value + half - 1e-12
    assert got.upper - got.lower < 3 * half


def test_pairing_tells_what_two_intervals_apart_do_not():
    """Detectors that agree on which films are hard differ by less than their intervals are wide."""
    first, later = two(6, 50, 50)
    paired = compare(later, first, resamples=0).differences["auc"]
    alone = [measured(answers)["auc"] for answers in (first, later)]
    apart = math.hypot(*(one["upper"] - one["lower"] for one in alone))
    assert paired.upper - paired.lower < 0.9 * apart


def test_a_better_detector_is_told_better_and_a_worse_one_worse():
    first, later = two(7, better=2.0)
    up, down = compare(later, first, resamples=100), compare(first, later, resamples=100)
    assert next(iter(up.words("B", "A"))).startswith("higher than A, intervals without 0: sensitivity at ")
    assert next(iter(down.words("A", "B"))).startswith("lower than B, intervals without 0: sensitivity at ")
    for name in ("afroc", "average_precision_at_0.50", "node21_score"):
        assert up.differences[name].lower > 0, name
        assert up.as_dict("B", "A")["differences"][name]["excludes_0"] is True
        assert down.differences[name].upper < 0, name


def test_equal_answers_differ_by_nothing_and_are_not_proven_equal():
    answers, _ = two(8)
    same = compare(answers, answers, resamples=100)
    assert same.same_answers
    for found in same.differences.values():
        assert found.value == 0.0
        assert found.lower < 0 < found.upper
    first, *rest = same.words("B", "A")
    assert first == "B gives the same answers as A on every image"
    assert [line.partition(":")[0] for line in rest] == ["no difference shown, intervals with 0"]


def test_one_nodule_more_or_less_is_no_difference_shown():
    first, _ = two(9)
    later = list(first)
    later[0] = dataclasses.replace(first[0], findings=(Finding(BOX, 9.0), *first[0].findings))
    found = compare(later, first, resamples=100)
    assert not found.same_answers
    assert {line.partition(":")[0] for line in found.words("B", "A")} == {"no difference shown, intervals with 0"}


def test_without_normal_images_only_sensitivity_and_precision_differ():
    first, later = two(10, 30, 0)
    told = compare(later, first, resamples=100).as_dict("B", "A")
    assert {name for name, found in told["differences"].items() if found["value"] is None} == {
        "auc",
        "afroc",
        "node21_score",
    }
    assert not any("AUC" in line or "AFROC" in line for line in told["words"])


def test_without_nodules_there_is_nothing_to_compare():
    first, later = two(11, 0, 30)
    found = compare(later, first, resamples=100)
    assert all(math.isnan(one.value) for one in found.differences.values())
    assert found.words("B", "A") == []
    assert unadjusted([found]) == ""
    assert {str(one) for one in found.as_dict("B", "A")["differences"].values()} == {"{'value': None}"}


def test_of_few_patients_nothing_is_told():
    first, later = two(12, 8, 20, better=4.0)
    told = compare(later, first, resamples=100)
    assert all(line.startswith("not told (8 patients with a nodule ") for line in told.words("B", "A"))
    assert told.as_dict("B", "A")["differences"]["auc"]["excludes_0"] is None
    alone = compare(*two(12, better=2.0, per_patient=40), resamples=100)
    assert (alone.patients, alone.intervals) == (1, 0)
    (line,) = alone.words("B", "A")
    assert line.startswith("not told (one cluster): ")


def test_few_normal_films_leave_the_areas_untold_alone():
    """DeLong's 90% interval would leave a difference of none out 18% of the time with 3 of them."""
    first, later = two(16, 30, 3)
    *_, line = compare(later, first, resamples=100).words("B", "A")
    areas = "AUC of images; area under the AFROC; NODE21 score"
    assert line == f"not told (3 patients with a normal film are too few, 15 are needed): {areas}"


def test_many_films_of_few_patients_tell_no_more():
    first, later = two(17, 30, 30)
    lopsided = [
        [dataclasses.replace(a, cluster="one" if k % 2 else a.cluster) for k, a in enumerate(some)]
        for some in (first, later)
    ]
    (line,) = compare(*lopsided, resamples=100).words("B", "A")
    assert "31 patients or backgrounds with unequally many images tell as much as" in line


def test_where_nodules_may_be_unmarked_false_positives_are_those_of_the_other_films():
    first, later = ([dataclasses.replace(a, exhaustive=not a.nodules) for a in answers] for answers in two(13))
    found = compare(later, first, resamples=100).differences
    assert math.isnan(found["average_precision_at_0.50"].value)
    assert not math.isnan(found["sensitivity_at_1_fp"].value)
    assert not math.isnan(found["afroc"].value)
    nowhere = [[dataclasses.replace(a, exhaustive=False) for a in answers] for answers in (first, later)]
    assert all(math.isnan(one.value) for one in compare(*nowhere, resamples=100).differences.values())


def test_without_resamples_only_delongs_interval_is_told():
    first, later = two(14, better=2.0)
    found = compare(later, first, resamples=0)
    assert found.intervals == 1
    assert [line.partition(":")[0] for line in found.words("B", "A")] == [
        "higher than A, intervals without 0",
        "not told (nothing was resampled)",
    ]
    assert unadjusted([found]) == ""


def test_several_intervals_are_said_to_be_unadjusted():
    first, later = two(15)
    found = compare(later, first, resamples=100)
    assert unadjusted([found, found]).startswith("22 intervals, not adjusted for one another")
