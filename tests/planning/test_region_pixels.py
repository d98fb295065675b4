"""What of a region lies far enough from its edge, against the depth of each pixel."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.geometry import depths_mm
from synnodtest.planning.region_pixels import LEAST_SHARE, RegionPixels, deep_in


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


@pytest.mark.parametrize("spacing", [(0.35, 0.35), (0.3704, 0.3704), (0.5, 0.6)])
@pytest.mark.parametrize("many", [False, True])
def test_the_clear_are_as_deep_as_asked_and_no_fewer_than_the_least_share(spacing, many):
    rng = np.random.default_rng(7)
    for mask in blobs(25):
        region = np.pad(mask, ((3, 9), (14, 2)))
        depths = depths_mm(region, spacing).astype(np.float32)
        most = np.quantile(depths[region], 1 - LEAST_SHARE)
        pixels = RegionPixels(region, spacing, many)
        for clearance in [*rng.choice(depths[region], 3).tolist(), *rng.uniform(0, 9, 3), 0.0, float(most)]:
            wanted = region & (depths >= min(clearance, most))
            np.testing.assert_array_equal(pixels.clear_of_edge(clearance), pixels.window(wanted))
