"""The map of confidence: the outline of a region whose mask the record does not hold."""

import numpy as np

from synnodtest.report.figures.places import _hulls


def test_places_in_both_lungs_are_outlined_one_lung_at_a_time():
    x, y = np.array([0.1, 0.3, 0.2, 0.7, 0.9, 0.8]), np.array([0.2, 0.2, 0.6, 0.3, 0.3, 0.7])
    right, left = _hulls(x, y)
    assert {tuple(point) for point in right} == {(0.1, 0.2), (0.3, 0.2), (0.2, 0.6)}
    assert {tuple(point) for point in left} == {(0.7, 0.3), (0.9, 0.3), (0.8, 0.7)}


def test_two_places_have_no_outline():
    assert _hulls(np.array([0.1, 0.3]), np.array([0.2, 0.2])) == []
