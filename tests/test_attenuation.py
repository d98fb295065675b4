"""Density to contrast, against the phantom's own projection and brute force; the bend of the display."""

import numpy as np
import pytest

from synnodtest.attenuation import Display, annotated_contrast, contrast_of, white_share
from synnodtest.attenuation.rule import ANNOTATED_SPREAD, annotated_density, density_of, thickness_mm
from synnodtest.phantom import PhantomNodule, expose, project, sample_anatomy
from synnodtest.radiograph import Radiograph


def film(seed=0, size=128):
    rng = np.random.default_rng(seed)
    pixels = np.clip(np.linspace(0.1, 0.9, size)[None, :] + rng.normal(0, 0.01, (size, size)), 0, 1)
    lung = np.zeros((size, size), bool)
    lung[:, : size * 3 // 4] = True
    return Radiograph(pixels.astype(np.float32), (1.0, 1.0), regions={"lung": lung})


def test_the_thickness_is_that_of_a_ball():
    points = np.random.default_rng(0).uniform(-1, 1, (400_000, 2))
    inside = points[(points**2).sum(axis=1) <= 1]
    chord = 2 * np.sqrt(1 - (inside**2).sum(axis=1)) * 6.0
    assert thickness_mm(12.0) == pytest.approx(chord.mean(), rel=0.01)


def test_density_and_contrast_invert_each_other_and_rise():
    for diameter in (4.0, 11.0, 30.0):
        assert density_of(contrast_of(1.3, diameter), diameter) == pytest.approx(1.3)
        assert contrast_of(0.5, diameter) < contrast_of(1.0, diameter) < contrast_of(1.6, diameter)
    assert contrast_of(1.0, 20.0) == pytest.approx(2 * contrast_of(1.0, 10.0))
    assert contrast_of(0.1, 10.0) == 0.0


def test_a_solid_ball_on_a_phantom_adds_what_the_rule_says():
    """The phantom projects the ball by its own Beer-Lambert line integrals, scatter and display."""
    found, ruled = [], []
    for seed in (0, 3):
        projection = project(sample_anatomy(seed), 320)
        plain = expose(projection)
        display = Display.of(plain)
        rows, columns = np.nonzero(plain.regions["lung"])
        rng = np.random.default_rng(seed)
        for k in rng.integers(0, rows.size, 25):
            centre = (columns[k] * plain.spacing_mm[1], rows[k] * plain.spacing_mm[0])
            truth = expose(projection, [PhantomNodule(14.0, centre, seed=int(k))]).nodules[0]
            if truth.diameter_mm > 13:
                found.append(truth.contrast)
                ruled.append(contrast_of(1.0, 14.0) * display.weakening(plain, centre, 14.0))
    assert np.median(ruled) == pytest.approx(np.median(found), rel=0.25)
    assert np.corrcoef(found, ruled)[0, 1] > 0.6


def test_the_default_is_faint_and_scatters_by_its_documented_share():
    for diameter in (6.0, 14.0, 30.0):
        median = contrast_of(annotated_density(diameter), diameter)
        assert median == pytest.approx(annotated_contrast(diameter))
        assert 0.03 < median < 0.17
        assert contrast_of(annotated_density(diameter, 1.0), diameter) / median == pytest.approx(
            np.exp(ANNOTATED_SPREAD)
        )


def test_the_bend_follows_its_slope_and_never_reaches_white():
    display = Display(unit=0.5, knee=0.6)
    level = np.linspace(0, 0.999, 400).astype(np.float32)
    small = display.add(level, np.ones_like(level), 1e-3) - level
    assert small == pytest.approx(1e-3 * display.slope(level), abs=2e-5)
    far = display.add(level, np.ones_like(level), 5.0)
    assert far.max() <= 1.0
    assert (np.diff(far) >= 0).all()
    halves = display.add(display.add(level, np.ones_like(level), 0.1), np.ones_like(level), 0.1)
    assert halves == pytest.approx(display.add(level, np.ones_like(level), 0.2), abs=1e-4)


def test_planting_gives_the_mean_asked_for_and_leaves_the_rest():
    radiograph = film()
    display = Display.of(radiograph)
    y, x = np.mgrid[:128, :128]
    away = np.hypot(y - 60, x - 90) / 12
    profile, mask = np.sqrt(np.clip(1 - away**2, 0, None)).astype(np.float32), away <= 1
    after = display.plant(radiograph.pixels, profile, mask, 0.06)
    assert (after - radiograph.pixels)[mask].mean() == pytest.approx(0.06, abs=1e-4)
    assert np.array_equal(after[profile == 0], radiograph.pixels[profile == 0])
    assert white_share(radiograph.pixels, after, mask) == 0.0


def test_what_white_leaves_no_room_for_is_limited_and_told():
    bright = Radiograph(np.full((64, 64), 0.95, np.float32), (1.0, 1.0))
    display = Display(unit=0.5, knee=0.6)
    mask = np.zeros((64, 64), bool)
    mask[20:40, 20:40] = True
    after = display.plant(bright.pixels, mask.astype(np.float32), mask, 0.3)
    assert (after <= 1).all()
    assert (after - bright.pixels)[mask].mean() < 0.05
    assert white_share(bright.pixels, after, mask) == 1.0
