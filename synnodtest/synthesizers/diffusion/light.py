"""The shipped kind of pipeline for drawing alone, read without diffusers, whose import takes three seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import nn

from synnodtest.synthesizers.diffusion.drawing import Drawing
from synnodtest.synthesizers.diffusion.fold import Fold
from synnodtest.synthesizers.diffusion.settings import Settings
from synnodtest.synthesizers.diffusion.solver import Solver, can_solve
from synnodtest.synthesizers.diffusion.tabular import Tabular
from synnodtest.synthesizers.diffusion.unet import DrawingUNet, can_draw

WEIGHTS = "diffusion_pytorch_model.safetensors"
KINDS = {
    "vae": "PixelFoldCodec",
    "unet": "UNet2DConditionModel",
    "tabular_encoder": "TabularEncoder",
    "scheduler": "DDPMScheduler",
}


class _Fold(Fold):
    def __init__(self, config: Settings) -> None:
        super().__init__()
        self.config = config
        self.make(config["factor"])

    @property
    def dtype(self) -> torch.dtype:
        return self.one.dtype


class _Encoder(Tabular):
    def __init__(self, config: Settings) -> None:
        super().__init__()
        self.config = config
        sizes = ("width", "encoder_layers", "decoder_layers", "heads", "feed_forward", "dropout")
        self.make(len(config["feature_names"]), *(config[name] for name in sizes))


class LightPipeline(Drawing, nn.Module):
    """Draws what ``NodulePipeline`` draws, to the last bit; neither trained nor saved. See :meth:`read`."""

    def __init__(self, folder: Path, index: Settings) -> None:
        super().__init__()
        self.config = Settings({name: index[name] for name in ("window_size", "window_spacing_mm", "value_gain")})
        self.schedule = Settings.read(folder / "scheduler" / "scheduler_config.json")
        for name, kind in (("vae", _Fold), ("unet", DrawingUNet), ("tabular_encoder", _Encoder)):
            setattr(self, name, _filled(kind(Settings.read(folder / name / "config.json")), folder / name / WEIGHTS))
        self.eval().requires_grad_(False)

    @classmethod
    def read(cls, folder: Path) -> LightPipeline | None:
        """Return the pipeline of a folder; None where it is of another kind, or something in it is not as it should be.

        ``NodulePipeline`` knows all kinds, and says what is wrong.
        """
        try:
            index = Settings.read(folder / "model_index.json")
            return cls(folder, index) if _is_known(folder, index) else None
        except (OSError, AttributeError, LookupError, TypeError, ValueError, RuntimeError, SafetensorError):
            return None

    def solver(self, sampler: str, steps: int) -> Any:
        """Return the solver; diffusers' scheduler for what is not solved here.

        Raises:
            SynthesizerError: the sampler is unknown.
        """
        if sampler == "dpm++" and can_solve(self.schedule, steps):
            return Solver(int(self.schedule["num_train_timesteps"]), steps)
        from synnodtest.synthesizers.diffusion.pipeline import library, scheduler_of

        return scheduler_of(library.DDPMScheduler.from_config(self.schedule), sampler, steps)


def _is_known(folder: Path, index: Settings) -> bool:
    codec, network = (Settings.read(folder / part / "config.json") for part in ("vae", "unet"))
    latent = codec["latent_channels"]
    return (
        all(index[part][1] == kind for part, kind in KINDS.items())
        and latent == codec["in_channels"] * codec["factor"] ** 2
        and network["in_channels"] == 2 * latent + 1
        and can_draw(network)
    )


def _filled(module: nn.Module, path: Path) -> nn.Module:
    module.load_state_dict({name: weight.float() for name, weight in load_file(path).items()})
    return module
