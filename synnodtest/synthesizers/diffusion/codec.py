"""A lossless stand-in for a variational autoencoder: pixels folded into channels."""

from __future__ import annotations

import torch
from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.autoencoders.vae import DecoderOutput
from diffusers.models.modeling_outputs import AutoencoderKLOutput
from diffusers.models.modeling_utils import ModelMixin
from torch import Tensor, nn


class _Exact:
    """A distribution that has one value, with the face of diffusers' diagonal Gaussian."""

    def __init__(self, latent: Tensor) -> None:
        self.latent = latent

    def sample(self, generator: object = None) -> Tensor:
        return self.latent

    def mode(self) -> Tensor:
        return self.latent


class PixelFoldCodec(ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Folds ``factor`` x ``factor`` pixels into channels and back, with the face of ``AutoencoderKL``.

    For windows of 96 x 96 there is nothing that a learned codec would save, and nothing is lost.

    Args:
        factor: Edge of the folded squares.
        in_channels: Channels of the image.
        latent_channels: ``in_channels`` times ``factor`` squared.
        scaling_factor: What latents are multiplied by before diffusion, for unit variance.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self, factor: int = 3, in_channels: int = 1, latent_channels: int = 9, scaling_factor: float = 1.0
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        if latent_channels != in_channels * factor * factor:
            raise ValueError(f"{in_channels} channels folded by {factor} are not {latent_channels} channels")
        self.fold = nn.PixelUnshuffle(factor)
        self.unfold = nn.PixelShuffle(factor)
        self.register_buffer("one", torch.ones(1))

    def encode(self, pixels: Tensor) -> AutoencoderKLOutput:
        """Return the latent of images (batch, channels, h, w); h and w are multiples of ``factor``."""
        return AutoencoderKLOutput(latent_dist=_Exact(self.fold(pixels)))

    def decode(self, latent: Tensor) -> DecoderOutput:
        """Return the images of latents."""
        return DecoderOutput(sample=self.unfold(latent))
