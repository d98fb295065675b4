"""The lung estimator: finds drawn lungs, keeps to the body, and knows when it cannot tell."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.backgrounds.lung_template import within
from synnodtest.backgrounds.lungs import estimate_lungs, estimate_lungs_of, split_lung

SPACING = (0.8, 0.8)


def drawn_chest(height=480, width=440, noise=0.01, gain=1.0, seed=0, shift=(0.0, 0.0)):
    """A schematic chest in mm: body, two lungs with a flat base, heart, spine and ribs; and the mask of its lungs."""
    y, x = np.mgrid[:height, :width].astype(np.float64)
    y, x = (y - shift[0]) / height, (x - shift[1]) / width
    trunk = np.abs(x - 0.5) < 0.46 - 0.5 * np.maximum(0.16 - y, 0)
    body = (trunk & (y > 0.12)) | ((np.abs(x - 0.5) < 0.12) & (y <= 0.14))
    right = (((x - 0.31) / 0.155) ** 2 + ((y - 0.62) / 0.45) ** 2 < 1) & (y < 0.72 + 0.9 * (x - 0.27) ** 2)
    left = (((x - 0.69) / 0.155) ** 2 + ((y - 0.62) / 0.45) ** 2 < 1) & (y < 0.74 + 0.9 * (x - 0.73) ** 2)
    heart = ((x - 0.57) / 0.13) ** 2 + ((y - 0.62) / 0.14) ** 2 < 1
    lungs = (right | left) & ~heart
    ribs = 0.04 * (np.sin(2 * np.pi * (y + 0.35 * np.abs(x - 0.5)) * 14) > 0.4)
    picture = np.where(body, 0.7 + 0.15 * y, 0.02)
    picture[np.abs(x - 0.5) < 0.04] += 0.1
    picture = np.where(lungs, 0.35 + ribs, picture)
    picture = ndimage.gaussian_filter(picture, 2) + np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(gain * picture, 0, 1).astype(np.float32), lungs & body, right & lungs


def dice(a, b):
    return 2 * np.count_nonzero(a & b) / (np.count_nonzero(a) + np.count_nonzero(b))


@pytest.mark.parametrize("options", [{}, {"gain": 0.4}, {"noise": 0.05}, {"shift": (15, -12)}, {"height": 430}])
def test_drawn_lungs_are_found(options):
    picture, lungs, right = drawn_chest(**options)
    estimate = estimate_lungs_of(picture, SPACING)
    assert dice(estimate.left_lung | estimate.right_lung, lungs) > 0.85
    assert dice(estimate.right_lung, right) > 0.85
    assert not estimate.doubtful


def test_the_left_lung_is_on_the_right_of_the_picture():
    masks = estimate_lungs(drawn_chest()[0], SPACING)
    assert np.argwhere(masks["left_lung"])[:, 1].mean() > np.argwhere(masks["right_lung"])[:, 1].mean()
    assert not (masks["left_lung"] & masks["right_lung"]).any()
    np.testing.assert_array_equal(masks["lung"], masks["left_lung"] | masks["right_lung"])


def test_anisotropic_pixels_make_no_difference():
    picture, lungs, _ = drawn_chest()
    squeezed, small = picture[::2], lungs[::2]
    found = estimate_lungs(squeezed, (SPACING[0] * 2, SPACING[1]))["lung"]
    assert found.shape == squeezed.shape
    assert dice(found, small) > 0.85


def test_the_same_picture_gives_the_same_lungs():
    picture, _, _ = drawn_chest()
    first, second = (estimate_lungs(picture, SPACING)["lung"] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    "picture",
    [
        np.random.default_rng(1).random((300, 260), dtype=np.float32),
        np.linspace(0, 1, 90_000, dtype=np.float32).reshape(300, 300),
        (np.mgrid[:200, :200][0] > 100).astype(np.float32),
        np.eye(64, dtype=np.float32),
        np.random.default_rng(1).random((40, 400), dtype=np.float32),
        np.random.default_rng(1).random((400, 40), dtype=np.float32),
    ],
    ids=["noise", "ramp", "step", "diagonal", "flat strip", "tall strip"],
)
def test_a_picture_without_lungs_is_doubtful_and_still_has_masks(picture):
    estimate = estimate_lungs_of(picture, (1.0, 1.0))
    assert estimate.doubtful
    assert estimate.left_lung.shape == estimate.right_lung.shape == picture.shape
    assert estimate.left_lung.any()
    assert estimate.right_lung.any()


def test_no_lung_lies_in_the_air_around_the_patient():
    picture, _, _ = drawn_chest(noise=0.0)
    air = ndimage.binary_erosion(picture < 0.1, iterations=4)
    assert not (estimate_lungs(picture, SPACING)["lung"] & air).any()


def test_splitting_parts_a_mask_of_one_piece_in_the_middle():
    lung = np.zeros((60, 100), dtype=np.bool_)
    lung[10:50, 10:90] = True
    sides = split_lung(lung)
    assert sides["right_lung"].sum() == sides["left_lung"].sum() == lung.sum() / 2
    assert sides["left_lung"][:, 50:].sum() == sides["left_lung"].sum()


@pytest.mark.parametrize("share", [0.0, 0.001, 0.3, 0.97, 1.0])
def test_what_is_near_a_mask_and_within_it_is_what_scipy_says(share):
    drawn = np.random.default_rng(7).random((45, 62)) < share
    for steps in (1, 2, 5):
        assert (within(drawn, steps) == ndimage.binary_dilation(drawn, iterations=steps)).all()
        eroded = ndimage.binary_erosion(drawn, iterations=steps, border_value=1)
        assert (~within(~drawn, steps) == eroded).all()
