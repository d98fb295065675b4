"""Boxes and masks: their middle, the same box elsewhere, how deep a pixel lies."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.geometry import centre_of, depths_mm, edge_of, iou, moved_to


def test_a_box_moved_keeps_its_size_and_gets_the_middle_asked_for():
    box = (10.0, 20.0, 30.0, 26.0)
    assert centre_of(box) == (20, 23)
    moved = moved_to(box, (100.5, 50.25))
    assert centre_of(moved) == (100.5, 50.25)
    assert (moved[2] - moved[0], moved[3] - moved[1]) == (20, 6)


def test_boxes_that_only_share_an_edge_do_not_overlap():
    box = (0.0, 0.0, 10.0, 10.0)
    assert iou(box, moved_to(box, (15, 5))) == 0
    assert iou(box, moved_to(box, (14.9, 5))) == pytest.approx(0.1 / 19.9)


def test_the_depth_of_a_pixel_is_its_distance_to_the_nearest_one_outside_the_edge_counting_as_outside():
    spacing, mask = (0.7, 0.4), np.random.default_rng(3).random((9, 12)) < 0.8
    held = np.pad(mask, 1)
    outside = np.argwhere(~held)
    for row, column in np.ndindex(mask.shape):
        away = np.hypot(*((outside - (row + 1, column + 1)) * spacing).T).min()
        assert depths_mm(mask, spacing)[row, column] == pytest.approx(away if mask[row, column] else 0.0)


def test_the_depth_looked_for_in_the_box_of_a_mask_is_that_of_the_whole_to_the_last_bit():
    rng = np.random.default_rng(4)
    for number in range(60):
        blob = ndimage.gaussian_filter(rng.random((60, 50)), 3)
        mask = blob > np.quantile(blob, 0.9 - 0.01 * number)
        spacing = tuple(rng.choice([0.2, 0.35, 0.3704, 1.0], 2))
        whole = ndimage.distance_transform_edt(np.pad(mask, 1), sampling=spacing)[1:-1, 1:-1]
        np.testing.assert_array_equal(depths_mm(mask, spacing), whole)
    assert not depths_mm(np.zeros((4, 5), bool), (1.0, 1.0)).any()


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (40, 31)])
@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 1.0])
def test_the_edge_is_what_erosion_takes_away(shape, share):
    mask = np.random.default_rng(0).random(shape) < share
    before = mask.copy()
    np.testing.assert_array_equal(edge_of(mask), mask & ~ndimage.binary_erosion(mask, border_value=1))
    np.testing.assert_array_equal(mask, before)
