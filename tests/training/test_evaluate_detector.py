"""Evaluation: COCO's counts as pycocotools gives them, FROC by hand, and no look at the truth."""

import contextlib
import io
import math

import numpy as np
import pytest

from synnodtest import Finding, Radiograph
from synnodtest.detectors import CallableDetector
from synnodtest.identity import Identity
from synnodtest.radiograph import Truth
from synnodtest.statistics import average_precision
from synnodtest.training.annotated import Case
from synnodtest.training.evaluate_detector import coco_hits, evaluate


class Made:
    """Radiographs given outright."""

    name = "made"

    def __init__(self, radiographs):
        self._radiographs = radiographs

    @property
    def cases(self):
        return [Case(str(k), f"patient-{k}") for k in range(len(self._radiographs))]

    def load(self, case):
        return self._radiographs[int(case.id)]


def truth(x, y, side, spacing=1.0):
    return Truth("nodule", np.ones((side, side), bool), (y, x), side * spacing, 0.3)


def radiograph(k, *truths):
    return Radiograph(np.full((100, 100), k / 100, np.float32), (1.0, 1.0), background=f"b{k}", nodules=truths)


def scripted(answers):
    """Detector that answers by the grey value of the radiograph, and must not see its truth."""

    def detect(radiographs):
        assert all(not one.nodules for one in radiographs)
        return [answers[round(float(one.pixels[0, 0]) * 100)] for one in radiographs]

    return CallableDetector(detect, Identity("scripted"))


def test_coco_hits_give_the_average_precision_of_pycocotools():
    coco = pytest.importorskip("pycocotools.coco")
    cocoeval = pytest.importorskip("pycocotools.cocoeval")
    rng = np.random.default_rng(5)
    images, truths, found, hits, scores = [], [], [], {0.5: [], 0.75: []}, []
    for k in range(30):
        images.append({"id": k + 1, "width": 200, "height": 200})
        boxes = [(*rng.uniform(0, 150, 2), *rng.uniform(10, 40, 2)) for _ in range(rng.integers(0, 4))]
        truths += [
            {
                "id": len(truths) + i + 1,
                "image_id": k + 1,
                "category_id": 1,
                "bbox": list(b),
                "area": b[2] * b[3],
                "iscrowd": 0,
            }
            for i, b in enumerate(boxes)
        ]
        own = [np.array(b) + rng.normal(0, 3, 4) for b in boxes for _ in range(2)]
        own += [np.array([*rng.uniform(0, 150, 2), 20, 20]) for _ in range(3)]
        own = [(box, float(rng.random())) for box in own]
        found += [{"image_id": k + 1, "category_id": 1, "bbox": list(b), "score": s} for b, s in own]
        own.sort(key=lambda item: -item[1])
        edges = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b, _ in own]
        real = [(b[0], b[1], b[0] + b[2], b[1] + b[3]) for b in boxes]
        scores += [s for _, s in own]
        for level, kept in hits.items():
            kept += coco_hits(edges, real, level)
    with contextlib.redirect_stdout(io.StringIO()):
        reference = coco.COCO()
        reference.dataset = {"images": images, "annotations": truths, "categories": [{"id": 1}], "info": {}}
        reference.createIndex()
        run = cocoeval.COCOeval(reference, reference.loadRes(found), "bbox")
        run.evaluate()
        run.accumulate()
    for level, column in ((0.5, 0), (0.75, 5)):
        precision = run.eval["precision"][column, :, 0, 0, -1]
        assert average_precision(scores, hits[level], len(truths)) == pytest.approx(float(precision.mean()), abs=1e-6)


def test_sensitivity_at_a_false_positive_rate_by_hand():
    images = [radiograph(0, truth(10, 10, 20)), radiograph(1, truth(50, 50, 8)), radiograph(2), radiograph(3)]
    hit, small = Finding((10, 10, 30, 30), 0.9), Finding((50, 50, 58, 58), 0.4)
    false = [Finding((70, 10, 80, 20), score) for score in (0.8, 0.7, 0.6, 0.5, 0.3)]
    answers = {0: [hit], 1: [small], 2: false[:2], 3: false[2:]}
    result = evaluate(scripted(answers), Made(images), resamples=0)
    # Above 0.4 there are 4 false positives on 4 images: at one per image both nodules are found, at a half one.
    assert result["sensitivity_at_1_fp"]["value"] == 1.0
    assert result["froc"]["0.5"] == 0.5
    assert result["froc"]["0.125"] == 0.5
    assert result["by_size"]["0 to 10 mm"] == {"value": 1.0, "nodules": 1, "images": 4}
    assert result["by_size"]["20 to 30 mm"]["value"] == 1.0
    assert result["by_size"]["30 mm and more"]["value"] is None
    # Highest scores of images with nodules 0.9 and 0.4, without 0.8 and 0.6: two of four pairs are in order.
    assert result["auc"]["value"] == pytest.approx(0.5)
    assert result["node21_score"] == pytest.approx(0.75 * 0.5 + 0.25 * 0.5)
    assert result["average_precision"]["0.50"] == pytest.approx(
        average_precision([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3], [1, 0, 0, 0, 0, 1, 0], 2)
    )


def test_a_silent_detector_has_precision_zero_and_no_score_is_made_up():
    result = evaluate(scripted({0: [], 1: []}), Made([radiograph(0, truth(10, 10, 20)), radiograph(1)]), resamples=0)
    assert result["average_precision"]["0.50:0.95"] == 0.0
    assert result["sensitivity_at_1_fp"]["value"] == 0.0
    assert result["auc"]["value"] == 0.5


def test_without_normal_images_there_is_no_auc():
    result = evaluate(scripted({0: []}), Made([radiograph(0, truth(10, 10, 20))]), resamples=0)
    assert result["auc"] is None
    assert result["node21_score"] is None


def test_bounds_hold_the_value():
    rng = np.random.default_rng(1)
    images = [radiograph(k, truth(10, 10, 20)) for k in range(40)]
    answers = {k: [Finding((10, 10, 30, 30), 0.9)] if rng.random() < 0.7 else [] for k in range(40)}
    found = evaluate(scripted(answers), Made(images), resamples=200)["sensitivity_at_1_fp"]
    assert 0.5 < found["lower"] < found["value"] < found["upper"] < 0.9
    assert math.isclose(found["value"], sum(map(bool, answers.values())) / 40)
