"""What a training of the denoiser shows while it runs: a loss curve and a grid of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline
    from synnodtest.training.batch import Batch

__all__ = ["loss_curve", "sample_grid"]

WIDTH, HEIGHT, MARGIN = 640, 320, 48
SAMPLE_STEPS = 12


def loss_curve(curve: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the loss over steps as an SVG; nothing while there are fewer than two points."""
    if len(curve) < 2:
        return
    steps = np.asarray([point["step"] for point in curve])
    losses = np.log10(np.maximum([point["loss"] for point in curve], 1e-9))
    low, high = float(losses.min()), max(float(losses.max()), float(losses.min()) + 1e-3)
    x = MARGIN + (WIDTH - 2 * MARGIN) * (steps - steps[0]) / max(float(steps[-1] - steps[0]), 1.0)
    y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (losses - low) / (high - low)
    line = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    path.write_text(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif"'
        f' font-size="12">'
        f'<title>Loss of the denoiser</title><rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
        f'<polyline points="{line}" fill="none" stroke="#0b5fa5" stroke-width="1.5"/>'
        f'<text x="{MARGIN}" y="{HEIGHT - 16}">step {steps[0]:.0f}</text>'
        f'<text x="{WIDTH - MARGIN}" y="{HEIGHT - 16}" text-anchor="end">step {steps[-1]:.0f}</text>'
        f'<text x="8" y="{MARGIN - 8}">loss {10**high:.3g}</text>'
        f'<text x="8" y="{HEIGHT - MARGIN + 4}">{10**low:.3g}</text></svg>\n',
        encoding="utf-8",
    )


def sample_grid(pipeline: NodulePipeline, batch: Batch, path: Path, *, count: int = 6) -> None:
    """Write a picture of three rows: windows as trained on, redrawn with their nodule, redrawn without.

    The denoiser is left in the mode it was in.
    """
    from PIL import Image

    training = pipeline.unet.training
    pipeline.unet.eval()
    inputs = (batch.windows, batch.boxes, batch.values, batch.named)
    windows, boxes, values, named = (tensor[:count].float() for tensor in inputs)
    made = pipeline(windows, boxes, values, named.bool(), list(range(len(windows))), steps=SAMPLE_STEPS)
    pipeline.unet.train(training)
    rows = [batch.target[:count], made.nodule, made.plain]
    grid = np.concatenate([np.concatenate(list(row[:, 0].float().cpu().numpy()), axis=1) for row in rows])
    Image.fromarray(np.asarray(np.clip(127.5 + 85 * grid, 0, 255), dtype=np.uint8)).save(path)
