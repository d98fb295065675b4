"""What one training step of the denoiser sees."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Batch:
    """What one step sees; tensors (batch, 1, size, size) and (batch, features)."""

    windows: torch.Tensor
    target: torch.Tensor
    boxes: torch.Tensor
    weight: torch.Tensor
    values: torch.Tensor
    named: torch.Tensor
    present: torch.Tensor
