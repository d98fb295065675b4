"""The pipeline that draws without diffusers, against the one on diffusers, which is the reference."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.extras import installed

if not installed("diffusers"):
    pytest.skip("diffusers is not installed", allow_module_level=True)

import torch

from synnodtest.errors import SynthesizerError
from synnodtest.shipped import shipped_model
from synnodtest.synthesizers import diffusion
from synnodtest.synthesizers.diffusion import DiffusionSynthesizer
from synnodtest.synthesizers.diffusion.light import LightPipeline
from synnodtest.synthesizers.diffusion.solver import Solver, can_solve
from synnodtest.synthesizers.diffusion.unet import DrawingUNet, can_draw
from tests.loaded import loaded_after

NETWORK: dict[str, Any] = {
    "in_channels": 5,
    "out_channels": 2,
    "block_out_channels": (8, 16, 24),
    "layers_per_block": 2,
    "cross_attention_dim": 12,
    "norm_num_groups": 4,
    "attention_head_dim": 2,
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
}
"""Another one than the shipped: two layers a block, two heads, attention at other depths."""


@pytest.fixture(autouse=True)
def reproducible() -> Iterator[None]:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(3)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=["shipped", "tiny"])
def both(request: pytest.FixtureRequest) -> tuple[LightPipeline, diffusion.NodulePipeline]:
    shipped = request.param == "shipped"
    folder = shipped_model("diffusion") if shipped else request.getfixturevalue("tiny_model")
    light, full = LightPipeline.read(folder), diffusion.NodulePipeline.from_pretrained(folder)
    assert light is not None
    for one in (light, full):
        one.unet.to(memory_format=torch.channels_last)
    return light, full


def windows(pipeline: Any, count: int = 2) -> tuple[torch.Tensor, ...]:
    """Windows, masks, values of features, and which of them are named."""
    size, features = pipeline.config.window_size, len(pipeline.tabular_encoder.config.feature_names)
    masks = torch.zeros(count, 1, size, size)
    masks[:, :, size // 3 : size // 2, size // 3 : size // 2] = 1
    return 0.1 * torch.randn(masks.shape), masks, torch.rand(count, features), torch.rand(count, features) > 0.5


@pytest.mark.parametrize("how", [{"steps": 2}, {"steps": 4, "guidance": 2.0}, {"steps": 2, "sampler": "ddim"}])
def test_nodules_are_the_same_bit_for_bit(
    both: tuple[LightPipeline, diffusion.NodulePipeline], how: dict[str, Any]
) -> None:
    asked = windows(both[0])
    light, full = (pipeline(*asked, [5, 6], **how) for pipeline in both)
    assert torch.equal(light.nodule, full.nodule)
    assert torch.equal(light.plain, full.plain)
    assert not torch.equal(light.nodule, light.plain)


@pytest.mark.parametrize("strength", [1.0, 0.4])
def test_plain_windows_are_the_same_bit_for_bit(
    both: tuple[LightPipeline, diffusion.NodulePipeline], strength: float
) -> None:
    base, masks, *_ = windows(both[0])
    light, full = (pipeline.redraw(base, masks, [5, 6], steps=3, strength=strength) for pipeline in both)
    assert torch.equal(light, full)


@pytest.mark.parametrize("shape", [(3, 16, 16), (2, 13, 18), (66, 8, 8)], ids=["even", "odd", "large batch"])
def test_the_denoiser_is_that_of_diffusers(shape: tuple[int, int, int]) -> None:
    import diffusers

    theirs = diffusers.UNet2DConditionModel(**NETWORK).eval()
    config = dict(theirs.config) | {"_class_name": "UNet2DConditionModel"}
    assert can_draw(config)
    ours = DrawingUNet(config).eval()
    ours.load_state_dict(theirs.state_dict())
    latent, context = torch.randn(shape[0], 5, *shape[1:]), torch.randn(shape[0], 6, 12)
    latent = latent.to(memory_format=torch.channels_last)
    with torch.no_grad():
        for time in (torch.tensor(999), 7):
            found, wanted = (net(latent, time, encoder_hidden_states=context).sample for net in (ours, theirs))
            assert torch.equal(found, wanted)


@pytest.mark.parametrize("steps", [1, 2, 3, 14, 15, 40])
def test_the_solver_is_that_of_diffusers(steps: int) -> None:
    import diffusers

    from synnodtest.synthesizers.diffusion.pipeline import scheduler_of

    base = diffusers.DDPMScheduler(beta_schedule="squaredcos_cap_v2", prediction_type="v_prediction")
    ours, theirs = Solver(1000, steps), scheduler_of(base, "dpm++", steps)
    assert can_solve(base.config, steps)
    assert torch.equal(ours.timesteps, theirs.timesteps)
    found = wanted = torch.randn(2, 3, 4, 4)
    known, noise = torch.randn(2, 3, 4, 4), torch.randn(2, 3, 4, 4)
    for time in ours.timesteps:
        noisy = [solver.add_noise(known, noise, time.expand(2)) for solver in (ours, theirs)]
        assert torch.equal(*noisy)
        predicted = torch.randn(2, 3, 4, 4)
        found = ours.step(predicted, time, found).prev_sample
        wanted = theirs.step(predicted, time, wanted).prev_sample
        assert torch.equal(found, wanted)


OTHER_NETWORKS: tuple[dict[str, Any], ...] = (
    {"act_fn": "gelu"},
    {"use_linear_projection": True},
    {"class_embed_type": "timestep"},
    {"layers_per_block": [1, 2]},
    {"down_block_types": ["AttnDownBlock2D"] * 3},
    {"unheard_of": 3},
    {"dropout": 0.1},
)


@pytest.mark.parametrize("change", OTHER_NETWORKS)
def test_other_networks_are_left_to_diffusers(change: dict[str, Any]) -> None:
    assert not can_draw(NETWORK | {"_class_name": "UNet2DConditionModel"} | change)


@pytest.mark.parametrize(
    "change",
    [{"prediction_type": "epsilon"}, {"beta_schedule": "linear"}, {"thresholding": True}, {"num_train_timesteps": 1}],
)
def test_other_schedules_are_left_to_diffusers(change: dict[str, Any]) -> None:
    known = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction", "num_train_timesteps": 1000}
    assert can_solve(known, 2)
    assert not can_solve(known | change, 2)


def test_a_folder_that_is_not_as_it_should_be_is_told_by_the_pipeline_that_knows_all_kinds(
    tiny_model: Path, tmp_path: Path
) -> None:
    for part, name, content in (
        ("unet", "diffusion_pytorch_model.safetensors", b"cut off"),
        ("vae", "config.json", b"["),
        ("tabular_encoder", "config.json", b"{}"),
    ):
        folder = tmp_path / part
        shutil.copytree(tiny_model, folder)
        (folder / part / name).write_bytes(content)
        assert LightPipeline.read(folder) is None
        with pytest.raises(SynthesizerError, match="holds no nodule pipeline that can be loaded"):
            _ = DiffusionSynthesizer(folder).pipeline
    index = json.loads((tiny_model / "model_index.json").read_text())
    shutil.copytree(tiny_model, tmp_path / "other")
    (tmp_path / "other" / "model_index.json").write_text(json.dumps(index | {"vae": ["diffusers", "AutoencoderKL"]}))
    assert LightPipeline.read(tmp_path / "other") is None


def test_a_synthesizer_of_the_shipped_kind_draws_without_diffusers(tiny_model: Path) -> None:
    assert isinstance(DiffusionSynthesizer(tiny_model).pipeline, LightPipeline)
    code = "from synnodtest.synthesizers import resolve_synthesizer\nresolve_synthesizer('diffusion').pipeline"
    assert loaded_after(code, "diffusers", "transformers", "torchvision", "torch._dynamo") == []
