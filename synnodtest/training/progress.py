"""Pictures of a training of the denoiser while it runs: a loss curve and a grid of samples."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline
    from synnodtest.training.windows import Batch

SAMPLES, SAMPLE_STEPS = 6, 12
"""Enough to judge a sample by eye; a training stops for it at every checkpoint."""
LEAST_LOSS = 1e-9
"""Height at which a loss of zero is drawn on a logarithmic axis."""


def loss_curve(curve: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the loss over steps as an SVG; nothing while there are fewer than two points."""
    if len(curve) < 2:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.semilogy([point["step"] for point in curve], [max(point["loss"], LEAST_LOSS) for point in curve])
    axes.set(title="Loss of the denoiser", xlabel="step", ylabel="loss")
    figure.savefig(path, format="svg", metadata={"Date": None})


def sample_grid(pipeline: NodulePipeline, batch: Batch, path: Path) -> None:
    """Write a picture of three rows: windows as trained on, redrawn with their nodule, redrawn without.

    The denoiser is left in the mode it was in.
    """
    from PIL import Image

    training = pipeline.unet.training
    pipeline.unet.eval()
    inputs = (batch.windows, batch.boxes, batch.values, batch.named)
    windows, boxes, values, named = (tensor[:SAMPLES].float() for tensor in inputs)
    drawn = pipeline(windows, boxes, values, named.bool(), list(range(len(windows))), steps=SAMPLE_STEPS)
    pipeline.unet.train(training)
    rows = [batch.target[:SAMPLES], drawn.nodule, drawn.plain]
    grid = np.concatenate([np.concatenate(list(row[:, 0].float().cpu().numpy()), axis=1) for row in rows])
    Image.fromarray(np.asarray(np.clip(127.5 + 85 * grid, 0, 255), dtype=np.uint8)).save(path)
