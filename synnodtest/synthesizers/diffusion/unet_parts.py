"""Parts of the denoiser, with the names of diffusers' weights."""

from __future__ import annotations

import math
from collections import OrderedDict

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from synnodtest.synthesizers.diffusion.settings import Settings


class Resnet(nn.Module):
    """Two convolutions beside a short cut; the time shifts what is between them."""

    def __init__(self, channels: int, out: int, time: int, config: Settings) -> None:
        super().__init__()
        self.norm1 = nn.GroupNorm(config.norm_num_groups, channels, eps=config.norm_eps)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.time_emb_proj = nn.Linear(time, out)
        self.norm2 = nn.GroupNorm(config.norm_num_groups, out, eps=config.norm_eps)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.conv_shortcut = nn.Conv2d(channels, out, 1) if channels != out else nn.Identity()

    def forward(self, x: Tensor, time: Tensor) -> Tensor:
        """Return (batch, out, h, w) from (batch, channels, h, w) and the embedded time."""
        hidden = self.conv1(F.silu(self.norm1(x))) + self.time_emb_proj(F.silu(time))[:, :, None, None]
        hidden = self.conv2(F.silu(self.norm2(hidden)))
        joined: Tensor = self.conv_shortcut(x) + hidden
        return joined


class _Attention(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.to_q = nn.Linear(width, width, bias=False)
        self.to_k = nn.Linear(context, width, bias=False)
        self.to_v = nn.Linear(context, width, bias=False)
        self.to_out = nn.ModuleList([nn.Linear(width, width)])

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        q, k, v = (self._split(part) for part in (self.to_q(x), self.to_k(context), self.to_v(context)))
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)
        mixed: Tensor = self.to_out[0](attended)
        return mixed

    def _split(self, part: Tensor) -> Tensor:
        return part.view(len(part), -1, self.heads, part.shape[-1] // self.heads).transpose(1, 2)


class _Gate(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.proj = nn.Linear(width, 8 * width)

    def forward(self, x: Tensor) -> Tensor:
        values, gate = self.proj(x).chunk(2, dim=-1)
        gated: Tensor = values * F.gelu(gate)
        return gated


class _Layer(nn.Module):
    def __init__(self, width: int, context: int, heads: int) -> None:
        super().__init__()
        self.norm1, self.norm2, self.norm3 = nn.LayerNorm(width), nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn1 = _Attention(width, width, heads)
        self.attn2 = _Attention(width, context, heads)
        feed = nn.Sequential(_Gate(width), nn.Identity(), nn.Linear(4 * width, width))
        self.ff = nn.Sequential(OrderedDict[str, nn.Module](net=feed))

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        normed = self.norm1(x)
        x = self.attn1(normed, normed) + x
        x = self.attn2(self.norm2(x), context) + x
        fed: Tensor = self.ff(self.norm3(x)) + x
        return fed


class Transformer(nn.Module):
    """Every place looks at all others and at the context."""

    def __init__(self, width: int, config: Settings) -> None:
        super().__init__()
        self.norm = nn.GroupNorm(config.norm_num_groups, width, eps=1e-6)
        self.proj_in = nn.Conv2d(width, width, 1)
        self.transformer_blocks = nn.ModuleList([_Layer(width, config.cross_attention_dim, config.attention_head_dim)])
        self.proj_out = nn.Conv2d(width, width, 1)

    def forward(self, x: Tensor, context: Tensor) -> Tensor:
        """Return (batch, width, h, w) from the same and (batch, tokens, context)."""
        batch, width, height, across = x.shape
        hidden = self.proj_in(self.norm(x)).permute(0, 2, 3, 1).reshape(batch, height * across, width)
        hidden = self.transformer_blocks[0](hidden, context)
        hidden = hidden.reshape(batch, height, across, width).permute(0, 3, 1, 2).contiguous()
        attended: Tensor = self.proj_out(hidden) + x
        return attended


class TimeEmbedding(nn.Module):
    """The time as waves of many lengths, and what is learned of them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.channels = channels
        self.linear_1 = nn.Linear(channels, 4 * channels)
        self.linear_2 = nn.Linear(4 * channels, 4 * channels)

    def forward(self, times: Tensor, like: Tensor) -> Tensor:
        """Return (batch, 4 * channels) of times (batch,), in the type of numbers of ``like``."""
        half = self.channels // 2
        exponent = -math.log(10000) * torch.arange(half, dtype=torch.float32, device=times.device) / half
        angle = times[:, None].float() * torch.exp(exponent)[None, :]
        waves = torch.cat([torch.cos(angle), torch.sin(angle)], dim=-1).to(like.dtype)
        embedded: Tensor = self.linear_2(F.silu(self.linear_1(waves)))
        return embedded
