"""Training: the tiny preset end to end, resumption, and fine-tuning on a base of Stable Diffusion 2's layout."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from tests.extras import installed

if not installed("diffusers"):
    pytest.skip("diffusers is not installed", allow_module_level=True)

import torch

from synnodtest.errors import SynthesizerError
from synnodtest.geometry import disc_mask
from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.synthesizers import diffusion
from synnodtest.synthesizers.diffusion import Calibration, DiffusionSynthesizer
from synnodtest.training import calibrate, denoiser
from synnodtest.training.boxed import mask_in_box
from synnodtest.training.denoiser import draw_batch, fit_denoiser
from synnodtest.training.diffusion import Sources, new_pipeline, pipeline_on_base, save_model, train_diffusion
from synnodtest.training.diffusion_recipe import PRESETS, Preset, Recipe
from synnodtest.training.encoder import fit_bounds, train_encoder
from synnodtest.training.windows import COMPOSED, NODULE, PLAIN, TrainingWindows

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder

SILENT = {"report": lambda line: None}


def made_up_windows(count: int = 24, size: int = 96) -> TrainingWindows:
    """Return windows of noise with discs, and features of which some are skewed and some negative."""
    rng = np.random.default_rng(0)
    mask = np.stack([disc_mask((size, size), (size / 2, size / 2), d, (1, 1)) for d in rng.uniform(8, 40, count)])
    features = rng.normal(size=(count, 2 + len(FEATURE_NAMES)))
    features[:, :10] = np.exp(features[:, :10])
    return TrainingWindows(
        base=rng.normal(0, 0.3, (count, size, size)).astype(np.float16),
        delta=(0.4 * mask).astype(np.float16),
        mask=mask,
        features=features,
        source=np.zeros((count, 2), np.int64),
        kind=np.full(count, COMPOSED, np.int8),
    )


@pytest.fixture(autouse=True)
def coarse_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the pictures that come with every checkpoint, which are for the eye, be of two steps."""
    monkeypatch.setattr(denoiser, "SAMPLE_STEPS", 2)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> TabularEncoder:
    torch.set_num_threads(1)
    return train_encoder(made_up_windows().features, tmp_path_factory.mktemp("encoder"), steps=6, batch=8, **SILENT)


def test_bounds_put_the_bulk_of_every_feature_between_zero_and_one(encoder: TabularEncoder) -> None:
    table = made_up_windows(400).features
    kinds, _, _ = fit_bounds(table)
    assert kinds[0] == "log"
    assert set(kinds[12:]) <= {"linear", "cbrt"}
    scaled = encoder.scale(made_up_windows().features)
    assert scaled.min() >= 0
    assert scaled.max() <= 1


def test_the_encoder_is_frozen_and_comes_back_equal(encoder: TabularEncoder, tmp_path: Path) -> None:
    assert not encoder.training
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    encoder.save_pretrained(tmp_path)
    again = type(encoder).from_pretrained(tmp_path).eval()
    values, named = encoder.encode_request({"diameter_mm": 2.0, "Sphericity": 0.8})
    inputs = torch.from_numpy(values)[None], torch.from_numpy(named)[None], torch.tensor([True])
    assert torch.equal(encoder(*inputs), again(*inputs))


def test_masked_features_and_absent_nodules_do_not_reach_the_context(encoder: TabularEncoder) -> None:
    values = torch.rand(2, len(FEATURE_NAMES) + 2)
    named = torch.zeros_like(values, dtype=torch.bool)
    named[:, 0] = True
    other = values.clone()
    other[:, 1:] = torch.rand_like(other[:, 1:])
    yes, no = torch.tensor([True, True]), torch.tensor([False, False])
    assert torch.equal(encoder(values, named, yes), encoder(other, named, yes))
    assert torch.equal(encoder(values, named, no), encoder(1 - values, ~named, no))
    assert not torch.equal(encoder(values, named, yes), encoder(values, named, no))


def test_windows_that_show_a_nodule_are_never_labelled_without_and_plain_ones_never_with() -> None:
    windows = made_up_windows(30)
    windows.kind[:10], windows.kind[10:20] = NODULE, PLAIN
    rng = np.random.default_rng(0)
    for kind, expected in ((NODULE, True), (PLAIN, False)):
        part = windows.kind == kind
        chosen = TrainingWindows(
            *(getattr(windows, name)[part] for name in ("base", "delta", "mask", "features", "source", "kind"))
        )
        batch = draw_batch(chosen, np.zeros((10, 69), np.float32), Recipe(batch=40), rng)
        assert batch.present.numpy().tolist() == [expected] * 40


def test_what_is_redrawn_always_holds_the_nodule() -> None:
    windows = made_up_windows(24)
    batch = draw_batch(windows, np.zeros((24, 69), np.float32), Recipe(batch=60, without=0.0), np.random.default_rng(1))
    nodule = (batch.target - batch.windows).abs() > 0.1
    assert not (nodule & (batch.boxes == 0)).any()


def test_a_killed_training_goes_on_where_its_checkpoint_stands(
    encoder: TabularEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    windows, plain, killed = made_up_windows(), denoiser._Fit._step, []

    def dying(fit: Any, model: Any) -> torch.Tensor:
        if fit.course.step == 1 and not killed:
            killed.append(fit)
            raise KeyboardInterrupt
        return plain(fit, model)

    def trained(work: Path, save_minutes: float = 0.0) -> torch.Tensor:
        pipeline = new_pipeline(encoder, PRESETS["tiny"])
        recipe = Recipe(batch=2, steps=2, warm_up=1, precision="fp32", save_minutes=save_minutes)
        fit_denoiser(pipeline, windows, work, recipe, **SILENT)
        return torch.cat([p.detach().flatten() for p in pipeline.unet.parameters()])

    whole = trained(tmp_path / "whole", save_minutes=60.0)
    monkeypatch.setattr(denoiser._Fit, "_step", dying)
    with pytest.raises(KeyboardInterrupt):
        trained(tmp_path / "killed")
    assert torch.equal(trained(tmp_path / "killed"), whole)
    assert len(killed) == 1
    assert (tmp_path / "killed" / "loss.json").exists()
    assert not list((tmp_path / "killed").glob("*.tmp"))


def test_stored_windows_are_trained_to_a_model_folder_that_synthesizes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("radiomics", reason="shapes are measured by PyRadiomics")
    less = {"EACH": 2, "ENOUGH": 1, "REDRAWN": 1, "SHAPE_WINDOWS": 2, "DIAMETERS_MM": (6.0, 22.0, 40.0)}
    for name, few in less.items():
        monkeypatch.setattr(calibrate, name, few)
    (tmp_path / "work").mkdir()
    made_up_windows(8).save(tmp_path / "work" / "windows.npz")
    train_diffusion(Sources(), tmp_path, preset="tiny", steps=2, **SILENT)
    synthesizer = DiffusionSynthesizer(tmp_path, steps=2)
    assert synthesizer.identity.sha256
    shapes = Calibration.load(tmp_path)
    assert [len(row) for row in shapes.elongations] == [21] * len(shapes.shape_mm)
    assert len(shapes.flatness) in (0, 21)
    with pytest.raises(SynthesizerError, match="unknown preset"):
        train_diffusion(Sources(), tmp_path, preset="enormous", **SILENT)
    with pytest.raises(SynthesizerError, match="nothing to train on"):
        train_diffusion(Sources(), tmp_path / "empty", preset="tiny", **SILENT)


@pytest.fixture(scope="module")
def sd2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A miniature of stable-diffusion-2-inpainting: its classes, its layout, its 9 input channels."""
    import diffusers

    folder = tmp_path_factory.mktemp("sd2")
    torch.manual_seed(0)
    diffusers.AutoencoderKL(
        in_channels=3,
        out_channels=3,
        latent_channels=4,
        block_out_channels=(8, 8, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        norm_num_groups=4,
        scaling_factor=0.18215,
    ).save_pretrained(folder / "vae")
    diffusers.UNet2DConditionModel(
        sample_size=8,
        in_channels=9,
        out_channels=4,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"),
        up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"),
        attention_head_dim=(1, 2),
        layers_per_block=1,
        cross_attention_dim=64,
        use_linear_projection=True,
        norm_num_groups=4,
    ).save_pretrained(folder / "unet")
    diffusers.DDPMScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", clip_sample=False
    ).save_pretrained(folder / "scheduler")
    return folder


def test_a_base_of_sd2_is_loaded_reinitialised_trained_saved_and_used(
    sd2: Path, encoder: TabularEncoder, tmp_path: Path
) -> None:
    from diffusers import UNet2DConditionModel

    preset = Preset(64, 0.7, 0.5, 1, Recipe(steps=2, batch=2, warm_up=1, precision="fp32"))
    pipeline = pipeline_on_base(str(sd2), encoder, preset)
    original = UNet2DConditionModel.from_pretrained(sd2 / "unet").state_dict()
    for name, value in pipeline.unet.state_dict().items():
        if "attn2.to_k" in name or "attn2.to_v" in name:
            assert value.shape[1] == 32 != original[name].shape[1]
            assert 0.05 < value.std() < 0.2  # PyTorch's own initialisation, not whatever memory held
        else:
            assert torch.equal(value, original[name])
    before = pipeline.unet.conv_in.weight.detach().clone()
    curve = fit_denoiser(pipeline, made_up_windows(size=64), tmp_path / "work", preset.recipe, **SILENT)
    assert curve == []
    assert not torch.equal(before, pipeline.unet.conv_in.weight)
    save_model(pipeline, tmp_path / "model")
    again = diffusion.NodulePipeline.from_pretrained(tmp_path / "model")
    assert again.latent_shape == (4, 8, 8)
    values, named = encoder.encode_request({"diameter_mm": 2.0})
    mask = torch.zeros(1, 1, 64, 64)
    mask[..., 20:44, 20:44] = 1
    out = again(
        torch.zeros(1, 1, 64, 64), mask, torch.from_numpy(values)[None], torch.from_numpy(named)[None], [1], steps=2
    )
    assert out.nodule.shape == (1, 1, 64, 64)
    assert torch.isfinite(out.nodule).all()
    with pytest.raises(SynthesizerError, match="cannot be loaded"):
        pipeline_on_base(str(tmp_path / "nowhere"), encoder, preset)


@pytest.mark.parametrize("diameter", [10, 18, 30])
def test_the_mask_in_a_box_is_the_nodule(diameter: int) -> None:
    rng = np.random.default_rng(diameter)
    y, x = np.mgrid[:96, :96]
    away = np.hypot(y - 47.5, (x - 47.5) / 0.8) / (diameter / 2)
    nodule = 0.5 * np.sqrt(np.clip(1 - away**2, 0, None))
    image = 0.3 + 0.004 * x - 0.002 * y + nodule + rng.normal(0, 0.01, (96, 96))
    half = diameter / 2 + 1
    found = mask_in_box(image.astype(np.float32), (48 - 0.8 * half, 48 - half, 48 + 0.8 * half, 48 + half))
    true = away <= 1
    assert 2 * (found & true).sum() / (found.sum() + true.sum()) > 0.8
