"""Training the tabular encoder: restore masked features from the ones that are named."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import seed_sequence
from synnodtest.geometry import Array
from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.training.course import learn_from

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder

MASKING_RATES = (0.3, 0.5, 0.7, 0.8, 0.85, 0.9)
"""Shares of features that are masked, one after the other: those of RadiomicsFill-Mammo, the architecture that this
follows."""


def fit_bounds(table: Array) -> tuple[list[str], list[float], list[float]]:
    """Return per feature the scale (the least skewed of linear, log, cube root) and the bounds on it.

    Bounds are the 0.1 and 99.9 percentiles, so that one odd nodule does not squeeze all others.
    """
    from scipy.stats import skew

    from synnodtest.synthesizers.diffusion.tabular import transform

    kinds, low, high = [], [], []
    for column in table.T:
        options = ["linear", "cbrt"] + (["log"] if column.min() > 0 else [])
        kind = min(options, key=lambda name: abs(float(skew(transform(column, name)))))
        bounds = np.atleast_1d(np.percentile(transform(column, kind), [0.1, 99.9]))
        kinds.append(kind)
        low.append(float(bounds[0]))
        high.append(float(bounds[1]))
    return kinds, low, high


def rarity(scaled: NDArray[np.float32]) -> Array:
    """Return sampling weights of rows, larger where the nearest other row is farther."""
    from scipy.spatial import cKDTree

    distance = np.asarray(cKDTree(scaled).query(scaled, k=2)[0])[:, 1]
    weight = np.clip(distance, *np.percentile(distance, [5, 95]))
    return np.asarray(weight / weight.sum(), dtype=np.float64)


def train_encoder(
    table: Array, out: Path, *, steps: int = 4000, batch: int = 64, seed: int = 0, report: Callable[[str], None] = print
) -> TabularEncoder:
    """Train the encoder on a table of features and save it in ``out``.

    Args:
        table: (n, features) in their own units: diameter in mm, contrast, and the radiomics features.
        out: Folder to write (``config.json`` with names and bounds, safetensors).
        steps: Optimizer steps over all masking rates; the last, 0.9, is the one that counts.
        batch: Rows per step.
        seed: Of initial weights, masks and order.
        report: Called with one line now and then.

    Returns:
        The encoder, frozen and in eval mode.
    """
    import torch

    from synnodtest.synthesizers.diffusion.encoder import TabularEncoder

    rng = np.random.default_rng(seed_sequence("encoder", seed))
    torch.manual_seed(seed)
    kinds, low, high = fit_bounds(table)
    encoder = TabularEncoder(feature_names=["diameter_mm", "contrast", *FEATURE_NAMES], kinds=kinds, low=low, high=high)
    scaled = encoder.scale(table)
    weight = rarity(scaled)
    optimizer = torch.optim.AdamW(encoder.parameters(), lr=1e-3)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, max(steps // 8, 1), 0.6)
    encoder.train()
    began, losses = time.monotonic(), []
    for step in range(steps):
        rate = MASKING_RATES[min(step * len(MASKING_RATES) // steps, len(MASKING_RATES) - 1)]
        values = torch.from_numpy(scaled[rng.choice(len(scaled), batch, p=weight)])
        named = torch.from_numpy(rng.random(values.shape) >= rate)
        named[: batch // 4] = False
        named[: batch // 4, :2] = True
        restored = encoder.restore(encoder(values, named, torch.ones(batch, dtype=torch.bool)))
        losses.append(float(learn_from(torch.nn.functional.mse_loss(restored, values), encoder, optimizer)))
        schedule.step()
        if (step + 1) % 200 == 0:
            passed = time.monotonic() - began
            report(f"encoder step {step + 1}/{steps} rate {rate} loss {np.mean(losses[-200:]):.4f} {passed:.0f} s")
    encoder.eval()
    encoder.requires_grad_(False)
    encoder.save_pretrained(out, safe_serialization=True)
    return encoder  # type: ignore[no-any-return]
