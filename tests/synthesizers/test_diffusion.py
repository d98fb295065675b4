"""The diffusion synthesizer's contract, on a tiny untrained model."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.extras import installed

if not installed("diffusers"):
    pytest.skip("diffusers is not installed", allow_module_level=True)

import torch

from synnodtest.errors import SynthesizerError
from synnodtest.geometry import FloatArray
from synnodtest.ports import Synthesizer
from synnodtest.radiograph import Radiograph, lung_range
from synnodtest.scene import Nodule, Scene
from synnodtest.shipped import shipped_model
from synnodtest.synthesizers import diffusion, resolve_synthesizer
from synnodtest.synthesizers.diffusion import DiffusionSynthesizer
from synnodtest.synthesizers.diffusion.adhere import Variant
from synnodtest.synthesizers.diffusion.calibration import Calibration
from synnodtest.synthesizers.diffusion.compose import Place, fit
from synnodtest.synthesizers.diffusion.drawing import Drawing, Redrawn, initial_noise
from synnodtest.synthesizers.diffusion.segment import Region, segment
from synnodtest.synthesizers.patch import Patch
from synnodtest.synthesizers.window import Window
from synnodtest.training.calibrate import strength_of
from synnodtest.training.windows import PLAIN, TrainingWindows


def scene(*nodules: Nodule, seed: int = 1, sham: bool = False) -> Scene:
    return Scene("made-up", nodules, seed=seed, sham=sham)


def bump(diameter_px: float, row: float = 47.5, column: float = 47.5) -> FloatArray:
    """Return a rounded nodule (96, 96) that is 0 outside its diameter."""
    y, x = np.mgrid[:96, :96]
    away = np.hypot(y - row, x - column) / (diameter_px / 2)
    return np.sqrt(np.clip(1 - away**2, 0, None)).astype(np.float32)


@pytest.fixture
def drawing(tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny model with the untrained denoiser replaced by one that draws a bump off centre, 20% too large."""

    def draw(self, windows, masks, values, named, seeds, **_):  # type: ignore[no-untyped-def]
        rows = []
        for mask, seed in zip(masks[:, 0].numpy(), seeds, strict=True):
            wide = 2 * np.sqrt(mask.sum() / np.pi)
            rng = np.random.default_rng(seed)
            rows.append(0.5 * bump(0.7 * wide - 3, *(47.5 + rng.uniform(-1, 1, 2))) * mask)
        plain = windows * (1 - masks)
        return Redrawn(nodule=plain + torch.from_numpy(np.stack(rows)).float()[:, None], plain=plain)

    monkeypatch.setattr(Drawing, "__call__", draw)
    return tiny_model


def test_counterfactual_gives_the_size_contrast_and_place_asked_for(drawing: Path, radiograph: Radiograph) -> None:
    synthesizer = DiffusionSynthesizer(drawing, composition="counterfactual")
    assert isinstance(synthesizer, Synthesizer)
    nodules = [Nodule(d, (80 + d / 5, 76), c) for d in (5, 9, 16, 28, 38) for c in (0.1, 0.5)]
    made = synthesizer.synthesize([scene(nodule) for nodule in nodules], [radiograph] * len(nodules))
    for nodule, one in zip(nodules, made, strict=True):
        (truth,) = one.nodules
        mask = truth.mask(radiograph.shape)
        added = (one.pixels.astype(np.float64) - radiograph.pixels)[mask].mean() / lung_range(radiograph)
        y, x = np.nonzero(mask)
        assert truth.diameter_mm == pytest.approx(nodule.diameter_mm, rel=0.05)
        assert added == pytest.approx(nodule.contrast, rel=0.01)
        assert truth.contrast == pytest.approx(added, rel=1e-6)
        assert ((y + 0.5).mean() * 0.5, (x + 0.5).mean() * 0.4) == pytest.approx(
            (76, 80 + nodule.diameter_mm / 5), abs=0.5
        )


@pytest.mark.parametrize("composition", ["counterfactual", "inpaint"])
def test_pixels_outside_the_redrawn_square_are_bit_identical(
    drawing: Path, radiograph: Radiograph, composition: str
) -> None:
    synthesizer = DiffusionSynthesizer(drawing, composition=composition)
    for sham in (False, True):
        (made,) = synthesizer.synthesize([scene(Nodule(14, (70, 90), 0.4), sham=sham)], [radiograph])
        y, x = np.nonzero(made.pixels != radiograph.pixels)
        half = 1.5 * 7 / np.sqrt(0.5) + 2.75 * 0.7
        if sham and composition == "counterfactual":
            assert not y.size
            assert synthesizer.sham_is_identity
        else:
            assert np.abs((y + 0.5) * 0.5 - 90).max() <= half
            assert np.abs((x + 0.5) * 0.4 - 70).max() <= half
        assert made.pixels.min() >= 0
        assert made.pixels.max() <= 1


def test_nodules_at_the_corner_and_overlapping_nodules_are_planted(drawing: Path, radiograph: Radiograph) -> None:
    nodules = (Nodule(12, (0.3, 0.3)), Nodule(20, (80, 80)), Nodule(20, (88, 84)))
    for composition in ("counterfactual", "inpaint"):
        synthesizer = DiffusionSynthesizer(drawing, composition=composition)
        (made,) = synthesizer.synthesize([scene(*nodules)], [radiograph])
        assert [truth.crop.any() for truth in made.nodules] == [True] * 3
        assert (made.nodules[1].mask(radiograph.shape) & made.nodules[2].mask(radiograph.shape)).any()


def test_a_second_nodule_leaves_the_first_as_it_was(drawing: Path, radiograph: Radiograph) -> None:
    index = Nodule(12, (40, 80), 0.3, name="index")
    companion = Nodule(20, (100, 80), 0.3, name="companion")
    alone, both = DiffusionSynthesizer(drawing).synthesize([scene(index), scene(index, companion)], [radiograph] * 2)
    rows, columns = slice(120, 200), slice(60, 140)
    assert np.array_equal(alone.pixels[rows, columns], both.pixels[rows, columns])
    assert np.array_equal(alone.nodules[0].crop, both.nodules[0].crop)


def test_twins_of_one_seed_differ(drawing: Path, radiograph: Radiograph) -> None:
    (made,) = DiffusionSynthesizer(drawing).synthesize(
        [scene(Nodule(14, (50, 80)), Nodule(14, (110, 80)))], [radiograph]
    )
    assert made.nodules[0].requested["zoom"] != made.nodules[1].requested["zoom"]


def test_the_batch_does_not_matter_beyond_the_stated_tolerance(tiny_model: Path, radiograph: Radiograph) -> None:
    scenes = [scene(Nodule(10 + 3 * k, (60 + 5 * k, 80), 0.3), seed=k) for k in range(5)]
    options = {"composition": "inpaint", "steps": 2, "fitted": False}
    wide = DiffusionSynthesizer(tiny_model, batch_size=8, **options).synthesize(scenes, [radiograph] * 5)  # type: ignore[arg-type]
    narrow = DiffusionSynthesizer(tiny_model, batch_size=2, **options).synthesize(scenes[::-1], [radiograph] * 5)  # type: ignore[arg-type]
    for a, b in zip(wide, narrow[::-1], strict=True):
        assert np.abs(a.pixels - b.pixels).max() <= 1e-4


def test_the_shipped_model_gives_the_same_pixels_in_any_batch_and_order(radiograph: Radiograph) -> None:
    scenes = [scene(Nodule(6 + 5 * k, (50 + 12 * k, 80), 0.3), seed=k) for k in range(5)]
    wide = DiffusionSynthesizer(shipped_model("diffusion")).synthesize(scenes, [radiograph] * 5)
    one_by_one = DiffusionSynthesizer(shipped_model("diffusion"), batch_size=1)
    for k in (4, 1, 3, 0, 2):
        (alone,) = one_by_one.synthesize([scenes[k]], [radiograph])
        assert np.abs(alone.pixels - wide[k].pixels).max() <= 1e-4
        assert np.array_equal(alone.nodules[0].crop, wide[k].nodules[0].crop)


def test_inpainting_at_a_low_strength_leaves_the_coarse_structure(tiny_model: Path, radiograph: Radiograph) -> None:
    shifts = []
    for strength in (1.0, 0.3, 0.02):
        synthesizer = DiffusionSynthesizer(tiny_model, composition="inpaint", steps=4, strength=strength)
        (sham,) = synthesizer.synthesize([scene(Nodule(20, (80, 80)), sham=True)], [radiograph])
        change = sham.pixels - radiograph.pixels
        assert (change != 0).any()
        shifts.append(float(np.abs(change).max()))
    assert shifts[0] > shifts[1] > 3 * shifts[2]
    with pytest.raises(SynthesizerError, match="strength must lie above 0"):
        DiffusionSynthesizer(tiny_model, strength=0)


def test_the_nodule_under_inpaint_stands_on_the_sham_edit_of_its_scene(drawing: Path, radiograph: Radiograph) -> None:
    synthesizer, nodule = DiffusionSynthesizer(drawing, composition="inpaint", steps=2), Nodule(12, (80, 80), 0.3)
    with_nodule, sham = synthesizer.synthesize([scene(nodule), scene(nodule, sham=True)], [radiograph] * 2)
    added = (with_nodule.pixels - sham.pixels)[with_nodule.nodules[0].mask(radiograph.shape)].mean()
    assert added == pytest.approx(0.3 * lung_range(radiograph), rel=0.02)


def test_strength_is_the_largest_at_which_redrawing_shows_no_blob(tiny_model: Path) -> None:
    rng = np.random.default_rng(0)
    count = 12
    windows = TrainingWindows(
        base=rng.normal(0, 0.05, (count, 96, 96)).astype(np.float16),
        delta=np.zeros((count, 96, 96), np.float16),
        mask=np.zeros((count, 96, 96), bool),
        features=np.zeros((count, 69)),
        source=np.zeros((count, 2), int),
        kind=np.full(count, PLAIN, np.int8),
    )

    class Careless:
        """Redraws with a blob whose contrast is a fifth of the strength."""

        config = diffusion.NodulePipeline.from_pretrained(tiny_model).config

        def redraw(self, windows, masks, seeds, *, strength, **_):  # type: ignore[no-untyped-def]
            return windows + 0.2 * strength * masks

    # a disc of 1.5 diameters, smoothed by a quarter of one, keeps nearly all of its height
    assert strength_of(Careless(), windows, Calibration(), diameters_mm=(20.0,)) == 0.1  # type: ignore[arg-type]


def test_noise_of_a_row_depends_on_its_seed_alone() -> None:
    many = initial_noise([5, 6, 7], (2, 3))
    assert torch.equal(initial_noise([6], (2, 3))[0], many[1])
    assert not torch.equal(many[0], many[1])


def test_a_pipeline_comes_back_from_its_folder_as_it_was(tiny_model: Path, tmp_path: Path) -> None:
    pipeline = diffusion.NodulePipeline.from_pretrained(tiny_model)
    pipeline.save_pretrained(tmp_path, safe_serialization=True)
    again = diffusion.NodulePipeline.from_pretrained(tmp_path)
    assert not list(tmp_path.rglob("*.bin"))
    assert all(torch.equal(a, b) for a, b in zip(pipeline.unet.parameters(), again.unet.parameters(), strict=True))
    assert not again.unet.training
    assert not again.tabular_encoder.training
    assert again.unet.config.in_channels == 2 * again.vae.config.latent_channels + 1


def test_identity_follows_the_weights_and_whatever_changes_pixels(tiny_model: Path, tmp_path: Path) -> None:
    base = DiffusionSynthesizer(tiny_model)
    assert base.identity == DiffusionSynthesizer(tiny_model, batch_size=3).identity
    for change in ({"steps": 3}, {"sampler": "ddim"}, {"guidance": 2.0}, {"composition": "inpaint"}):
        assert DiffusionSynthesizer(tiny_model, **change).identity != base.identity  # type: ignore[arg-type]
    pipeline = diffusion.NodulePipeline.from_pretrained(tiny_model)
    with torch.no_grad():
        next(iter(pipeline.unet.parameters())).add_(0.1)
    pipeline.save_pretrained(tmp_path, safe_serialization=True)
    assert DiffusionSynthesizer(tmp_path).identity.sha256 != base.identity.sha256


def test_what_cannot_be_made_is_an_error_that_says_so(tiny_model: Path, tmp_path: Path, radiograph: Radiograph) -> None:
    with pytest.raises(SynthesizerError, match="no nodule pipeline"):
        DiffusionSynthesizer(tmp_path)
    with pytest.raises(SynthesizerError, match="unknown composition"):
        DiffusionSynthesizer(tiny_model, composition="collage")
    with pytest.raises(SynthesizerError, match="unknown sampler"):
        DiffusionSynthesizer(tiny_model, sampler="euler").synthesize([scene(Nodule(9, (80, 80)))], [radiograph])
    synthesizer = DiffusionSynthesizer(tiny_model)
    with pytest.raises(SynthesizerError, match="outside the radiograph"):
        synthesizer.synthesize([scene(Nodule(9, (800, 80)))], [radiograph])
    with pytest.raises(SynthesizerError, match="'Spericity' is not a feature"):
        synthesizer.synthesize([scene(Nodule(9, (80, 80), radiomics=(("Spericity", 0.8),)))], [radiograph])
    (tmp_path / "calibration.json").write_text(json.dumps({"unheard_of": 1}))
    with pytest.raises(SynthesizerError, match="not a calibration"):
        DiffusionSynthesizer(tmp_path)


def test_a_model_that_lost_its_calibration_is_refused_and_python_says_so_in_its_identity(tmp_path: Path) -> None:
    """The shipped model plants nodules a quarter brighter without it: easier ones, on which a detector passes."""
    folder = tmp_path / "copied"
    shutil.copytree(shipped_model("diffusion"), folder, ignore=shutil.ignore_patterns("calibration.json"))
    with pytest.raises(SynthesizerError, match=r"copied has no calibration\.json"):
        resolve_synthesizer("diffusion:copied", base=tmp_path)
    assert DiffusionSynthesizer(folder).identity.configuration["calibration"] == "none, the defaults"
    (folder / "calibration.json").write_text("{}")
    assert "calibration" not in resolve_synthesizer("diffusion:copied", base=tmp_path).identity.configuration
    assert "calibration" not in resolve_synthesizer("diffusion").identity.configuration


@pytest.mark.parametrize("diameter_px", [8.0, 20.0, 45.0])
def test_segmentation_finds_a_known_nodule_among_residue(diameter_px: float) -> None:
    rng = np.random.default_rng(1)
    difference = 0.4 * bump(diameter_px, 50, 44) + rng.normal(0, 0.01, (96, 96)).astype(np.float32)
    region = Region(diameter_px * 0.7).mask()
    found = segment(difference.astype(np.float32), region, 0.3, diameter_px)
    assert found is not None
    assert found.diameter_px == pytest.approx(diameter_px, rel=0.12)
    assert found.centre_px == pytest.approx((50, 44), abs=0.6)
    assert segment(np.zeros((96, 96), np.float32), region, 0.3, diameter_px) is None


def test_fitting_moves_a_nodule_to_its_place_on_an_uneven_grid() -> None:
    found = segment(0.4 * bump(30, 42, 52), Region(24).mask(), 0.3, 30)
    assert found is not None
    patch = fit(found, 25.0, Place((61.3, 70.9), 39.0, (400, 400), (0.3, 0.5), Window((61.3, 70.9))))
    y, x = np.nonzero(patch.mask)
    assert 2 * np.sqrt(patch.mask.sum() * 0.15 / np.pi) == pytest.approx(25, rel=0.02)
    assert (y.mean() + 0.5 + patch.origin[0]) * 0.3 == pytest.approx(70.9, abs=0.3)
    assert (x.mean() + 0.5 + patch.origin[1]) * 0.5 == pytest.approx(61.3, abs=0.3)
    assert patch.added[[0, -1]].max() < 1e-3


def test_a_nodule_is_stretched_to_the_elongation_asked_for() -> None:
    found = segment(0.4 * bump(30, 47.5, 47.5), Region(24).mask(), 0.3, 30)
    assert found is not None
    patch = fit(found, 20.0, Place((60, 60), 39.0, (400, 400), (0.3, 0.3), Window((60, 60))), elongation=0.7)
    y, x = np.nonzero(patch.mask)
    short, long = np.sqrt(np.linalg.eigvalsh(np.cov(np.stack([y, x]))))
    assert short / long == pytest.approx(0.7, abs=0.03)
    assert 2 * np.sqrt(patch.mask.sum() * 0.09 / np.pi) == pytest.approx(20, rel=0.02)


@pytest.mark.parametrize("tone", [0.3, 1.8, 3.0])
def test_a_tone_changes_the_profile_and_leaves_the_rim_where_it_is(tone: float) -> None:
    found = segment(0.4 * bump(30), Region(24).mask(), 0.12, 30)
    assert found is not None
    patch = fit(found, 20.0, Place((60, 60), 39.0, (400, 400), (0.3, 0.3), Window((60, 60))))
    toned = Variant(0.3, tone).of(patch, 1, (0.3, 0.3))
    assert toned.added[patch.mask].mean() == pytest.approx(0.3, rel=1e-5)
    rim, middle = np.percentile(toned.added[patch.mask], [8, 50])
    plain_rim, plain_middle = np.percentile(Variant(0.3).of(patch, 1, (0.3, 0.3)).added[patch.mask], [8, 50])
    assert (middle / rim > plain_middle / plain_rim) == (tone < 1)
    wanted = patch.added > np.percentile(patch.added[patch.mask], 10)
    assert np.array_equal(toned.added > np.percentile(toned.added[patch.mask], 10), wanted)


def test_an_edge_is_as_soft_as_a_gaussian_of_its_width_makes_a_disc() -> None:
    """Half a disc's step lies at its edge, and a Gaussian's inverse distribution tells how far 16 and 84% lie apart."""
    y, x = np.mgrid[-80:81, -80:81]
    disc = np.asarray(np.hypot(y, x) <= 40, dtype=np.float32)
    patch = Patch((0, 0), disc, disc > 0, 1.0)
    soft = Variant(0.3, soft_mm=1.5).of(patch, 1, (0.3, 0.3)).added
    assert soft[disc > 0].mean() == pytest.approx(0.3, rel=1e-5)
    share = soft[80, 80:] / soft[80, 80]
    reached = [float(np.interp(-level, -share, np.arange(81))) for level in (0.841, 0.5, 0.159)]
    assert reached == pytest.approx([35, 40, 45], abs=0.6)


@pytest.mark.parametrize(
    ("words", "sharper"), [({}, False), ({"margin": "smooth"}, True), ({"attenuation": "calcified"}, True)]
)
def test_edges_are_soft_unless_a_margin_or_a_calcified_nodule_is_asked_for(
    drawing: Path, radiograph: Radiograph, tmp_path: Path, words: dict[str, str], sharper: bool
) -> None:
    made = {}
    for softer in (0.0, 0.12):
        folder = shutil.copytree(drawing, tmp_path / str(softer))
        replace(Calibration.load(folder), softer=softer).save(folder)
        nodule = Nodule(20, (80, 80), None if "attenuation" in words else 0.3, **words)
        (made[softer],) = DiffusionSynthesizer(folder).synthesize([scene(nodule)], [radiograph])
    assert np.array_equal(made[0.0].pixels, made[0.12].pixels) == sharper


def test_a_named_feature_is_followed_in_the_finished_radiograph(drawing: Path, radiograph: Radiograph) -> None:
    pytest.importorskip("radiomics")
    from synnodtest.evaluation.measured import features_of

    energies = []
    for asked in (2e6, 1.2e7):
        nodule = Nodule(14, (80, 80), 0.3, radiomics=(("Energy", asked),))
        (made,) = DiffusionSynthesizer(drawing).synthesize([scene(nodule)], [radiograph])
        measured = features_of(made, made.nodules[0])
        assert measured is not None
        energies.append(measured[11])
    assert energies[1] > 1.3 * energies[0]
