"""The training loop of the denoiser: resumable, time-boxed, with an average of the weights."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from synnodtest.canonical import seed_sequence
from synnodtest.synthesizers.diffusion.segment import RIM_PX
from synnodtest.training.course import Course, follow, set_rate
from synnodtest.training.diffusion_recipe import Recipe
from synnodtest.training.windows import NODULE, PLAIN, Batch, TrainingWindows, mean_outside

if TYPE_CHECKING:
    from synnodtest.synthesizers.diffusion.pipeline import NodulePipeline

NOISE_POWER = 0.7
"""Below 1: noisier steps, which settle a nodule's shape, come more often."""
SAMPLES, SAMPLE_STEPS = 6, 12
"""Enough to judge a sample by eye; a training stops for it at every checkpoint."""
LEAST_LOSS = 1e-9
"""Height at which a loss of zero is drawn on a logarithmic axis."""


def _boxes(mask: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return square masks around the centre that hold the nodule with a margin drawn anew each time.

    Half are roomy, so that the box does not always give the size away.
    """
    count, size, _ = mask.shape
    centre = (size - 1) / 2
    rows, columns = mask.any(axis=2), mask.any(axis=1)
    position = np.abs(np.arange(size) - centre)
    reach = np.maximum((rows * position).max(axis=1), (columns * position).max(axis=1))
    diameter = 2 * np.sqrt(mask.sum(axis=(1, 2)) / np.pi)
    half = rng.uniform(1.25, 1.6, count) * diameter / 2 + rng.uniform(1.5, 4.5, count)
    half = np.minimum(np.maximum(half, reach + 2), size / 2 - RIM_PX)
    half = np.where(rng.random(count) < 0.5, rng.uniform(half, size / 2 - RIM_PX), half)
    inside = position[None] <= half[:, None]
    return np.asarray(inside[:, :, None] & inside[:, None, :], dtype=np.float32)


def _ellipse(mask: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return the ellipse around the centre that follows the nodule's axes and holds it with a random margin."""
    size = len(mask)
    y, x = (axis - (size - 1) / 2 for axis in np.mgrid[:size, :size].astype(np.float32))
    points = np.stack([y[mask], x[mask]])
    moments = points @ points.T / points.shape[1] + 0.1 * np.eye(2)
    values, vectors = np.linalg.eigh(moments)
    axes = np.minimum(2 * np.sqrt(values) * rng.uniform(1.3, 1.7) + rng.uniform(1.5, 4.0), size / 2 - RIM_PX)
    across, along = (vectors[0, k] * y + vectors[1, k] * x for k in (0, 1))
    radius = np.hypot(across / axes[0], along / axes[1])
    grown = max(1.0, float(radius[mask].max()) + 1.5 / float(axes[0]))
    return np.asarray((radius <= grown) & (np.maximum(np.abs(x), np.abs(y)) <= size / 2 - RIM_PX), dtype=np.float32)


def _regions(mask: np.ndarray[Any, Any], rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return what is to be redrawn: mostly ellipses along the nodule's axes, else boxes."""
    regions = _boxes(mask, rng)
    for row in np.flatnonzero(rng.random(len(mask)) < 0.75):
        regions[row] = _ellipse(mask[row], rng)
    return regions


def _subsets(count: int, features: int, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Return which features are named: size and contrast alone, all, one, or any subset of them."""
    named = rng.random((count, features)) >= rng.uniform(0, 1, count)[:, None]
    kind = rng.random(count)
    alone = kind < 0.2
    named[alone] = False
    named[alone, :2] = True
    named[(kind >= 0.2) & (kind < 0.45)] = True
    single = np.flatnonzero(kind >= 0.75)
    named[single] = False
    named[single, rng.integers(2, features, single.size)] = True
    paired = single[rng.random(single.size) < 0.6]
    named[paired, :2] = True
    return named


def draw_batch(data: TrainingWindows, scaled: np.ndarray[Any, Any], recipe: Recipe, rng: np.random.Generator) -> Batch:
    """Return a random batch: windows mirrored at random, some without their nodule, some features named."""
    rows = rng.integers(0, len(data), recipe.batch)
    base, delta = data.base[rows].astype(np.float32), data.delta[rows].astype(np.float32)
    mask = data.mask[rows]
    mirrored = rng.random(recipe.batch) < 0.5
    for array in (base, delta, mask):
        array[mirrored] = array[mirrored][:, :, ::-1]
    boxes = _regions(mask, rng)
    base -= mean_outside(base, boxes)
    present = rng.random(recipe.batch) >= recipe.without
    present = np.where(data.kind[rows] == NODULE, True, np.where(data.kind[rows] == PLAIN, False, present))
    target = base + delta * present[:, None, None]
    weight = recipe.outside + boxes + 2 * mask * present[:, None, None]
    named = _subsets(recipe.batch, scaled.shape[1], rng)

    def image(array: np.ndarray[Any, Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, dtype=np.float32))[:, None]

    return Batch(
        windows=image(np.clip(base, -3, 3)),
        target=image(np.clip(target, -3, 3)),
        boxes=image(boxes),
        weight=image(weight),
        values=torch.from_numpy(scaled[rows]),
        named=torch.from_numpy(named),
        present=torch.from_numpy(present),
    )


def _loss(pipeline: NodulePipeline, unet: Any, batch: Batch, draw: torch.Generator) -> torch.Tensor:
    scheduler = pipeline.scheduler
    with torch.no_grad():
        clean = pipeline.encode(batch.target)
        hidden = pipeline.hidden(batch.windows, batch.boxes)
        context = pipeline.tabular_encoder(batch.values, batch.named, batch.present)
        noise = torch.randn(clean.shape, generator=draw).to(clean.device)
        share = torch.rand(len(clean), generator=draw) ** NOISE_POWER
        last = int(scheduler.config.num_train_timesteps) - 1
        time_ = (share * (last + 1)).long().clamp(max=last).to(clean.device)
        noisy = scheduler.add_noise(clean, noise, time_)
        target = scheduler.get_velocity(clean, noise, time_)
        if scheduler.config.prediction_type == "epsilon":
            target = noise
        weight = torch.nn.functional.adaptive_avg_pool2d(batch.weight, (clean.shape[2], clean.shape[3]))
        weight = weight / weight.sum(dim=(1, 2, 3), keepdim=True) / clean.shape[1]
    stacked = torch.cat([noisy, hidden], dim=1).to(memory_format=torch.channels_last)
    predicted = unet(stacked, time_, encoder_hidden_states=context).sample
    loss: torch.Tensor = ((predicted.float() - target) ** 2 * weight).sum(dim=(1, 2, 3)).mean()
    return loss


def fit_denoiser(
    pipeline: NodulePipeline,
    data: TrainingWindows,
    work: Path,
    recipe: Recipe,
    *,
    resume: bool = True,
    report: Callable[[str], None] = print,
) -> list[dict[str, float]]:
    """Train ``pipeline.unet`` in place; it holds the averaged weights afterwards.

    A checkpoint in ``work`` is taken up where it stands if ``resume``; it is replaced atomically, so that a run
    killed at any moment loses at most ``recipe.save_minutes``. With every checkpoint come ``loss.svg`` and
    ``samples.png``. Devices, mixed precision and several GPUs are accelerate's: start it with ``accelerate launch`` for
    more than one; each process draws its own batches, and the first one saves.

    Returns:
        The loss curve: step, seconds and mean loss per 50 steps; also written to ``work/loss.json``.
    """
    fit = _Fit(pipeline, data, work, recipe, report)
    if resume:
        fit.course.take_up(fit.accelerator.device)
    fit.run()
    return fit.course.curve


class _Fit:
    """A denoiser in training: its weights, their average, the optimizer, and how far they are."""

    def __init__(
        self, pipeline: NodulePipeline, data: TrainingWindows, work: Path, recipe: Recipe, report: Callable[[str], None]
    ) -> None:
        work.mkdir(parents=True, exist_ok=True)
        self.pipeline, self.data, self.work, self.recipe = pipeline, data, work, recipe
        self.accelerator = _accelerator(recipe)
        pipeline.to(self.accelerator.device)
        self.unet = pipeline.unet.to(memory_format=torch.channels_last)
        self.unet.train()
        self.optimizer: Any = torch.optim.AdamW(
            self.unet.parameters(), lr=recipe.learning_rate, betas=(0.9, 0.999), weight_decay=1e-2
        )
        self.average = deepcopy(self.unet)
        parts = {"unet": self.unet, "average": self.average, "optimizer": self.optimizer}
        self.course = Course("denoiser", work / "checkpoint.pt", parts, 50, report)
        self.scaled = pipeline.tabular_encoder.scale(data.features)

    def run(self) -> None:
        """Train until time or steps are over; the pipeline's denoiser holds the averaged weights afterwards."""
        model, self.optimizer = self.accelerator.prepare(self.unet, self.optimizer)
        batch = draw_batch(self.data, self.scaled, self.recipe, np.random.default_rng(self.recipe.seed))
        self.batch = _on(self.accelerator.device, batch)
        self.course.run(lambda: self._step(model), self._done, self._save, self.recipe.save_minutes)
        self.accelerator.unwrap_model(model, keep_fp32_wrapper=False)
        self.unet.load_state_dict(self.average.state_dict())
        self.unet.eval()

    def _step(self, model: Any) -> torch.Tensor:
        """Learn from one batch; return its loss."""
        step, recipe, own = self.course.step, self.recipe, self.accelerator.process_index
        rng = np.random.default_rng(seed_sequence("denoiser", recipe.seed, step, *([own] if own else [])))
        draw = torch.Generator().manual_seed(int(rng.integers(2**62)))
        progress = recipe.progress(step, self.course.seconds)
        set_rate(self.optimizer, recipe.learning_rate, (step + 1) / max(recipe.warm_up, 1), progress, 0.1)
        self.batch = _on(self.accelerator.device, draw_batch(self.data, self.scaled, recipe, rng))
        with self.accelerator.autocast():
            loss = _loss(self.pipeline, model, self.batch, draw)
        self.optimizer.zero_grad(set_to_none=True)
        self.accelerator.backward(loss)
        self.accelerator.clip_grad_norm_(model.parameters(), 1.0)
        self.optimizer.step()
        follow(self.average, self.unet, min(recipe.average, (1 + step) / (10 + step)))
        return loss.detach()

    def _done(self) -> bool:
        """Return whether all processes stop: each has its own clock, the first one's counts."""
        progress = self.recipe.progress(self.course.step, self.course.seconds)
        if self.accelerator.num_processes == 1:
            return progress >= 1
        from accelerate.utils import broadcast

        return bool(broadcast(torch.tensor(progress, device=self.accelerator.device)) >= 1)

    def _save(self) -> None:
        """Write checkpoint, curve and what the denoiser makes of a batch; the first process does."""
        if not self.accelerator.is_main_process:
            return
        _loss_curve(self.course.curve, self.work / "loss.svg")
        _sample_grid(self.pipeline, self.batch, self.work / "samples.png")
        self.course.save()
        (self.work / "loss.json").write_text(json.dumps(self.course.curve))


def _accelerator(recipe: Recipe) -> Any:
    """Return a fresh accelerator; the state that accelerate keeps per process would forbid another precision."""
    from accelerate import Accelerator
    from accelerate.state import AcceleratorState

    AcceleratorState._reset_state()
    precision = "no" if recipe.precision == "fp32" else recipe.precision
    return Accelerator(mixed_precision=precision, cpu=not torch.cuda.is_available())


def _on(device: Any, batch: Batch) -> Batch:
    return Batch(*(tensor.to(device) for tensor in batch))


def _loss_curve(curve: Sequence[Mapping[str, float]], path: Path) -> None:
    """Write the loss over steps as an SVG; nothing while there are fewer than two points."""
    if len(curve) < 2:
        return
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 3.2), layout="constrained")
    axes = figure.subplots()
    axes.semilogy([point["step"] for point in curve], [max(point["loss"], LEAST_LOSS) for point in curve])
    axes.set(title="Loss of the denoiser", xlabel="step", ylabel="loss")
    figure.savefig(path, format="svg", metadata={"Date": None})


def _sample_grid(pipeline: NodulePipeline, batch: Batch, path: Path) -> None:
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
