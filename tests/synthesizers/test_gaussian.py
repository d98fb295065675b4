"""The Gaussian baseline against geometry worked out by hand."""

import math

import numpy as np
import pytest

from synnodtest import Nodule, Radiograph, Scene, SynthesizerError
from synnodtest.geometry import disc_mask
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import lung_range
from synnodtest.synthesizers import GaussianSynthesizer

SHAPE = (220, 180)
SPACINGS = [(1.0, 1.0), (0.35, 0.35), (0.8, 1.3)]


def background(spacing=(1.0, 1.0), *, level=0.3, noise=0.02, shape=SHAPE):
    rng = np.random.default_rng(7)
    ramp = np.linspace(-0.1, 0.1, shape[1])[None, :]
    pixels = (level + ramp + noise * rng.standard_normal(shape)).clip(0, 1).astype(np.float32)
    lung = np.zeros(shape, dtype=bool)
    lung[20:-20, 20:-20] = True
    return Radiograph(pixels=pixels, spacing_mm=spacing, regions={"lung": lung}, background="b")


def plant(radiograph, *nodules, sham=False, seed=0):
    scene = Scene(background="b", nodules=nodules, seed=seed, sham=sham)
    return GaussianSynthesizer().synthesize([scene], [radiograph])[0]


def centre_of(radiograph):
    return radiograph.shape[1] * radiograph.spacing_mm[1] / 2, radiograph.shape[0] * radiograph.spacing_mm[0] / 2


def test_it_answers_to_the_port():
    synthesizer = GaussianSynthesizer()
    assert isinstance(synthesizer, Synthesizer)
    assert synthesizer.sham_is_identity
    assert synthesizer.identity.name == "gaussian"
    assert synthesizer.identity.key() != GaussianSynthesizer(edge=0.5).identity.key()


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("diameter_mm", [8.0, 14.0, 40.0])
def test_realised_diameter_is_the_requested_one_within_a_pixel(spacing, diameter_mm):
    untouched = background(spacing)
    result = plant(untouched, Nodule(diameter_mm, centre_of(untouched)))
    truth = result.nodules[0]
    assert truth.diameter_mm == pytest.approx(diameter_mm, abs=max(spacing))
    pixels = truth.mask(SHAPE).sum() * spacing[0] * spacing[1]
    assert truth.diameter_mm == pytest.approx(2 * math.sqrt(pixels / math.pi))


@pytest.mark.parametrize("spacing", SPACINGS)
def test_the_mask_is_a_circle_in_millimetres_at_the_requested_place(spacing):
    untouched = background(spacing)
    x, y = centre_of(untouched)
    nodule = Nodule(20.0, (x + 3.3, y - 7.1))
    truth = plant(untouched, nodule).nodules[0]
    np.testing.assert_array_equal(truth.mask(SHAPE), disc_mask(SHAPE, nodule.centre_mm, 20.0, spacing))
    x_min, y_min, x_max, y_max = truth.box
    assert (x_max - x_min) * spacing[1] == pytest.approx(20.0, abs=2 * spacing[1])
    assert (y_max - y_min) * spacing[0] == pytest.approx(20.0, abs=2 * spacing[0])


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("contrast", [0.1, 0.4, 1.0])
def test_realised_contrast_is_exactly_the_requested_one(spacing, contrast):
    untouched = background(spacing)
    result = plant(untouched, Nodule(12.0, centre_of(untouched), contrast=contrast))
    mask = result.nodules[0].mask(SHAPE)
    added = (result.pixels.astype(float) - untouched.pixels)[mask].mean() / lung_range(untouched)
    assert added == pytest.approx(contrast, rel=1e-5)
    assert result.nodules[0].contrast == pytest.approx(contrast, rel=1e-5)


def test_clipping_at_white_lowers_the_measured_contrast():
    untouched = background(level=0.88, noise=0.01)
    result = plant(untouched, Nodule(20.0, centre_of(untouched), contrast=1.0))
    mask = result.nodules[0].mask(SHAPE)
    added = (result.pixels.astype(float) - untouched.pixels)[mask].mean() / lung_range(untouched)
    assert result.pixels.max() <= 1.0
    assert result.nodules[0].contrast == pytest.approx(added, rel=1e-6)
    assert result.nodules[0].contrast < 0.95


@pytest.mark.parametrize("spacing", SPACINGS)
def test_pixels_beyond_the_edge_are_bit_identical(spacing):
    untouched = background(spacing)
    result = plant(untouched, Nodule(16.0, centre_of(untouched), contrast=0.5))
    support = disc_mask(SHAPE, centre_of(untouched), 16.0 * 1.35, spacing)
    assert result.pixels.dtype == np.float32
    np.testing.assert_array_equal(result.pixels[~support], untouched.pixels[~support])
    assert (result.pixels[support] >= untouched.pixels[support]).all()


def test_the_profile_falls_from_the_centre_and_is_half_at_the_radius():
    flat = np.full((400, 400), 0.25, np.float32)
    flat[:10] = 0.75
    lung = np.zeros_like(flat, dtype=bool)
    lung[:20] = True
    untouched = Radiograph(pixels=flat, spacing_mm=(0.1, 0.1), regions={"lung": lung})
    added = plant(untouched, Nodule(20.0, (20.05, 20.05))).pixels[200, 200:] - 0.25
    profile = added / added[0]
    assert (np.diff(profile) <= 0).all()
    assert profile[100] == pytest.approx(0.5, abs=0.02)
    assert profile[60] == pytest.approx(1.0, abs=1e-3)
    assert profile[140] == 0.0


def test_the_background_is_left_alone():
    untouched = background()
    before = untouched.pixels.copy()
    plant(untouched, Nodule(16.0, centre_of(untouched)))
    np.testing.assert_array_equal(untouched.pixels, before)
    assert untouched.nodules == ()


def test_overlapping_nodules_add_up_and_keep_their_own_contrast():
    untouched = background()
    x, y = centre_of(untouched)
    first, second = Nodule(16.0, (x, y), 0.2, name="a"), Nodule(16.0, (x + 6, y), 0.3, name="b")
    both = plant(untouched, first, second)
    alone = [plant(untouched, nodule) for nodule in (first, second)]
    np.testing.assert_allclose(
        both.pixels - untouched.pixels, sum(one.pixels - untouched.pixels for one in alone), atol=5e-3
    )
    assert [truth.contrast for truth in both.nodules] == pytest.approx([0.2, 0.3], rel=1e-4)
    assert [truth.name for truth in both.nodules] == ["a", "b"]


def test_at_the_border_the_mask_is_cut_and_the_realised_diameter_smaller():
    untouched = background()
    truth = plant(untouched, Nodule(20.0, (0.0, 100.0), 0.3)).nodules[0]
    assert truth.box[0] == 0
    assert truth.diameter_mm == pytest.approx(20.0 / math.sqrt(2), rel=0.05)
    assert truth.contrast == pytest.approx(0.3, rel=1e-5)


@pytest.mark.parametrize("centre", [(-40.0, 50.0), (50.0, 900.0), (1e9, 50.0), (-10.5, 50.0)])
def test_a_nodule_wholly_outside_is_an_error_that_says_where(centre):
    with pytest.raises(SynthesizerError, match=r"covers no pixel of background 'b', which is 180\.0 x 220\.0 mm"):
        plant(background(), Nodule(20.0, centre))


@pytest.mark.parametrize(
    ("nodule", "message"),
    [
        (Nodule(0.0, (50, 50)), "diameter_mm must be above 0"),
        (Nodule(math.nan, (50, 50)), "diameter_mm must be above 0"),
        (Nodule(8.0, (50, 50), contrast=-0.1), "contrast must be 0 or more"),
        (Nodule(8.0, (50, 50), contrast=math.inf), "contrast must be 0 or more"),
        (Nodule(8.0, (math.nan, 50)), "centre_mm must be finite"),
        (Nodule(0.2, (50, 50)), "larger than one pixel"),
        (Nodule(8.0, (50, 50), radiomics={"Sphericity": 0.5}), r"radiomics features \(Sphericity\)"),
    ],
)
def test_what_it_cannot_make_is_an_error(nodule, message):
    with pytest.raises(SynthesizerError, match=message):
        plant(background(), nodule)


def test_a_sham_scene_keeps_every_pixel_and_marks_the_place():
    untouched = background()
    sham = plant(untouched, Nodule(20.0, centre_of(untouched)), sham=True)
    np.testing.assert_array_equal(sham.pixels, untouched.pixels)
    assert sham.nodules[0].contrast == 0.0
    assert sham.nodules[0].crop.sum() > 300


def test_the_truth_remembers_the_request():
    untouched = background()
    truth = plant(untouched, Nodule(20.0, (60.0, 70.0), 0.4)).nodules[0]
    asked = {"diameter_mm": 20.0, "contrast": 0.4, "centre_mm": [60.0, 70.0], "radiomics": {}}
    assert truth.requested.items() >= asked.items()
    assert {"knee", "lung_range", "weakening", "white_share"} == truth.requested.keys() - asked.keys()


def test_a_batch_equals_its_scenes_one_by_one_whatever_the_seed():
    untouched = background()
    scenes = [Scene("b", (Nodule(d, (60.0, 70.0)),), seed=int(d)) for d in (6.0, 9.0, 12.0)]
    batch = GaussianSynthesizer().synthesize(scenes, [untouched] * 3)
    for scene, together in zip(scenes, batch, strict=True):
        alone = plant(untouched, *scene.nodules, seed=99)
        assert alone.content_sha256() == together.content_sha256()


def test_a_scene_without_nodules_is_the_background():
    untouched = background()
    assert plant(untouched).content_sha256() == untouched.content_sha256()


def test_unequal_lists_and_impossible_edges_are_errors():
    with pytest.raises(SynthesizerError, match="1 scenes but 0 backgrounds"):
        GaussianSynthesizer().synthesize([Scene("b")], [])
    with pytest.raises(SynthesizerError, match="edge must be above 0"):
        GaussianSynthesizer(edge=0)
