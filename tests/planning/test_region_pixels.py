"""What of a region lies far enough from its edge, against the depth of each pixel."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.geometry import depths_mm
from synnodtest.planning.region_pixels import LEAST_SHARE, RegionPixels, deep_in, nth_of, squared_depths


def blobs(count):
    rng = np.random.default_rng(5)
    yield np.ones((60, 50), bool)
    for number in range(1, count):
        blob = ndimage.gaussian_filter(rng.random((60, 50)), 3)
        yield blob > np.quantile(blob, 0.9 - 0.88 * number / count)


def test_what_lies_deep_is_what_the_depths_say_to_the_last_pixel():
    rng = np.random.default_rng(6)
    for mask in blobs(60):
        spacing = tuple(rng.choice([0.2, 0.35, 0.3704, 1.0], 2))
        depths = depths_mm(mask, spacing).astype(np.float32)
        ties = rng.choice(depths[mask], 4).tolist()
        for depth in [0.0, *ties, *rng.uniform(0, 12, 6), 300.0]:
            np.testing.assert_array_equal(deep_in(mask, depth, spacing), mask & (depths >= depth))
    assert not deep_in(np.zeros((4, 5), bool), 1.0, (1.0, 1.0)).any()


@pytest.mark.parametrize("most", [1, 2, 5, 12, 64, 200])
def test_squared_depths_are_those_of_the_distance_transform_up_to_the_most(most):
    for mask in blobs(12):
        true = np.rint(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1] ** 2)
        np.testing.assert_array_equal(np.minimum(squared_depths(mask, most), most**2), np.minimum(true, most**2))


@pytest.mark.parametrize("spacing", [(0.35, 0.35), (0.3704, 0.3704), (0.5, 0.6)])
@pytest.mark.parametrize("largest", [0.0, 2.0, 9.0])
def test_the_clear_are_as_deep_as_asked_and_no_fewer_than_the_least_share(spacing, largest):
    rng = np.random.default_rng(7)
    for mask in blobs(25):
        region = np.pad(mask, ((3, 9), (14, 2)))
        depths = depths_mm(region, spacing).astype(np.float32)
        most = np.quantile(depths[region], 1 - LEAST_SHARE)
        pixels = RegionPixels(region, spacing, largest)
        for clearance in [*rng.choice(depths[region], 3).tolist(), *rng.uniform(0, 9, 3), 0.0, float(most)]:
            wanted = region & (depths >= min(clearance, most))
            np.testing.assert_array_equal(pixels.clear_of_edge(clearance), pixels.window(wanted))


def test_the_nth_pixel_of_a_mask_is_the_one_that_is_counted_off():
    mask = np.random.default_rng(8).random((130, 170)) < 0.3
    places = np.flatnonzero(mask)
    assert [nth_of(mask, nth) for nth in range(0, len(places), 7)] == places[::7].tolist()
    assert nth_of(mask, len(places) - 1) == places[-1]
