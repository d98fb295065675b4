"""The denoiser of the shipped model's kind, for drawing: diffusers' ``UNet2DConditionModel`` without diffusers.

Loading diffusers takes three seconds of processor time, in every worker. Names of the weights, and results to the last
bit, are those of ``UNet2DConditionModel``; a configuration that asks for more than stands here is left to that class.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from types import SimpleNamespace

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synnodtest.synthesizers.diffusion.settings import Settings
from synnodtest.synthesizers.diffusion.unet_parts import Resnet, TimeEmbedding, Transformer

_ASKED = (
    *("in_channels", "out_channels", "block_out_channels", "layers_per_block", "cross_attention_dim"),
    *("norm_num_groups", "norm_eps", "attention_head_dim", "down_block_types", "up_block_types"),
    "sample_size",
)
"""Settings that a configuration may choose; ``sample_size`` changes nothing."""
_FIXED: dict[str, object] = {
    "act_fn": "silu",
    "attention_type": "default",
    "conv_in_kernel": 3,
    "conv_out_kernel": 3,
    "downsample_padding": 1,
    "flip_sin_to_cos": True,
    "freq_shift": 0,
    "mid_block_scale_factor": 1,
    "mid_block_type": "UNetMidBlock2DCrossAttn",
    "resnet_out_scale_factor": 1.0,
    "resnet_time_scale_shift": "default",
    "time_embedding_type": "positional",
    "transformer_layers_per_block": 1,
    "addition_embed_type_num_heads": 64,
}
"""Settings that must stand as here; all else must be off."""
_DOWN = {"DownBlock2D": False, "CrossAttnDownBlock2D": True}
_UP = {"UpBlock2D": False, "CrossAttnUpBlock2D": True}
LARGE_BATCH = 64
"""Rows from which diffusers, against a fault of torch, lets go of channels-last before it doubles the size."""


def can_draw(config: Settings) -> bool:
    """Return whether :class:`DrawingUNet` is the network of a configuration of ``UNet2DConditionModel``."""
    counts = ("layers_per_block", "cross_attention_dim", "norm_num_groups", "attention_head_dim")
    return (
        config.get("_class_name") == "UNet2DConditionModel"
        and all(isinstance(config.get(name), int) for name in counts)
        and set(config["down_block_types"]) <= set(_DOWN)
        and set(config["up_block_types"]) <= set(_UP)
        and all(
            value == _FIXED[name] if name in _FIXED else not value
            for name, value in config.items()
            if name not in _ASKED and name[0] != "_"
        )
    )


class _Block(nn.Module):
    """Residual blocks, each followed by attention where the block attends, and a change of size but after the last."""

    resizers: str
    stride: int

    def __init__(
        self, sizes: Sequence[tuple[int, int]], time: int, config: Settings, *, attends: bool, last: bool
    ) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(channels, out, time, config) for channels, out in sizes])
        self.attentions = nn.ModuleList([Transformer(out, config) for _, out in sizes] if attends else [])
        width = sizes[-1][1]
        resize = OrderedDict[str, nn.Module](conv=nn.Conv2d(width, width, 3, stride=self.stride, padding=1))
        setattr(self, self.resizers, nn.ModuleList([] if last else [nn.Sequential(resize)]))

    def one(self, index: int, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        """Pass one residual block and what follows it."""
        x = self.resnets[index](x, time)
        attended: Tensor = self.attentions[index](x, context) if self.attentions else x
        return attended


class _Down(_Block):
    resizers, stride = "downsamplers", 2
    downsamplers: nn.ModuleList

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> list[Tensor]:
        """Return what every part makes, the last first to be asked for."""
        skips = []
        for index in range(len(self.resnets)):
            x = self.one(index, x, time, context)
            skips.append(x)
        for smaller in self.downsamplers:
            skips.append(smaller(x))
        return skips


class _Up(_Block):
    resizers, stride = "upsamplers", 1
    upsamplers: nn.ModuleList

    def forward(self, x: Tensor, skips: list[Tensor], time: Tensor, context: Tensor) -> Tensor:
        """Take the last of ``skips`` beside every residual block."""
        for index in range(len(self.resnets)):
            x = self.one(index, torch.cat([x, skips.pop()], dim=1), time, context)
        for larger in self.upsamplers:
            x = larger(_doubled(x, skips[-1]))
        return x


def _doubled(x: Tensor, skip: Tensor) -> Tensor:
    x = x.contiguous() if len(x) >= LARGE_BATCH else x
    if skip.shape[2:] == (2 * x.shape[2], 2 * x.shape[3]):
        return F.interpolate(x, scale_factor=2.0, mode="nearest")
    return F.interpolate(x, size=skip.shape[2:], mode="nearest")


class _Middle(nn.Module):
    def __init__(self, width: int, time: int, config: Settings) -> None:
        super().__init__()
        self.resnets = nn.ModuleList([Resnet(width, width, time, config) for _ in range(2)])
        self.attentions = nn.ModuleList([Transformer(width, config)])

    def forward(self, x: Tensor, time: Tensor, context: Tensor) -> Tensor:
        x = self.attentions[0](self.resnets[0](x, time), context)
        passed: Tensor = self.resnets[1](x, time)
        return passed


class DrawingUNet(nn.Module):
    """The denoiser: noisy latent and what is known beside it, time and context to the prediction.

    Args:
        config: As diffusers writes it; one that :func:`can_draw` accepts.
    """

    def __init__(self, config: Settings) -> None:
        super().__init__()
        self.config = own = Settings({"norm_eps": 1e-5, **config})
        widths, time = list(own.block_out_channels), 4 * own.block_out_channels[0]
        last = len(widths) - 1
        self.conv_in = nn.Conv2d(own.in_channels, widths[0], 3, padding=1)
        self.time_embedding = TimeEmbedding(widths[0])
        self.down_blocks = nn.ModuleList(
            _Down(sizes, time, own, attends=_DOWN[kind], last=k == last)
            for k, (sizes, kind) in enumerate(
                zip(_down(widths, own.layers_per_block), own.down_block_types, strict=True)
            )
        )
        self.mid_block = _Middle(widths[-1], time, own)
        self.up_blocks = nn.ModuleList(
            _Up(sizes, time, own, attends=_UP[kind], last=k == last)
            for k, (sizes, kind) in enumerate(zip(_up(widths, own.layers_per_block), own.up_block_types, strict=True))
        )
        self.conv_norm_out = nn.GroupNorm(own.norm_num_groups, widths[0], eps=own.norm_eps)
        self.conv_out = nn.Conv2d(widths[0], own.out_channels, 3, padding=1)

    def forward(self, sample: Tensor, timestep: Tensor | float, encoder_hidden_states: Tensor) -> SimpleNamespace:
        """Return the prediction as ``.sample``, of the shape of the latent.

        Args:
            sample: (batch, in_channels, h, w).
            timestep: One for all rows.
            encoder_hidden_states: (batch, tokens, width) the context.
        """
        times = torch.as_tensor(timestep, device=sample.device).reshape(-1).expand(len(sample))
        time, context = self.time_embedding(times, sample), encoder_hidden_states
        skips = [self.conv_in(sample)]
        for block in self.down_blocks:
            skips += block(skips[-1], time, context)
        x = self.mid_block(skips[-1], time, context)
        for block in self.up_blocks:
            x = block(x, skips, time, context)
        return SimpleNamespace(sample=self.conv_out(F.silu(self.conv_norm_out(x))))


def _down(widths: Sequence[int], layers: int) -> list[list[tuple[int, int]]]:
    """Return channels in and out of every residual block on the way down."""
    return [[(widths[max(k - 1, 0)], w), *[(w, w)] * (layers - 1)] for k, w in enumerate(widths)]


def _up(widths: Sequence[int], layers: int) -> list[list[tuple[int, int]]]:
    """Return the same for the way up, where each takes what its counterpart made beside what comes from below."""
    back, blocks = list(widths[::-1]), []
    for k, width in enumerate(back):
        below, beside = back[max(k - 1, 0)], back[min(k + 1, len(back) - 1)]
        from_below = [below, *[width] * layers]
        blocks.append([(b + s, width) for b, s in zip(from_below, [*[width] * layers, beside], strict=True)])
    return blocks
