"""Figures of weighted images against the plain ones of the same images, each as often as it counts."""

import math

import numpy as np
import pytest

from synnodtest import statistics
from synnodtest.statistics.pooled import Marks, Pooled, Ranked, of_rows


def images(count=24, seed=1, partly=False):
    """Return marks of images with up to two nodules, scores in steps of 0.1 so that many tie."""
    rng = np.random.default_rng(seed)

    def scores(number):
        return rng.integers(1, 10, number) / 10

    marks = []
    for k in range(count):
        found = np.where(rng.random(k % 3) < 0.7, scores(k % 3), -math.inf)
        full = not partly or rng.random() < 0.7
        marks.append(Marks(found, scores(rng.poisson(1.0)) if full else np.empty(0), full))
    return marks


def drawn(marks, seed=2):
    """Return numbers of images, with repeats, and the marks of these."""
    rows = np.random.default_rng(seed).integers(len(marks), size=len(marks))
    return rows, [marks[row] for row in rows]


def findings(marks):
    """Return the score of each finding, and whether it is a hit."""
    hits = [score for mark in marks for score in mark.found if score > -math.inf]
    false = [score for mark in marks for score in mark.false]
    return [*hits, *false], [True] * len(hits) + [False] * len(false)


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("rate", [0.0, 0.125, 0.25, 1.0, 8.0])
def test_sensitivity_is_that_of_the_curve_of_the_images_that_are_drawn(rate, partly):
    marks = images(partly=partly)
    rows, some = drawn(marks)
    nodules, full = sum(len(mark.found) for mark in some), sum(mark.exhaustive for mark in some)
    curve = statistics.froc(*findings(some), nodules, full)
    pooled = Pooled.of(marks)
    weighted = of_rows(lambda weights: pooled.sensitivity(weights, rate), len(marks))
    assert weighted(rows) == statistics.sensitivity_at_fppi(curve, rate)


@pytest.mark.parametrize("rate", [0.0, 0.25, 1.0, 8.0])
def test_nodules_are_hit_down_to_the_lowest_threshold_that_allows_so_many_false_positives(rate):
    marks = images()
    pooled = Pooled.of(marks)
    false = [score for mark in marks for score in mark.false]
    thresholds = [t for t in [*pooled.score, math.inf] if sum(f >= t for f in false) <= rate * len(marks)]
    nodules = [score for mark in marks for score in mark.found]
    assert pooled.hits_at(rate).tolist() == [score >= min(thresholds) for score in nodules]
    assert pooled.hits_at(rate).mean() == pooled.sensitivity(pooled.ones, rate)
    assert [len(mark.found) for mark in marks] == np.bincount(pooled.owner, minlength=len(marks)).tolist()


def test_precision_is_that_of_the_images_that_are_drawn_and_falls_by_false_positives_ahead_of_all():
    marks = images()
    rows, some = drawn(marks)
    nodules = sum(len(mark.found) for mark in some)
    scores, hits = findings(some)
    pooled = Pooled.of(marks)
    expected = statistics.average_precision(scores, hits, nodules, ties_together=True)
    assert of_rows(pooled.precision, len(marks))(rows) == pytest.approx(expected, abs=1e-12)
    louder = statistics.average_precision([1.0] * 3 + scores, [False] * 3 + hits, nodules, ties_together=True)
    weights = np.bincount(rows, minlength=len(marks))
    assert pooled.precision(weights, ahead=3.0) == pytest.approx(louder, abs=1e-12)


@pytest.mark.parametrize("partly", [False, True])
def test_the_area_of_nodules_against_normal_images_is_the_afroc_of_the_images_that_are_drawn(partly):
    marks = images(partly=partly)
    rows, some = drawn(marks)
    normal = [mark.false.max(initial=-math.inf) for mark in some if mark.exhaustive and not len(mark.found)]
    nodules = [score for mark in some for score in mark.found]
    ranked = Pooled.of(marks).against_normal
    assert of_rows(ranked.area, len(marks))(rows) == pytest.approx(statistics.afroc(normal, nodules), abs=1e-12)


def test_the_area_of_images_is_the_auc_of_those_that_are_drawn():
    rng = np.random.default_rng(3)
    scores, ill = rng.integers(0, 10, 40) / 10, rng.random(40) < 0.4
    scores[:5] = -math.inf
    rows = rng.integers(40, size=40)
    area = of_rows(Ranked.images_of(scores, ill, ~ill).area, 40)
    assert area(rows) == pytest.approx(statistics.auc(scores[rows[ill[rows]]], scores[rows[~ill[rows]]]), abs=1e-12)


def test_what_images_do_not_define_is_no_number():
    pooled, none = Pooled.of(images()), np.zeros(24)
    alone = Pooled.of([Marks(np.array([0.5]), np.empty(0), exhaustive=False)])
    undefined = [
        pooled.sensitivity(none),
        pooled.precision(none),
        pooled.against_normal.area(none),
        alone.sensitivity(alone.ones),
        alone.against_normal.area(alone.ones),
        Pooled.of([]).precision(np.empty(0)),
    ]
    assert np.isnan(undefined).all()


def test_a_silent_detector_has_a_sensitivity_and_a_precision_of_none():
    silent = Pooled.of([Marks(np.full(1, -math.inf), np.empty(0)) for _ in range(3)])
    assert (silent.sensitivity(silent.ones), silent.precision(silent.ones)) == (0.0, 0.0)
    assert not silent.hits_at(8.0).any()
