"""The inpainting pipeline, as it is trained and kept: window, mask and radiomics in; the window redrawn out."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import diffusers
import torch

from synnodtest.errors import SynthesizerError
from synnodtest.synthesizers.diffusion.codec import PixelFoldCodec
from synnodtest.synthesizers.diffusion.drawing import Drawing
from synnodtest.synthesizers.diffusion.encoder import TabularEncoder

library: Any = diffusers
"""diffusers without its types, which are incomplete."""
CODECS: dict[str, Any] = {"PixelFoldCodec": PixelFoldCodec, "AutoencoderKL": library.AutoencoderKL}


def scheduler_of(base: Any, sampler: str, steps: int) -> Any:
    """Return a scheduler of a sampler, set to so many steps."""
    if sampler == "ddim":
        scheduler = library.DDIMScheduler.from_config(base.config, clip_sample=False, timestep_spacing="trailing")
    elif sampler == "dpm++":
        scheduler = library.DPMSolverMultistepScheduler.from_config(
            base.config, algorithm_type="dpmsolver++", timestep_spacing="trailing", lower_order_final=True
        )
    else:
        raise SynthesizerError(f"unknown sampler {sampler!r}", hint="known: dpm++, ddim")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # diffusers' schedulers call numpy in an old way
        scheduler.set_timesteps(steps)
    return scheduler


class NodulePipeline(Drawing, library.DiffusionPipeline):  # type: ignore[misc]
    """Redraws the masked part of radiograph windows, with a nodule and without.

    Args:
        vae: ``AutoencoderKL`` or :class:`PixelFoldCodec`.
        unet: 2c + 1 input channels: noisy latent, mask, latent of the masked window.
        scheduler: The training noise schedule.
        tabular_encoder: Radiomics features to cross-attention context; frozen.
        window_size: Edge of the windows in pixels.
        window_spacing_mm: Distance between their pixel centres.
        value_gain: Factor from lung ranges to the codec's scale.
    """

    def __init__(
        self,
        vae: Any,
        unet: Any,
        scheduler: Any,
        tabular_encoder: TabularEncoder,
        window_size: int = 96,
        window_spacing_mm: float = 0.7,
        value_gain: float = 1.0,
    ) -> None:
        super().__init__()
        channels = int(vae.config.latent_channels)
        if unet.config.in_channels != 2 * channels + 1:
            raise SynthesizerError(
                f"the denoiser takes {unet.config.in_channels} channels; with this codec it must take "
                f"{2 * channels + 1} (noisy latent, mask, masked latent)"
            )
        self.register_modules(vae=vae, unet=unet, scheduler=scheduler, tabular_encoder=tabular_encoder)
        self.register_to_config(window_size=window_size, window_spacing_mm=window_spacing_mm, value_gain=value_gain)
        self.set_progress_bar_config(disable=True)

    @classmethod
    def from_pretrained(cls, folder: str | Path, **options: Any) -> NodulePipeline:
        """Load a pipeline that :meth:`save_pretrained` wrote; local files and safetensors only.

        Raises:
            SynthesizerError: the folder is missing or holds something else.
        """
        root = Path(folder)
        try:
            index = json.loads((root / "model_index.json").read_text())
            how = {"local_files_only": True, "use_safetensors": True, "torch_dtype": torch.float32, **options}
            vae = CODECS[index["vae"][1]].from_pretrained(root / "vae", **how)
            unet = library.UNet2DConditionModel.from_pretrained(root / "unet", **how)
            encoder = TabularEncoder.from_pretrained(root / "tabular_encoder", **how)
            scheduler = library.DDPMScheduler.from_pretrained(root / "scheduler", local_files_only=True)
            extra = {key: index[key] for key in ("window_size", "window_spacing_mm", "value_gain")}
        except (OSError, LookupError, TypeError, ValueError) as error:
            raise SynthesizerError(
                f"{root} holds no nodule pipeline that can be loaded: {error}",
                hint="`synnodtest train diffusion` writes one",
            ) from error
        pipeline = cls(vae=vae, unet=unet, scheduler=scheduler, tabular_encoder=encoder, **extra)
        encoder.eval().requires_grad_(False)
        unet.eval()
        return pipeline

    def solver(self, sampler: str, steps: int) -> Any:
        """Return diffusers' scheduler of a sampler."""
        return scheduler_of(self.scheduler, sampler, steps)
