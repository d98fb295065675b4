"""A lossless stand-in for a variational autoencoder: pixels folded into channels and back."""

from __future__ import annotations

from types import SimpleNamespace

import torch
from torch import Tensor, nn


class Fold(nn.Module):
    """Folds squares of pixels into channels and back, with the face of ``AutoencoderKL``.

    For windows of 96 x 96 there is nothing that a learned codec would save, and nothing is lost.
    """

    one: Tensor

    def make(self, factor: int) -> None:
        """Make the parts, for squares of ``factor`` x ``factor`` pixels."""
        self.fold, self.unfold = nn.PixelUnshuffle(factor), nn.PixelShuffle(factor)
        self.register_buffer("one", torch.ones(1))

    def encode(self, pixels: Tensor) -> SimpleNamespace:
        """Return the latent of images (batch, channels, h, w); h and w are multiples of the factor."""
        latent = self.fold(pixels)
        return SimpleNamespace(latent_dist=SimpleNamespace(mode=lambda: latent))

    def decode(self, latent: Tensor) -> SimpleNamespace:
        """Return the images of latents."""
        return SimpleNamespace(sample=self.unfold(latent))
