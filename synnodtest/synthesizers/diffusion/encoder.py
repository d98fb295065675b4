"""The tabular encoder as it is trained and kept, with diffusers' ways of saving and loading."""

from __future__ import annotations

from collections.abc import Sequence

from diffusers.configuration_utils import ConfigMixin, register_to_config
from diffusers.models.modeling_utils import ModelMixin

from synnodtest.synthesizers.diffusion.tabular import Tabular


class TabularEncoder(Tabular, ModelMixin, ConfigMixin):  # type: ignore[misc]
    """Transformer over feature tokens.

    Args:
        feature_names: The features, in order.
        kinds: Per feature, the scale of :func:`transform`.
        low: Per feature, the lower bound on that scale; it becomes 0.
        high: Per feature, the upper bound; it becomes 1.
        width: Token width; the value takes one of them, the embedding the others.
        encoder_layers: Depth of the encoder.
        decoder_layers: Depth of the decoder.
        heads: Attention heads.
        feed_forward: Width of the feed-forward layers.
        dropout: In training only.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self,
        feature_names: Sequence[str],
        kinds: Sequence[str],
        low: Sequence[float],
        high: Sequence[float],
        width: int = 32,
        encoder_layers: int = 6,
        decoder_layers: int = 3,
        heads: int = 1,
        feed_forward: int = 64,
        dropout: float = 0.1,
    ) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        count = len(feature_names)
        self.make(count, width, encoder_layers, decoder_layers, heads, feed_forward, dropout)
