"""The tabular encoder: radiomics features, any subset of them, as the context of the denoiser.

After RadiomicsFill and MET (masked encoding for tabular data): one token per feature, made of its value and a
learned embedding of which feature it is; a transformer encoder; a decoder that must restore every value, used in
training only. A feature that is not named keeps its token, with a learned stand-in for the value. One more token
says whether there is a nodule at all and is never masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from synnodtest.errors import SynthesizerError
from synnodtest.geometry import Array


def transform(values: Array, kind: str) -> Array:
    """Return values on the scale on which their bounds are taken: ``linear``, ``log`` or ``cbrt`` (signed)."""
    if kind == "log":
        return np.log(np.maximum(values, 1e-12))
    if kind == "cbrt":
        return np.cbrt(values)
    return np.asarray(values, dtype=np.float64)


class Tabular(nn.Module):
    """Transformer over feature tokens; where its configuration and weights come from is up to others."""

    config: Any

    def make(
        self,
        count: int,
        width: int,
        encoder_layers: int,
        decoder_layers: int,
        heads: int,
        feed_forward: int,
        dropout: float,
    ) -> None:
        """Make the parts, untrained, for so many features; the words are those of :class:`TabularEncoder`."""
        self.embedding = nn.Embedding(count + 1, width - 1)
        self.unknown = nn.Parameter(torch.zeros(count))
        layer: dict[str, Any] = {
            "d_model": width,
            "nhead": heads,
            "dim_feedforward": feed_forward,
            "dropout": dropout,
            "batch_first": True,
        }
        self.encoder, self.decoder = (
            nn.TransformerEncoder(nn.TransformerEncoderLayer(**layer), depth, enable_nested_tensor=False)
            for depth in (encoder_layers, decoder_layers)
        )
        self.head = nn.Linear(width, 1)

    def forward(self, values: Tensor, named: Tensor, present: Tensor) -> Tensor:
        """Return the context (batch, features + 1, width).

        Args:
            values: (batch, features) scaled to 0..1; ignored where not named.
            named: (batch, features) bool, False for a masked token.
            present: (batch,) bool, whether there is a nodule; without one every feature is masked.
        """
        named = named & present[:, None]
        features = torch.where(named, values, self.unknown.to(values.dtype).expand_as(values))
        column = torch.cat([present.to(values.dtype)[:, None], features], dim=1)[..., None]
        which = self.embedding.weight.to(values.dtype).expand(len(values), -1, -1)
        context: Tensor = self.encoder(torch.cat([column, which], dim=2))
        return context

    def restore(self, context: Tensor) -> Tensor:
        """Return every feature's scaled value (batch, features) as the decoder restores it."""
        restored: Tensor = torch.sigmoid(self.head(self.decoder(context)[:, 1:])).squeeze(-1)
        return restored

    def scale(self, table: Array) -> NDArray[np.float32]:
        """Return features in their own units (rows, features) scaled to 0..1 and clipped there."""
        config: Any = self.config
        columns = [transform(table[:, i], kind) for i, kind in enumerate(config.kinds)]
        low, high = np.asarray(config.low), np.asarray(config.high)
        scaled = (np.stack(columns, axis=1) - low) / np.maximum(high - low, 1e-12)
        return np.asarray(np.clip(scaled, 0, 1), dtype=np.float32)

    def encode_request(self, request: Mapping[str, float]) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
        """Return scaled values and which are named, both (features,), for a subset of features by name.

        Raises:
            SynthesizerError: a name is not a feature of this encoder.
        """
        config: Any = self.config
        names = list(config.feature_names)
        table, named = np.ones((1, len(names))), np.zeros(len(names), dtype=np.bool_)
        for name, value in request.items():
            if name not in names:
                raise SynthesizerError(
                    f"{name!r} is not a feature this model knows", hint=f"known: {', '.join(sorted(names))}"
                )
            table[0, names.index(name)] = value
            named[names.index(name)] = True
        return self.scale(table)[0], named
