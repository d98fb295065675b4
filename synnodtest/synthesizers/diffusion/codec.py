"""The lossless codec as it is kept, with diffusers' ways of saving and loading."""

from __future__ import annotations

from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from synnodtest.synthesizers.diffusion.fold import Fold


class PixelFoldCodec(Fold, ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Folds ``factor`` x ``factor`` pixels into channels and back.

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
        self.make(factor)
