"""Acquisition against physics: phantoms, whose exposure is known, and arithmetic."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from synnodtest import Perturbation, Radiograph, SynthesizerError
from synnodtest.attenuation.beam import beam_of, smoothed
from synnodtest.perturbations import map_point, perturb
from synnodtest.phantom import PhantomNodule, PhantomSet, expose, project, sample_anatomy
from synnodtest.radiograph import Truth

ROOT = Path(__file__).parents[2]
DOSES = (1.0, 0.5, 0.25, 0.1)


@pytest.fixture(scope="module")
def projection():
    return project(sample_anatomy(seed=7), size=512)


@pytest.fixture(scope="module")
def film(projection):
    return expose(projection)


def change(radiograph, kind, value, seed=0):
    return perturb(radiograph, (Perturbation(kind, value),), seed)


def deep_in_the_lung(radiograph):
    return ndimage.binary_erosion(radiograph.regions["lung"], iterations=12)


def test_the_exposure_of_a_phantom_is_found_from_its_pixels(projection, film):
    beam = beam_of(film)
    assert beam.known
    quanta = beam.quanta
    counted = projection.intensity * quanta
    where = deep_in_the_lung(film)
    wrong = (beam.intensity * quanta - counted)[where] / np.sqrt(counted[where])
    assert abs(wrong.mean()) < 0.2, "in standard deviations of one pixel's quanta"
    assert wrong.std() == pytest.approx(1, abs=0.05), "what is left is the film's own quantum noise"
    np.testing.assert_allclose(beam.show(beam.intensity), film.pixels, atol=1e-6)


def test_noise_power_and_detectability_follow_the_exposure(projection):
    """Rose: noise power goes with 1 / exposure, the signal-to-noise ratio of a detail with its square root."""
    found = benchmark("dose_sweep").measure(projection, DOSES, exposures=2)
    power, detectability = np.array([[one.noise_power, one.detectability] for one in found]).T
    np.testing.assert_allclose(power / power[0], 1 / np.array(DOSES), rtol=0.05)
    np.testing.assert_allclose(detectability / detectability[0], np.sqrt(DOSES), rtol=0.05)


def benchmark(name):
    """Return a script of ``benchmarks/`` as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "benchmarks" / f"{name}.py")
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_lower_dose_is_the_phantom_exposed_with_fewer_quanta(projection, film, monkeypatch):
    import synnodtest.phantom.exposure as phantom

    where = deep_in_the_lung(film)
    simulated = change(film, "dose", 0.2).pixels[where].astype(float) - film.pixels[where]
    monkeypatch.setattr(phantom, "QUANTA_PER_MM2", phantom.QUANTA_PER_MM2 * 0.2)
    fewer = phantom.expose(projection, noise_seed=1)
    exact = fewer.pixels[where].astype(float) - film.pixels[where]
    assert np.sqrt(simulated.var() / 0.8) == pytest.approx(np.sqrt(exact.var() / 1.2), rel=0.05)


def test_scatter_dilutes_a_detail_as_arithmetic_says(projection):
    plain = expose(projection)
    beam = beam_of(plain)
    around = smoothed(beam.intensity, 28.0, plain.spacing_mm)
    darker = beam.intensity.copy()
    spot = np.zeros(plain.shape, dtype=bool)
    spot[250:256, 140:146] = True
    darker[spot] *= 0.97
    faint = plain.with_pixels(beam.show(darker))
    with_grid = np.log(beam_of(faint).intensity[spot] / beam.intensity[spot])
    scattered = [beam_of(change(r, "scatter", 0.8, seed=3)).intensity[spot] for r in (faint, plain)]
    without = np.log(scattered[0] / scattered[1])
    share = (beam.intensity / (beam.intensity + 0.8 * around))[spot]
    assert without.mean() == pytest.approx((with_grid * share).mean(), rel=0.05)
    lung = plain.regions["lung"]
    assert np.median(change(plain, "scatter", 0.8).pixels[lung]) == pytest.approx(
        np.median(plain.pixels[lung]), abs=0.02
    )


@pytest.mark.parametrize("width_mm", [1.5, 3.0])
def test_focus_has_the_mtf_that_it_states_and_leaves_the_noise_white(width_mm):
    pixels = np.full((256, 256), 0.5, dtype=np.float32)
    lung = np.ones(pixels.shape, dtype=bool)
    lung[:, :40] = False
    edge = pixels + np.float32(0.01) * (np.arange(256) >= 128)
    ramp = np.linspace(-0.2, 0.2, 256, dtype=np.float32)[:, None]
    film = Radiograph(pixels=(edge + ramp).astype(np.float32), spacing_mm=(0.5, 0.5), regions={"lung": lung})
    intensity = np.mean([beam_of(change(film, "focus", width_mm, seed)).intensity for seed in range(40)], axis=0)
    spread = -np.diff(np.log(intensity).mean(axis=0))[98:157]
    transferred = np.abs(np.fft.rfft(spread))
    frequency = np.fft.rfftfreq(spread.size, 0.5)
    stated = np.exp(-((np.pi * width_mm * frequency) ** 2) / (4 * np.log(2)))
    low = stated > 0.3
    np.testing.assert_allclose(transferred[low] / transferred[0], stated[low], atol=0.06)


def test_focus_keeps_the_quantum_noise_of_a_phantom(projection):
    pair = [change(expose(projection, noise_seed=n), "focus", 1.5, seed=n) for n in (1, 2)]
    before = [expose(projection, noise_seed=n) for n in (1, 2)]
    where = deep_in_the_lung(before[0])
    left, kept = (np.std((a.pixels.astype(float) - b.pixels)[where]) for a, b in (pair, before))
    assert left == pytest.approx(kept, rel=0.05)


def test_vendors_curves_keep_order_and_the_lungs_median(film):
    lung = film.regions["lung"]
    for look, slope in (("wide-latitude", 0.7), ("high-contrast", 1.4)):
        changed = change(film, "processing", look).pixels.astype(float)
        order = np.argsort(film.pixels, axis=None)
        assert (np.diff(changed.ravel()[order]) >= -1e-6).all()
        centre = np.median(film.pixels[lung])
        assert np.median(changed[lung]) == pytest.approx(centre, abs=1e-3)
        near = lung & (np.abs(film.pixels - centre) < 0.03)
        found = np.polyfit(film.pixels[near].astype(float) - centre, changed[near] - centre, 1)[0]
        assert found == pytest.approx(slope, rel=0.03)


def test_edge_enhancement_amplifies_what_is_fine_and_leaves_what_is_coarse():
    x = np.arange(512) * 0.5
    for period_mm, gain in ((4.0, 0.7), (60.0, 0.7)):
        wave = np.tile(0.5 + 0.02 * np.sin(2 * np.pi * x / period_mm), (128, 1)).astype(np.float32)
        film = Radiograph(pixels=wave, spacing_mm=(0.5, 0.5))
        taken = 1 - np.exp(-2 * (np.pi * 1.5 / period_mm) ** 2)
        inner = (slice(40, 88), slice(100, 412))
        found = np.ptp(change(film, "processing", "edge-enhanced").pixels[inner]) / np.ptp(wave[inner])
        assert found == pytest.approx(1 + gain * taken, rel=0.03)


def test_multi_scale_processing_raises_the_faint_over_the_strong(projection, film):
    faint, strong = (expose(projection, [PhantomNodule(12, (110, 130), density=d)]) for d in (0.5, 3.0))

    def gain(planted):
        mask = planted.nodules[0].mask(film.shape)
        after = [change(r, "processing", "multi-scale").pixels.astype(float) for r in (planted, film)]
        before = (planted.pixels.astype(float) - film.pixels)[mask].mean()
        return (after[0] - after[1])[mask].mean() / before

    assert gain(faint) > 1.1 * gain(strong)


def test_the_shutter_cuts_pixels_regions_and_truth():
    crop = np.ones((10, 10), dtype=bool)
    truths = tuple(
        Truth(name, crop, origin, 10.0, 0.1) for name, origin in (("in", (40, 40)), ("half", (15, 40)), ("out", (2, 2)))
    )
    lung = np.ones((100, 100), dtype=bool)
    film = Radiograph(np.full((100, 100), 0.5, np.float32), (1.0, 2.0), {"lung": lung}, nodules=truths)
    cut = change(film, "collimation", 20)
    expected = np.zeros((100, 100), dtype=bool)
    expected[20:80, 10:90] = True
    np.testing.assert_array_equal(cut.pixels > 0, expected)
    np.testing.assert_array_equal(cut.regions["lung"], expected)
    assert [truth.name for truth in cut.nodules] == ["in", "half"]
    assert cut.nodules[0] is truths[0]
    assert cut.nodules[1].crop.sum() == 50
    assert cut.nodules[1].diameter_mm == pytest.approx(2 * np.sqrt(50 * 2 / np.pi))
    with pytest.raises(SynthesizerError, match="50 mm a side leave nothing of 100 x 200 mm"):
        change(film, "collimation", 50)


@pytest.mark.parametrize(("word", "side"), [("L", "right"), ("R", "left"), ("PORTABLE", "left")])
def test_a_marker_lies_on_its_side_and_off_lung_and_nodules(film, word, side):
    marked = change(film, "marker", word)
    rows, columns = np.nonzero(marked.pixels != film.pixels)
    assert marked.pixels[rows, columns].min() == pytest.approx(0.97)
    width = film.shape[1]
    assert (columns.min() > 0.6 * width) if side == "right" else (columns.max() < 0.4 * width)
    height_mm = np.ptp(rows) * film.spacing_mm[0]
    assert height_mm == pytest.approx(12 if len(word) < 3 else 6, abs=1.5)
    assert not film.regions["lung"][rows, columns].any()


def test_a_marker_keeps_off_a_nodule_in_its_corner(film):
    first = np.argwhere(change(film, "marker", "L").pixels != film.pixels)
    low, high = first.min(axis=0), first.max(axis=0) + 1
    truth = Truth("index", np.ones(high - low, dtype=bool), (int(low[0]), int(low[1])), 10.0, 0.1)
    beset = film.with_pixels(film.pixels, (truth,))
    changed = change(beset, "marker", "L").pixels != film.pixels
    assert changed.any()
    assert not (changed & truth.mask(film.shape)).any()


@pytest.mark.parametrize(
    ("kind", "value"),
    [("dose", 0.2), ("scatter", 1), ("focus", 1), ("processing", "multi-scale"), ("collimation", 5), ("marker", "R")],
)
def test_every_kind_works_on_a_film_without_regions_and_is_the_same_again(kind, value):
    rng = np.random.default_rng(1)
    film = Radiograph(pixels=rng.uniform(0, 1, (90, 70)).astype(np.float32), spacing_mm=(1.0, 0.8))
    changed = change(film, kind, value, seed=5)
    assert changed.pixels.dtype == np.float32
    assert np.isfinite(changed.pixels).all()
    assert 0 <= changed.pixels.min() <= changed.pixels.max() <= 1
    np.testing.assert_array_equal(change(film, kind, value, seed=5).pixels, changed.pixels)
    assert map_point((Perturbation(kind, value),), (3.0, 4.0), film.shape) == (3.0, 4.0)


@pytest.mark.parametrize(("kind", "value"), [("dose", 1), ("scatter", 0), ("focus", 0), ("collimation", 0)])
def test_a_neutral_value_returns_the_film_itself(film, kind, value):
    assert change(film, kind, value) is film


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("dose", 0, "0.02 to 1"),
        ("dose", 2, "0.02 to 1"),
        ("processing", "sharp", "one of wide-latitude"),
        ("processing", 3, "one of wide-latitude"),
        ("marker", "X", "one of L, R"),
    ],
)
def test_an_impossible_value_says_what_is_possible(film, kind, value, message):
    with pytest.raises(SynthesizerError, match=message):
        change(film, kind, value)


def test_a_stored_phantom_knows_its_exposure_also_in_a_store_of_an_earlier_version(tmp_path):
    fresh = PhantomSet("normal", 1, size=128)
    made = fresh.load(fresh.backgrounds[0])
    kept = PhantomSet("normal", 1, size=128, cache=tmp_path)
    assert kept.load(kept.backgrounds[0]).exposure == made.exposure
    for file in (tmp_path / "v1" / "exposures").rglob("*"):
        if file.is_file():
            file.unlink()
    assert kept.load(kept.backgrounds[0]).exposure == made.exposure is not None
