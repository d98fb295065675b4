"""Changes of brightness and sharpness against arithmetic and independent libraries."""

import io
import json
from importlib.resources import files

import numpy as np
import pytest
from PIL import Image

from synnodtest import Nodule, Perturbation, Radiograph, Scene, SynthesizerError
from synnodtest.perturbations import check_perturbation, map_point, perturb, perturbation_kinds
from synnodtest.synthesizers import GaussianSynthesizer

SHAPE = (96, 80)


@pytest.fixture(scope="module")
def original():
    rng = np.random.default_rng(11)
    rows, columns = np.indices(SHAPE)
    pixels = (0.5 + 0.3 * np.sin(rows / 9) * np.cos(columns / 7) + 0.05 * rng.standard_normal(SHAPE)).clip(0, 1)
    untouched = Radiograph(
        pixels=pixels.astype(np.float32), spacing_mm=(0.7, 0.7), regions={"lung": np.ones(SHAPE, dtype=bool)}
    )
    return GaussianSynthesizer().synthesize([Scene("b", (Nodule(12, (30, 30)),))], [untouched])[0]


def change(radiograph, kind, value, seed=0):
    return perturb(radiograph, (Perturbation(kind, value),), seed)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("gamma", 1.4),
        ("brightness", 0.1),
        ("contrast", 0.6),
        ("noise", 0.02),
        ("blur", 2),
        ("jpeg", 40),
        ("downsample", 3),
    ],
)
def test_only_pixels_change_and_stay_float32_within_0_and_1(original, kind, value):
    changed = change(original, kind, value)
    assert changed.pixels.dtype == np.float32
    assert changed.shape == SHAPE
    assert changed.pixels.min() >= 0
    assert changed.pixels.max() <= 1
    assert not np.array_equal(changed.pixels, original.pixels)
    assert changed.nodules == original.nodules
    assert changed.regions is original.regions
    assert map_point((Perturbation(kind, value),), (3.0, 4.0), SHAPE) == (3.0, 4.0)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("gamma", 1), ("brightness", 0), ("contrast", 1), ("noise", 0), ("blur", 0), ("downsample", 1)],
)
def test_a_neutral_value_returns_the_radiograph_itself(original, kind, value):
    assert change(original, kind, value) is original


def test_gamma_brightness_and_contrast_are_what_they_say(original):
    p = original.pixels.astype(float)
    np.testing.assert_allclose(change(original, "gamma", 1.4).pixels, p**1.4, atol=1e-6)
    np.testing.assert_allclose(change(original, "brightness", -0.2).pixels, (p - 0.2).clip(0, 1), atol=1e-6)
    expected = (p.mean() + 1.5 * (p - p.mean())).clip(0, 1)
    np.testing.assert_allclose(change(original, "contrast", 1.5).pixels, expected, atol=1e-6)


def test_noise_has_the_asked_for_spread_and_the_scenes_seed():
    flat = Radiograph(pixels=np.full((400, 400), 0.5, np.float32), spacing_mm=(1, 1))
    noisy = change(flat, "noise", 0.05, seed=3)
    assert (noisy.pixels - 0.5).std() == pytest.approx(0.05, rel=0.02)
    assert (noisy.pixels - 0.5).mean() == pytest.approx(0, abs=1e-3)
    np.testing.assert_array_equal(noisy.pixels, change(flat, "noise", 0.05, seed=3).pixels)
    assert not np.array_equal(noisy.pixels, change(flat, "noise", 0.05, seed=4).pixels)
    twice = perturb(flat, (Perturbation("noise", 0.05),) * 2, seed=3).pixels - 0.5
    assert twice.std() == pytest.approx(0.05 * np.sqrt(2), rel=0.02)


def test_blur_is_a_gaussian_of_that_many_pixels():
    dot = np.zeros((81, 81), np.float32)
    dot[40, 40] = 1
    blurred = change(Radiograph(pixels=dot, spacing_mm=(1, 1)), "blur", 4).pixels.astype(float)
    rows = np.arange(81) - 40
    assert (blurred.sum(axis=1) * rows**2).sum() == pytest.approx(16, rel=0.02)
    assert blurred[40, 40] == pytest.approx(1 / (2 * np.pi * 16), rel=0.02)


def test_jpeg_is_pillows_and_deterministic(original):
    buffer = io.BytesIO()
    Image.fromarray(np.rint(original.pixels * 255).astype(np.uint8)).save(buffer, "JPEG", quality=30)
    expected = np.asarray(Image.open(buffer)) / 255
    first, second = change(original, "jpeg", 30), change(original, "jpeg", 30)
    np.testing.assert_allclose(first.pixels, expected, atol=1e-6)
    assert first.content_sha256() == second.content_sha256()
    worse = np.abs(change(original, "jpeg", 10).pixels - original.pixels).mean()
    better = np.abs(change(original, "jpeg", 95).pixels - original.pixels).mean()
    assert better < worse


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_downsample_averages_blocks_and_interpolates_between_their_centres(original, factor):
    p = original.pixels.astype(float)
    blocks = p.reshape(SHAPE[0] // factor, factor, SHAPE[1] // factor, factor).mean(axis=(1, 3))
    row_at = np.clip((np.arange(SHAPE[0]) + 0.5) / factor - 0.5, 0, blocks.shape[0] - 1)
    column_at = np.clip((np.arange(SHAPE[1]) + 0.5) / factor - 0.5, 0, blocks.shape[1] - 1)
    along_rows = np.array([np.interp(row_at, np.arange(blocks.shape[0]), column) for column in blocks.T]).T
    expected = np.array([np.interp(column_at, np.arange(blocks.shape[1]), row) for row in along_rows])
    np.testing.assert_allclose(change(original, "downsample", factor).pixels, expected, atol=1e-5)


@pytest.mark.parametrize("factor", [1.7, 3.3, 64])
def test_downsample_by_any_factor_keeps_a_flat_radiograph_flat(factor):
    flat = Radiograph(pixels=np.full((50, 37), 0.4, np.float32), spacing_mm=(1, 1))
    np.testing.assert_allclose(change(flat, "downsample", factor).pixels, 0.4, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("rotate", 5, "'rotate' is not known"),
        ("flip", False, "'horizontal' \\(or true\\) or 'vertical', not False"),
        ("flip", "sideways", "not 'sideways'"),
        ("shift_px", 3, r"two numbers \[x, y\], not 3"),
        ("shift_px", [1, 2, 3], "two numbers"),
        ("shift_px", "12", "two numbers"),
        ("shift_px", [1, float("nan")], "two numbers"),
        ("shift_px", [True, 1], "two numbers"),
        ("rotate_deg", 181, "a number from -180 to 180, not 181"),
        ("rotate_deg", float("inf"), "a number from -180 to 180"),
        ("scale", 0, "above 0 to 10"),
        ("gamma", -1, "above 0 to 10"),
        ("brightness", 1.5, "-1 to 1"),
        ("contrast", 0, "above 0 to 10"),
        ("noise", -0.1, "0 to 1"),
        ("noise", True, "0 to 1"),
        ("blur", "2", "0 to 100"),
        ("jpeg", 0, "1 to 100"),
        ("jpeg", None, "1 to 100"),
        ("downsample", 0.5, "1 to 64"),
    ],
)
def test_an_impossible_value_is_an_error_that_says_what_is_possible(original, kind, value, message):
    with pytest.raises(SynthesizerError, match=message):
        change(original, kind, value)
    with pytest.raises(SynthesizerError, match=message):
        map_point((Perturbation(kind, value),), (0.0, 0.0), SHAPE)


@pytest.mark.parametrize("value", [[80, 0], [0, -96], [1e30, 0]])
def test_a_shift_by_the_whole_radiograph_is_an_error(original, value):
    with pytest.raises(SynthesizerError, match="less than the radiograph's 80 x 96 pixels"):
        change(original, "shift_px", value)


def test_the_ranges_are_those_of_the_spec_schema():
    schema = json.loads(files("synnodtest.spec").joinpath("schema.json").read_text())
    assert set(schema["$defs"]["perturbation"]["properties"]) == set(perturbation_kinds())
    spans = {name: kind.span for name, kind in perturbation_kinds().items() if kind.span is not None}
    for kind, limits in spans.items():
        amount = schema["$defs"][f"amount_{kind}"]["anyOf"][0]
        assert amount["maximum"] == limits.high
        assert amount["exclusiveMinimum" if limits.open_below else "minimum"] == limits.low


OTHERS = {"flip": True, "shift_px": [1, 2]}
"""A value of each kind whose values are neither numbers nor words."""


def values_of(kind):
    return kind.span.limits if kind.span else kind.schema.get("enum") or [OTHERS[kind.name]]


def test_every_kind_has_a_value_that_passes():
    for name, kind in perturbation_kinds().items():
        for value in values_of(kind):
            check_perturbation(Perturbation(name, value))


@pytest.mark.parametrize("kind", perturbation_kinds().values(), ids=lambda kind: kind.name)
def test_every_kind_changes_the_radiograph_and_leaves_the_one_it_is_given_as_it_is(original, kind):
    """An arm whose perturbation does nothing would pass as robust, and so would one that spoilt its reference."""
    before, values = original.pixels.copy(), values_of(kind)
    if kind.span is not None:  # a step off the value that changes least, as no radiograph bears all
        far = max(values, key=lambda value: abs(value - kind.easiest))
        values = [kind.easiest + 0.05 * (far - kind.easiest)]
    for value in values:
        after = change(original, kind.name, value)
        assert not np.array_equal(after.pixels, before)
        assert np.isfinite(after.pixels).all()
        assert after.pixels.shape == SHAPE
        np.testing.assert_array_equal(original.pixels, before)
