"""FROC, AFROC and average precision, against brute force and pycocotools."""

import contextlib
import io
import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synnodtest.statistics import afroc, average_precision, cluster_bootstrap, froc, node21_score, sensitivity_at_fppi

modest = settings(max_examples=40, deadline=None, derandomize=True)
findings = st.lists(st.tuples(st.integers(0, 8), st.booleans()), max_size=25)


def coco_average_precision(images, iou):
    """AP of pycocotools for images given as (truth boxes, [(box, score)])."""
    coco_module, evaluation = pytest.importorskip("pycocotools.coco"), pytest.importorskip("pycocotools.cocoeval")
    truth, found = [], []
    for image, (boxes, marks) in enumerate(images, start=1):
        truth += [
            {
                "id": len(truth) + i + 1,
                "image_id": image,
                "category_id": 1,
                "bbox": b,
                "area": b[2] * b[3],
                "iscrowd": 0,
            }
            for i, b in enumerate(boxes)
        ]
        found += [{"image_id": image, "category_id": 1, "bbox": b, "score": s} for b, s in marks]
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gt = coco_module.COCO()
        gt.dataset = {
            "images": [{"id": i + 1} for i in range(len(images))],
            "annotations": truth,
            "categories": [{"id": 1}],
            "info": {},
        }
        gt.createIndex()
        run = evaluation.COCOeval(gt, gt.loadRes(found), "bbox")
        run.params.iouThrs, run.params.maxDets = np.array([iou]), [1, 10, 100]
        run.evaluate()
        run.accumulate()
    return float(run.eval["precision"][0, :, 0, 0, -1].mean())


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(0, width) * max(0, height)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared)


def greedy_hits(boxes, marks, iou):
    free, hits = list(range(len(boxes))), []
    for box, _ in sorted(marks, key=lambda m: -m[1]):
        best = max(free, key=lambda i: overlap(box, boxes[i]), default=None)
        hit = best is not None and overlap(box, boxes[best]) >= iou
        hits.append(hit)
        if hit:
            free.remove(best)
    return hits


@pytest.mark.parametrize("seed", range(4))
def test_average_precision_is_that_of_pycocotools(seed):
    rng, images, scores, hits = np.random.default_rng(seed), [], [], []
    for _ in range(25):
        boxes = [[*rng.uniform(0, 400, 2), *rng.uniform(20, 60, 2)] for _ in range(rng.integers(0, 3))]
        marks = [([b + rng.normal(0, 8) if i < 2 else b for i, b in enumerate(box)], rng.random()) for box in boxes]
        marks += [([*rng.uniform(0, 400, 2), 30.0, 30.0], rng.random() * 0.7) for _ in range(rng.integers(0, 3))]
        images.append((boxes, marks))
        scores += sorted((s for _, s in marks), reverse=True)
        hits += greedy_hits(boxes, marks, 0.5)
    nodules = sum(len(boxes) for boxes, _ in images)
    want = coco_average_precision(images, 0.5)
    assert 0.1 < want < 0.95
    assert average_precision(scores, hits, nodules) == pytest.approx(want, abs=1e-12)


def test_average_precision_by_hand():
    assert average_precision([0.9, 0.8, 0.7], [True, False, True], 2) == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert average_precision([0.5], [True], 1) == 1
    assert average_precision([0.5, 0.5], [True, False], 1) == 1, "ties keep the order in which they are given"
    assert average_precision([0.5, 0.5], [False, True], 1) == 0.5


@pytest.mark.parametrize("hits", [[True, True, False, False], [False, False, True, True]])
def test_average_precision_of_equal_scores_does_not_hang_on_their_order(hits):
    assert average_precision([1.0] * 4, hits, 2, ties_together=True) == pytest.approx(0.5)
    assert average_precision([1.0, 0.5, 0.5, 0.5], hits, 2, ties_together=True) == pytest.approx(
        (51 * 1.0 + 50 * 0.5) / 101 if hits[0] else 0.5
    )


@pytest.mark.parametrize(("scores", "hits", "nodules", "want"), [([], [], 3, 0.0), ([0.5], [False], 3, 0.0)])
def test_average_precision_of_nothing_found_is_zero(scores, hits, nodules, want):
    assert average_precision(scores, hits, nodules) == want
    assert math.isnan(average_precision([0.5], [False], 0))


def test_froc_is_a_step_per_distinct_score():
    curve = froc([0.9, 0.8, 0.8, 0.3, 0.1], [1, 0, 1, 0, 1], 4, 2)
    assert curve.threshold.tolist() == [math.inf, 0.9, 0.8, 0.3, 0.1]
    assert curve.sensitivity.tolist() == [0, 0.25, 0.5, 0.5, 0.75]
    assert curve.false_positives_per_image.tolist() == [0, 0, 0.5, 1, 1]


@pytest.mark.parametrize(("fppi", "want"), [(0, 0.25), (0.49, 0.25), (0.5, 0.5), (0.99, 0.5), (1, 0.75), (8, 0.75)])
def test_sensitivity_is_read_off_without_interpolation_or_extrapolation(fppi, want):
    assert sensitivity_at_fppi(froc([0.9, 0.8, 0.8, 0.3, 0.1], [1, 0, 1, 0, 1], 4, 2), fppi) == want


def test_froc_of_no_findings_is_the_origin_and_of_no_nodules_undefined():
    curve = froc([], [], 3, 10)
    assert (curve.sensitivity.tolist(), curve.false_positives_per_image.tolist()) == ([0], [0])
    assert sensitivity_at_fppi(curve, 1) == 0
    assert math.isnan(sensitivity_at_fppi(froc([0.3], [0], 0, 5), 1))
    assert math.isnan(sensitivity_at_fppi(froc([], [], 3, 0), 1))


@pytest.mark.parametrize(
    "arguments",
    [([0.5], [1], 0, 1), ([0.5, 0.4], [1], 1, 1), ([math.nan], [0], 1, 1), ([0.5], [0], 1, 0), ([0.5], [2], 3, 1)],
)
def test_findings_that_cannot_be_are_refused(arguments):
    with pytest.raises(ValueError):
        froc(*arguments)


def test_negative_false_positives_are_refused():
    with pytest.raises(ValueError):
        sensitivity_at_fppi(froc([], [], 1, 1), -0.1)


def test_infinite_scores_are_scores():
    assert froc([math.inf, -math.inf], [1, 0], 1, 1).sensitivity.tolist() == [0, 1, 1]


@modest
@given(findings, st.floats(0, 3))
def test_froc_counts_what_lies_above_each_threshold(found, fppi):
    scores, hits = [s for s, _ in found], [h for _, h in found]
    nodules, images = sum(hits) + 2, 5
    curve = froc(scores, hits, nodules, images)
    best = 0.0
    for threshold in [*scores, math.inf]:
        true = sum(h for s, h in found if s >= threshold)
        false = sum(not h for s, h in found if s >= threshold)
        at = int(np.flatnonzero(curve.threshold == threshold)[0])
        assert curve.sensitivity[at] == pytest.approx(true / nodules)
        assert curve.false_positives_per_image[at] == pytest.approx(false / images)
        best = max(best, true / nodules if false / images <= fppi else 0.0)
    assert sensitivity_at_fppi(curve, fppi) == pytest.approx(best)


@modest
@given(findings, st.randoms(use_true_random=False))
def test_order_does_not_matter_to_froc(found, random):
    shuffled = list(found)
    random.shuffle(shuffled)
    nodules = sum(h for _, h in found) + 1
    first, second = (froc([s for s, _ in f], [h for _, h in f], nodules, 3) for f in (found, shuffled))
    assert np.array_equal(first.sensitivity, second.sensitivity)
    assert np.array_equal(first.false_positives_per_image, second.false_positives_per_image)


def test_afroc_is_the_share_of_normal_images_outscored():
    normal, nodules = [0.1, 0.5, -math.inf], [0.5, -math.inf]
    pairs = [(n > i) + (n == i) / 2 for n in nodules for i in normal]
    assert afroc(normal, nodules) == pytest.approx(np.mean(pairs))
    assert afroc([-math.inf] * 4, [-math.inf] * 3) == 0.5
    assert math.isnan(afroc([], [0.3]))
    assert math.isnan(afroc([math.nan], [0.3]))


def test_the_challenge_score_weighs_three_to_one():
    assert node21_score(0.9, 0.5) == pytest.approx(0.8)


def test_average_precision_takes_its_interval_from_the_cluster_bootstrap():
    rng = np.random.default_rng(1)
    hit = rng.random(60) < 0.7
    score, background = rng.random(60) + 0.3 * hit, np.arange(60) // 2
    got = cluster_bootstrap(
        lambda rows: average_precision(score[rows], hit[rows], len(rows)),
        background,
        seed=3,
        resamples=300,
        limits=(0, 1),
    )
    assert 0 < got.lower < got.value < got.upper < 1
