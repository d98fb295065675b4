"""DPM-Solver++ of second order for drawing: diffusers' ``DPMSolverMultistepScheduler`` without diffusers, bit for bit.

Source: Lu, Zhou, Bao, Chen, Li, Zhu (2022), DPM-Solver++: fast solver for guided sampling of diffusion probabilistic
models, arXiv 2211.01095: the multistep solver, trailing steps, the first and the last of first order.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from synnodtest.synthesizers.diffusion.settings import Settings

_FIXED = {"beta_schedule": "squaredcos_cap_v2", "prediction_type": "v_prediction"}
_OFF = ("trained_betas", "thresholding", "rescale_betas_zero_snr", "use_karras_sigmas", "use_exponential_sigmas")
MOST_BETA = 0.999
"""Share of the signal that one training step takes at most (Nichol, Dhariwal 2021)."""


def can_solve(config: Settings, steps: int) -> bool:
    """Return whether :class:`Solver` follows a training schedule of diffusers in so many steps."""
    supported = all(config.get(name) == value for name, value in _FIXED.items()) and not any(map(config.get, _OFF))
    return supported and 1 <= steps <= int(config["num_train_timesteps"])


class Solver:
    """The way from noise to a picture in a few steps.

    Args:
        train_steps: Steps of the training schedule, a squared cosine.
        steps: Steps to take.
    """

    init_noise_sigma = 1.0

    def __init__(self, train_steps: int, steps: int) -> None:
        times = np.arange(train_steps, 0, -train_steps / steps).round().astype(np.int64) - 1
        signal = torch.cumprod(1.0 - _betas(train_steps), dim=0)
        noise = np.interp(times, np.arange(train_steps), (((1 - signal) / signal) ** 0.5).numpy())
        self.timesteps = torch.from_numpy(times)
        self._sigmas = torch.from_numpy(np.append(noise, 0.0).astype(np.float32))
        self._last: Tensor | None = None

    def set_begin_index(self, index: int) -> None:
        """Do nothing: a time says itself which step it begins."""

    def add_noise(self, latent: Tensor, noise: Tensor, times: Tensor) -> Tensor:
        """Return latents as noisy as they are at a time, which is the same for all rows."""
        sigmas = self._sigmas.to(device=latent.device, dtype=latent.dtype)
        alpha, sigma = _parts(sigmas[[self._index(times[0])] * len(times)].reshape(-1, *[1] * (latent.ndim - 1)))
        return alpha * latent + sigma * noise

    def step(self, predicted: Tensor, time: Tensor, latent: Tensor) -> SimpleNamespace:
        """Return the latent one step on as ``.prev_sample``; steps are taken in order."""
        index = self._index(time)
        alpha, sigma = _parts(self._sigmas[index])
        clean = alpha * latent - sigma * predicted
        last = None if index == len(self.timesteps) - 1 else self._last
        next_latent = self._next(clean, last, index, latent.float())
        self._last = clean
        return SimpleNamespace(prev_sample=next_latent.to(clean.dtype))

    def _index(self, time: Tensor) -> int:
        return int((self.timesteps == time.cpu()).nonzero()[0])

    def _next(self, clean: Tensor, last: Tensor | None, index: int, latent: Tensor) -> Tensor:
        """Return the latent one step on: of second order where what was clean one step before is given."""
        (alpha, sigma), (_, sigma_now) = _parts(self._sigmas[index + 1]), _parts(self._sigmas[index])
        h = self._log_snr(index + 1) - self._log_snr(index)
        weight = alpha * (torch.exp(-h) - 1.0)
        first = (sigma / sigma_now) * latent - weight * clean
        if last is None:
            return first
        ratio = (self._log_snr(index) - self._log_snr(index - 1)) / h
        return first - 0.5 * weight * ((1.0 / ratio) * (clean - last))

    def _log_snr(self, index: int) -> Tensor:
        alpha, sigma = _parts(self._sigmas[index])
        return torch.log(alpha) - torch.log(sigma)


def _parts(sigma: Tensor) -> tuple[Tensor, Tensor]:
    """Return the weights of picture and noise at a ratio of noise to picture."""
    alpha = 1 / ((sigma**2 + 1) ** 0.5)
    return alpha, sigma * alpha


def _betas(steps: int) -> Tensor:
    def kept(share: float) -> float:
        return math.cos((share + 0.008) / 1.008 * math.pi / 2) ** 2

    betas = [min(1 - kept((k + 1) / steps) / kept(k / steps), MOST_BETA) for k in range(steps)]
    return torch.tensor(betas, dtype=torch.float32)
