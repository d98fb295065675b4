"""The criterion ``centre-in-nodule`` against SciPy's distance transform of the whole mask."""

import math

import numpy as np
import pytest
from scipy.ndimage import distance_transform_edt

from synnodtest.finding import Finding
from synnodtest.matching import Matching, match
from synnodtest.radiograph import Truth

SPACINGS = [(0.143, 0.143), (0.2, 0.5), (1.0, 0.7)]


def distance_mm(mask, origin, spacing, point):
    """Distance from the pixel that holds a point to the nearest of the mask; beyond 50 pixels around it infinite."""
    padded = np.pad(mask, 50)
    if not mask.any():
        return math.inf
    away = distance_transform_edt(~padded, sampling=spacing)
    row, column = math.floor(point[1]) - origin[0] + 50, math.floor(point[0]) - origin[1] + 50
    return away[row, column]


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
