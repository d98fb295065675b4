"""Look-ups and filters on a part of a grid, against SciPy's on all of it."""

import numpy as np
from scipy import ndimage

from synnodtest.grids import laplacian_of_gaussian, nearest, smoothed

ROUNDING = {"rtol": 0, "atol": 1e-14}
"""Of sums of numbers up to 1 in another order."""


def drawn(rng, halves):
    """An image, and the rows and columns of a grid that passes its edges; on half pixels, where rounding is decided."""
    image = rng.random(rng.integers(1, 50, 2))
    axes = [np.sort(rng.uniform(-3, length + 3, rng.integers(1, 30))) for length in image.shape]
    return image, *((np.round(axis * 2) / 2 for axis in axes) if halves else axes)


def test_look_ups_on_a_grid_are_those_of_its_points():
    rng = np.random.default_rng(0)
    for number in range(400):
        image, rows, columns = drawn(rng, halves=number % 3 == 0)
        points = np.meshgrid(rows, columns, indexing="ij")
        sigmas = tuple(rng.choice([0.0, *rng.uniform(0.3, 5, 2)], 2))
        between = ndimage.map_coordinates(ndimage.gaussian_filter(image, sigmas), points, order=1, mode="nearest")
        np.testing.assert_allclose(smoothed(image, sigmas, rows, columns), between, **ROUNDING)
        mask = image > 0.5
        there = ndimage.map_coordinates(mask.astype(np.uint8), points, order=0) > 0
        np.testing.assert_array_equal(nearest(mask, rows, columns), there)


def test_a_part_of_the_filtered_image_is_that_part_of_it():
    rng = np.random.default_rng(1)
    for _ in range(200):
        image = rng.random(rng.integers(1, 50, 2))
        sigma = rng.uniform(0.4, 9)
        ends = [sorted(rng.choice(length + 1, 2, replace=False)) for length in image.shape]
        rows, columns = (slice(int(first), int(last)) for first, last in ends)
        whole = ndimage.gaussian_laplace(image, sigma)
        part = laplacian_of_gaussian(image, sigma, rows, columns)
        np.testing.assert_allclose(part, whole[rows, columns], **ROUNDING)
