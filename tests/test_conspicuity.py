"""Conspicuity and contrast in place, against filters written out by hand and films of known content."""

import math

import numpy as np
import pytest
from scipy import ndimage, signal

from synnodtest import conspicuity as rule
from synnodtest.conspicuity import visibilities, visibility
from synnodtest.geometry import disc_mask
from synnodtest.radiograph import Radiograph, Truth, lung_range

SIDE = 241  # odd: the middle is the centre of a pixel, and the observer's grid falls on pixels of 1 mm


def film(spacing=(1.0, 1.0), *, noise=0.05, seed=0, blur=3.0, add=None, lung=True):
    """Return smooth noise on a slope, all of it lung, with ``add`` on top."""
    rng = np.random.default_rng(seed)
    structure = ndimage.gaussian_filter(rng.normal(size=(SIDE, SIDE)), blur)
    pixels = 0.5 + noise * structure / structure.std() + np.linspace(-0.1, 0.1, SIDE)[:, None]
    if add is not None:
        pixels = pixels + add
    regions = {"lung": np.ones((SIDE, SIDE), dtype=bool)} if lung else {}
    return Radiograph(pixels.astype(np.float32), spacing, regions)


def disc(diameter_mm, brightness, spacing=(1.0, 1.0), centre_mm=None):
    centre = centre_mm or (SIDE / 2 * spacing[1], SIDE / 2 * spacing[0])
    return brightness * disc_mask((SIDE, SIDE), centre, diameter_mm, spacing)


def box(diameter_mm, spacing=(1.0, 1.0), centre_mm=None):
    x, y = centre_mm or (SIDE / 2 * spacing[1], SIDE / 2 * spacing[0])
    half = diameter_mm / 2
    return (x - half) / spacing[1], (y - half) / spacing[0], (x + half) / spacing[1], (y + half) / spacing[0]


def by_hand(radiograph, outline, diameter):
    """The same observer on whole pixels of one millimetre, with the filter written out as a sum."""
    sigma = diameter / (2 * math.sqrt(2))
    reach = math.ceil(5 * sigma)
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1].astype(float)
    r2 = (x**2 + y**2) / sigma**2
    kernel = (1 - r2 / 2) * np.exp(-r2 / 2) / (math.pi * sigma**4)
    kernel -= kernel.mean()
    response = signal.fftconvolve(np.pad(radiograph.pixels.astype(float), reach, "edge"), kernel, "valid")
    rows, columns = np.indices(response.shape) + 0.5
    cx, cy = (outline[0] + outline[2]) / 2, (outline[1] + outline[3]) / 2
    away = np.hypot(rows - cy, columns - cx) / (diameter / 2)
    square = np.maximum(np.abs(rows - cy), np.abs(columns - cx)) <= diameter / 2 + rule.REACH_MM
    noise = response[(away > rule.RIM) & square]
    return (response[away <= rule.WANDER].max() - noise.mean()) / noise.std()


@pytest.mark.parametrize("diameter", [10, 16, 24])
def test_it_is_the_peak_of_a_matched_filter_in_units_of_its_surroundings(diameter):
    radiograph = film(add=disc(diameter, 0.1), seed=diameter)
    found = visibility(radiograph, box(diameter)).conspicuity
    assert found == pytest.approx(by_hand(radiograph, box(diameter), diameter), rel=0.01)


def test_it_rises_with_the_brightness_and_falls_with_the_complexity_of_what_is_around():
    faint, clear = (visibility(film(add=disc(14, c)), box(14)).conspicuity for c in (0.03, 0.12))
    busy = visibility(film(add=disc(14, 0.12), noise=0.15), box(14)).conspicuity
    assert faint < clear
    assert busy < clear


def test_brightness_and_contrast_of_the_film_do_not_matter():
    one = film(add=disc(14, 0.1))
    other = Radiograph((0.05 + 0.6 * one.pixels).astype(np.float32), one.spacing_mm, one.regions)
    a, b = visibility(one, box(14)), visibility(other, box(14))
    assert a.conspicuity == pytest.approx(b.conspicuity, rel=1e-3)
    assert a.contrast == pytest.approx(b.contrast, rel=1e-3)


def test_contrast_in_place_is_the_mean_rise_in_units_of_the_lung():
    radiograph = film(noise=1e-4, add=disc(20, 0.05))
    assert visibility(radiograph, box(20)).contrast == pytest.approx(0.05 / lung_range(radiograph), rel=0.05)


def test_a_rib_across_the_ring_does_not_make_a_nodule_darker():
    rib = np.zeros((SIDE, SIDE))
    rib[104:108] = 0.3
    plain, crossed = (visibility(film(noise=1e-3, add=disc(20, 0.05) + bone), box(20), unit=1.0) for bone in (0.0, rib))
    assert crossed.contrast == pytest.approx(plain.contrast, abs=0.012)


def test_pixels_that_are_not_square_change_little():
    round_, flat = (film(spacing, noise=1e-4, add=disc(16, 0.05, spacing)) for spacing in ((1.0, 1.0), (0.7, 0.5)))
    a, b = visibility(round_, box(16), unit=1.0), visibility(flat, box(16, (0.7, 0.5)), unit=1.0)
    assert b.contrast == pytest.approx(a.contrast, rel=0.05)


def test_only_the_lung_is_surroundings_where_there_is_lung():
    chest_wall = np.zeros((SIDE, SIDE))
    chest_wall[:, : SIDE // 2 - 15] = np.random.default_rng(1).normal(0, 1, (SIDE, SIDE // 2 - 15))
    whole = film(add=disc(14, 0.1) + chest_wall)
    lung = np.zeros((SIDE, SIDE), dtype=bool)
    lung[:, SIDE // 2 - 9 :] = True
    masked = Radiograph(whole.pixels, whole.spacing_mm, {"lung": lung})
    assert visibility(masked, box(14)).conspicuity > 1.5 * visibility(whole, box(14)).conspicuity


def test_another_nodule_is_no_surroundings():
    second = (SIDE / 2 + 26.0, SIDE / 2)
    both = film(add=disc(14, 0.1) + disc(14, 0.5, centre_mm=second))
    alone = film(add=disc(14, 0.1))
    told = visibility(both, box(14), others=[box(14, centre_mm=second)])
    assert told.contrast == pytest.approx(visibility(alone, box(14)).contrast, rel=0.35)
    assert told.conspicuity > visibility(both, box(14)).conspicuity


def test_every_nodule_of_a_radiograph_gets_one_in_order_and_an_empty_mask_none():
    truths = []
    for k, (x, y) in enumerate([(80, 80), (160, 150)]):
        mask = disc_mask((SIDE, SIDE), (x, y), 12, (1.0, 1.0))
        truths.append(Truth(f"n{k}", mask[y - 10 : y + 10, x - 10 : x + 10], (y - 10, x - 10), 12.0, 0.1))
    truths.append(Truth("none", np.zeros((3, 3), dtype=bool), (50, 50), 0.0, 0.0))
    base = film(add=disc(12, 0.2, centre_mm=(160, 150)))
    found = visibilities(base.with_pixels(base.pixels, tuple(truths)))
    assert found[1].conspicuity > found[0].conspicuity
    assert math.isnan(found[2].conspicuity)
    assert math.isnan(found[2].contrast)


@pytest.mark.parametrize("centre", [(2.0, 2.0), (238.0, 120.0), (400.0, 120.0)])
def test_at_and_beyond_the_border_it_stays_defined_or_says_nothing(centre):
    found = visibility(film(), box(14, centre_mm=centre))
    assert math.isfinite(found.conspicuity) or math.isnan(found.contrast)


def test_a_film_without_a_lung_mask_is_judged_by_all_that_is_around():
    assert visibility(film(add=disc(14, 0.1), lung=False), box(14)).conspicuity > 2


def test_three_equations_are_solved_as_by_least_squares_also_where_they_do_not_tell_all():
    rng = np.random.default_rng(9)
    for number in range(200):
        points = rng.uniform(-1, 1, (60, 2))
        if number % 4 == 0:
            points[:, 1] = 0.25  # all on a line
        known = np.column_stack([np.ones(60), points]) * rng.uniform(0.1, 1, 60)[:, None]
        matrix, right = known.T @ known, known.T @ rng.normal(size=60)
        expected = np.linalg.lstsq(matrix, right, rcond=None)[0]
        np.testing.assert_allclose(rule._solved(matrix, right), expected, rtol=1e-9, atol=1e-11)
