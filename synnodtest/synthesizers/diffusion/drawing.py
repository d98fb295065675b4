"""Drawing of a window with and without a nodule, from window, mask and radiomics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor


@dataclass(frozen=True)
class Redrawn:
    """A batch of windows redrawn from the same noise, (batch, 1, size, size) each."""

    nodule: Tensor
    plain: Tensor


def initial_noise(seeds: Sequence[int], shape: tuple[int, ...], device: str = "cpu") -> Tensor:
    """Return noise (batch, *shape) with one generator per seed, so that no row depends on its batch."""
    rows = [torch.randn(shape, generator=torch.Generator("cpu").manual_seed(seed % 2**63)) for seed in seeds]
    return torch.stack(rows).to(device)


@dataclass(frozen=True)
class _Known:
    """Content of the windows: latents, their noise, and where they are free to be redrawn."""

    latent: Tensor
    noise: Tensor
    free: Tensor

    def at(self, time: Tensor, scheduler: Any) -> Tensor:
        """Return the latents as noisy as they are at a time."""
        noisy: Tensor = scheduler.add_noise(self.latent, self.noise, time.expand(len(self.latent)))
        return noisy

    def denoised(
        self, latent: Tensor, scheduler: Any, times: Tensor, predict: Callable[[Tensor, Tensor], Tensor]
    ) -> Tensor:
        """Return the latent after all steps; what is not free follows the known path from noise to what is there."""
        for index, time in enumerate(times):
            latent = scheduler.step(predict(latent, time), time, latent).prev_sample
            later = times[index + 1 :]
            noised = self.at(later[0], scheduler) if len(later) else self.latent
            latent = latent * self.free + noised * (1 - self.free)
        return latent


class Drawing:
    """Redraws the masked part of radiograph windows, with a nodule and without; what it is made of is up to others."""

    vae: Any
    unet: Any
    tabular_encoder: Any
    config: Any

    def solver(self, sampler: str, steps: int) -> Any:
        """Return the way from noise to a picture.

        Args:
            sampler: ``dpm++`` or ``ddim``.
            steps: How many it takes.

        Raises:
            SynthesizerError: the sampler is unknown.
        """
        raise NotImplementedError

    @property
    def latent_shape(self) -> tuple[int, int, int]:
        """Shape of one latent (channels, h, w)."""
        vae = self.vae
        factor = vae.config.factor if "factor" in vae.config else 2 ** (len(vae.config.block_out_channels) - 1)
        edge = int(self.config.window_size) // int(factor)
        return int(vae.config.latent_channels), edge, edge

    def encode(self, windows: Tensor) -> Tensor:
        """Return the scaled latents of windows (batch, 1, size, size) in lung ranges."""
        pixels = (windows * self.config.value_gain).to(self.vae.dtype)
        if int(self.vae.config.get("in_channels", 1)) == 3:
            pixels = pixels.expand(-1, 3, -1, -1)
        latent: Tensor = self.vae.encode(pixels).latent_dist.mode() * self.vae.config.scaling_factor
        return latent

    def decode(self, latent: Tensor) -> Tensor:
        """Return windows (batch, 1, size, size) in lung ranges from scaled latents."""
        pixels = self.vae.decode(latent / self.vae.config.scaling_factor).sample
        windows: Tensor = pixels.float().mean(dim=1, keepdim=True) / self.config.value_gain
        return windows

    def hidden(self, windows: Tensor, masks: Tensor) -> Tensor:
        """Return what the denoiser sees beside the noisy latent: the mask and the latent of the masked window."""
        small = torch.nn.functional.adaptive_max_pool2d(masks.float(), self.latent_shape[1:])
        latents = self.encode(windows * (1 - masks))
        return torch.cat([small.to(latents.dtype), latents], dim=1)

    def contexts(self, values: Tensor, named: Tensor) -> tuple[Tensor, Tensor]:
        """Return the context with a nodule of the named features and the context without a nodule."""
        yes = torch.ones(len(values), dtype=torch.bool, device=values.device)
        encoder = self.tabular_encoder
        return encoder(values, named, yes), encoder(values, named, ~yes)

    @torch.no_grad()
    def __call__(
        self,
        windows: Tensor,
        masks: Tensor,
        values: Tensor,
        named: Tensor,
        seeds: Sequence[int],
        *,
        steps: int = 15,
        sampler: str = "dpm++",
        guidance: float = 1.0,
    ) -> Redrawn:
        """Redraw the masked part of a batch of windows.

        What is not masked follows the known path from noise to the window itself, so that the denoiser sees at every
        step surroundings as noisy as in training, and returns them untouched.

        Args:
            windows: (batch, 1, size, size) brightness relative to the surroundings, in lung ranges.
            masks: (batch, 1, size, size) 1 where it is to be redrawn.
            values: (batch, features) scaled features, see :meth:`TabularEncoder.encode_request`.
            named: (batch, features) which of them count.
            seeds: One per row; a row depends on its own alone.
            steps: Denoising steps.
            sampler: ``dpm++`` or ``ddim``.
            guidance: Strength of the nodule's condition against the "no nodule" condition; 1 is none.

        Returns:
            The windows with and without a nodule, from the same noise.
        """
        around = self.hidden(windows, masks)
        with_nodule, without = self.contexts(values, named)
        noise = initial_noise(seeds, self.latent_shape, str(windows.device)).to(around.dtype)
        context, count = torch.cat([with_nodule, without]), len(windows)
        latents, noises, seen2 = (each.repeat(2, 1, 1, 1) for each in (self.encode(windows), noise, around))

        def predict(latent: Tensor, time: Tensor) -> Tensor:
            out = self._predict(latent, seen2, context, time)
            if guidance == 1.0:
                return out
            nodule, plain = out[:count], out[count:]
            if not torch.equal(latent[:count], latent[count:]):
                plain = self._predict(latent[:count], around, without, time)
            return torch.cat([plain + guidance * (nodule - plain), out[count:]])

        scheduler = self.solver(sampler, steps)
        known = _Known(latents, noises, seen2[:, :1])
        drawn = self.decode(
            known.denoised(noises * scheduler.init_noise_sigma, scheduler, scheduler.timesteps, predict)
        )
        return Redrawn(nodule=drawn[:count], plain=drawn[count:])

    @torch.no_grad()
    def redraw(
        self,
        windows: Tensor,
        masks: Tensor,
        seeds: Sequence[int],
        *,
        steps: int = 15,
        sampler: str = "dpm++",
        strength: float = 1.0,
    ) -> Tensor:
        """Redraw the masked part of a batch of windows without a nodule.

        Args:
            windows: As in :meth:`__call__`, as for ``masks``, ``seeds``, ``steps`` and ``sampler``.
            masks: See there.
            seeds: See there.
            steps: See there.
            sampler: See there.
            strength: In (0, 1]. At 1 the masked part is drawn from pure noise; below, from what stood there with noise
                added, so much as this share of the denoising takes away, so that its coarse structure stays. At least
                two steps are taken.

        Returns:
            (batch, 1, size, size) the windows without a nodule.
        """
        around = self.hidden(windows, masks)
        names = self.tabular_encoder.config.feature_names
        nothing = torch.zeros((len(windows), len(names)), device=windows.device)
        _, without = self.contexts(nothing, nothing.bool())
        noise = initial_noise(seeds, self.latent_shape, str(windows.device)).to(around.dtype)
        steps_taken = min(max(round(strength * steps), 2), steps)
        start = max(round(steps_taken / strength), steps_taken) - steps_taken
        scheduler = self.solver(sampler, start + steps_taken)
        if sampler == "dpm++":
            scheduler.set_begin_index(start)
        times = scheduler.timesteps[start:]
        known = _Known(self.encode(windows), noise, around[:, :1])
        latent = known.at(times[0], scheduler) if start else noise * scheduler.init_noise_sigma
        return self.decode(
            known.denoised(latent, scheduler, times, lambda drawn, time: self._predict(drawn, around, without, time))
        )

    def _predict(self, latent: Tensor, seen: Tensor, context: Tensor, time: Tensor) -> Tensor:
        stacked = torch.cat([latent, seen], dim=1).to(memory_format=torch.channels_last)
        predicted: Tensor = self.unet(stacked, time, encoder_hidden_states=context.to(stacked.dtype)).sample
        return predicted
