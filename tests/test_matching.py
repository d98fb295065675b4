"""The criterion ``centre-in-nodule`` against SciPy's distance transform of the whole mask."""

import math
from functools import cache

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from synnodtest.finding import Finding
from synnodtest.matching import AllBut, Matching, match, on_mimic
from synnodtest.radiograph import Truth

SPACINGS = [(0.143, 0.143), (0.2, 0.5), (1.0, 0.7)]


def distance_mm(mask, origin, spacing, point):
    """Distance from the pixel that holds a point to the nearest of the mask; beyond 50 pixels around it infinite."""
    if not mask.any():
        return math.inf
    away = distances_mm(mask.tobytes(), mask.shape, spacing)
    row, column = math.floor(point[1]) - origin[0] + 50, math.floor(point[0]) - origin[1] + 50
    return away[row, column]


@cache
def distances_mm(mask, shape, spacing):
    """Distances of all pixels up to 50 around a mask, given as bytes."""
    return distance_transform_edt(~np.pad(np.frombuffer(mask, bool).reshape(shape), 50), sampling=spacing)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("tolerance", [0.0, 1.0, 5.0])
@pytest.mark.parametrize("filled", [0.0, 0.05, 0.6, 1.0])
def test_a_centre_hits_where_the_mask_is_within_the_tolerance(spacing, tolerance, filled):
    rng = np.random.default_rng(7)
    mask, origin = rng.random((17, 23)) < filled, (31, 40)
    truth = Truth("n", mask, origin, 10.0, 0.2, {})
    points = [(origin[1] + rng.uniform(-12, 35), origin[0] + rng.uniform(-12, 29)) for _ in range(150)]
    findings = [Finding((x, y, x, y), 0.5) for x, y in points]
    rule = Matching(tolerance_mm=tolerance)
    hits = [match([one], [truth], spacing, rule).finding_of == (0,) for one in findings]
    expected = [distance_mm(mask, origin, spacing, point) <= tolerance for point in points]
    assert hits == expected
    assert any(expected) == (filled > 0)


def test_of_equal_scores_the_first_in_the_list_hits_and_the_other_is_a_duplicate():
    truth = Truth("n", np.ones((9, 9), bool), (10, 10), 9.0, 0.2, {})
    far = Finding((80, 80, 82, 82), 0.7)
    found = match(
        [far, Finding((13, 13, 15, 15), 0.7), Finding((12, 12, 14, 14), 0.7)], [truth], (1.0, 1.0), Matching()
    )
    assert (found.finding_of, found.duplicates, found.false_positives) == ((1,), (2,), (0,))


def painted(box):
    x_min, y_min, x_max, y_max = map(int, box)
    mask = np.zeros((40, 40), bool)
    mask[y_min:y_max, x_min:x_max] = True
    return mask


def nearness(finding, truth, spacing, rule):
    """How well a finding localizes a nodule, counted in pixels; None if it does not."""
    a, b = painted(finding.box), painted(truth.box)
    if rule.criterion == "iou":
        share = (a & b).sum() / (a | b).sum()
        return share if share >= rule.at_least else None
    if distance_mm(truth.crop, truth.origin, spacing, finding.centre) > rule.tolerance_mm:
        return None
    (y, x), (there_y, there_x) = (np.argwhere(mask).mean(axis=0) * spacing for mask in (a, b))
    return -math.hypot(x - there_x, y - there_y)


def matched_by_hand(findings, truths, spacing, rule):
    hit, duplicates, false = [None] * len(truths), [], []
    for index, found in sorted(enumerate(findings), key=lambda pair: (-pair[1].score, pair[0])):
        near = {k: n for k, truth in enumerate(truths) if (n := nearness(found, truth, spacing, rule)) is not None}
        free = {k: n for k, n in near.items() if hit[k] is None}
        if free:
            hit[next(k for k, n in free.items() if n == max(free.values()))] = index
        else:
            (duplicates if near else false).append(index)
    return tuple(hit), tuple(sorted(duplicates)), tuple(sorted(false))


@pytest.mark.parametrize("spacing", [(1.0, 1.0), (0.25, 1.5)])
@pytest.mark.parametrize("rule", [Matching(tolerance_mm=2.0), Matching("iou", at_least=0.2)])
def test_the_loudest_finding_first_takes_the_nearest_nodule_that_is_free(rule, spacing):
    rng = np.random.default_rng(5)
    for _ in range(12):
        boxes = [(x, y, x + w, y + h) for x, y, w, h in rng.integers((8, 8, 2, 2), (18, 18, 9, 9), (11, 4))]
        findings = [Finding(tuple(map(float, box)), float(rng.choice([0.2, 0.5, 0.7]))) for box in boxes[:8]]
        truths = [Truth("n", np.ones((y1 - y, x1 - x), bool), (y, x), 9.0, 0.2, {}) for x, y, x1, y1 in boxes[8:]]
        made = match(findings, truths, spacing, rule)
        hit, duplicates, false = matched_by_hand(findings, truths, spacing, rule)
        assert (made.finding_of, made.duplicates, made.false_positives) == (hit, duplicates, false)


@pytest.mark.parametrize(("spacing", "taken"), [((0.25, 1.5), 1), ((1.5, 0.25), 0), ((0.4, 1.0), 1), ((0.6, 1.0), 0)])
def test_the_nearest_nodule_is_the_nearest_in_mm(spacing, taken):
    """Centres lie 4 columns away from the one nodule, and 8 rows from the other."""
    beside, below = (Truth("n", np.ones((5, 5), bool), origin, 5.0, 0.2, {}) for origin in ((40, 44), (48, 40)))
    finding = Finding((41.5, 41.5, 43.5, 43.5), 0.9)
    made = match([finding], [beside, below], spacing, Matching(tolerance_mm=12.0))
    assert made.finding_of == tuple(0 if k == taken else None for k in (0, 1))


def test_all_but_a_few_are_the_others_in_order():
    others, plain = AllBut(6, (4, 1)), (0, 2, 3, 5)
    assert tuple(others) == others == plain
    assert others != (0, 2, 3) != others
    assert others != {0, 2, 3, 5}
    assert (len(others), others[-1], others[1:3], hash(others)) == (4, 5, (2, 3), hash(plain))
    assert [index in others for index in (-1, *range(7))] == [index in plain for index in (-1, *range(7))]
    assert bool(AllBut(2, (0, 1))) is False


def test_the_loudest_finding_on_a_distractor_is_told_and_of_equals_the_first():
    nodule, mimic = (Truth("n", np.ones((9, 9), bool), (20, x), 9.0, 0.2, {}) for x in (10, 16))

    def at(x, score):
        return Finding((x - 1, 23, x + 1, 25), score)

    findings = [at(80, 0.9), at(23, 0.4), at(22, 0.6), at(21, 0.6), at(17, 0.8), at(12, 0.95)]
    rule = Matching(tolerance_mm=1.0)
    hits = match(findings, [nodule], (1.0, 1.0), rule)
    assert (hits.finding_of, hits.duplicates) == ((5,), (4,))
    assert on_mimic(findings, mimic, [nodule], hits, (1.0, 1.0), rule) == 2
    two = [nodule, Truth("far", np.ones((9, 9), bool), (20, 60), 9.0, 0.2, {})]
    assert on_mimic(findings, mimic, two, match(findings, two, (1.0, 1.0), rule), (1.0, 1.0), rule) == 2
    assert on_mimic(findings[:1], mimic, [], match(findings[:1], [], (1.0, 1.0), rule), (1.0, 1.0), rule) is None


def test_the_criterion_is_told_in_words():
    assert Matching("iou", at_least=0.3).sentence() == "overlap (IoU) of the boxes of at least 0.3"
    assert Matching(tolerance_mm=2.5).sentence() == "centre of the finding within 2.5 mm of the nodule's mask"
    assert Matching.from_dict(None) == Matching.from_dict({}) == Matching()
    assert Matching.from_dict({"criterion": "iou", "at_least": 1}) == Matching("iou", 5.0, 1.0)
