"""Recipes of a training of the diffusion synthesizer: steps, batch, learning rate, and the presets by name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Recipe:
    """Settings of the training.

    Args:
        batch: Windows per step.
        learning_rate: At its highest, after ``warm_up`` steps; a cosine brings it down to a tenth at the end.
        warm_up: Steps.
        steps: Stop after so many in all; 0 for no limit.
        minutes: Stop after so much time in all, over all resumptions; 0 for no limit.
        without: Share of windows shown without a nodule.
        average: Decay of the averaged weights, which are the ones saved.
        outside: Weight of the loss outside the mask.
        save_minutes: Time between checkpoints.
        seed: Of noise, order and subsets.
        precision: ``bf16``, ``fp16`` or ``fp32``.
    """

    batch: int = 16
    learning_rate: float = 4e-4
    warm_up: int = 200
    steps: int = 0
    minutes: float = 0.0
    without: float = 0.3
    average: float = 0.999
    outside: float = 0.02
    save_minutes: float = 5.0
    seed: int = 0
    precision: str = "bf16"

    def progress(self, step: int, seconds: float) -> float:
        """Return how much of the training is done, 0..1."""
        done = [step / self.steps] if self.steps else []
        done += [seconds / 60 / self.minutes] if self.minutes else []
        return min(max(done), 1.0) if done else 0.0


@dataclass(frozen=True)
class Preset:
    """Settings of a training: which parts, and how.

    Args:
        size: Edge of the windows in pixels.
        spacing_mm: Distance between their pixel centres.
        value_gain: Factor from lung ranges to the codec's scale.
        encoder_steps: Steps of the tabular encoder.
        recipe: Of the denoiser.
        channels: Of the denoiser's levels, where there is no base model.
        denoising_steps: How many a trained model takes by default (DPM-Solver++).
        flatter: See :class:`~synnodtest.synthesizers.diffusion.calibration.Calibration`; fitted to nodules that readers
            marked on films (models/diffusion/README.md).
        softer: Likewise.
    """

    size: int
    spacing_mm: float
    value_gain: float
    encoder_steps: int
    recipe: Recipe
    channels: tuple[int, ...] = (64, 96, 160)
    denoising_steps: int = 2
    flatter: float = 2.0
    softer: float = 0.12


PRESETS = {
    "small": Preset(96, 0.7, 1.0, 1800, Recipe(minutes=75)),
    "tiny": Preset(96, 0.7, 1.0, 5, Recipe(steps=4, batch=4, warm_up=1), (16, 16, 32)),
    "paper": Preset(
        256,
        0.27,
        0.5,
        20000,
        Recipe(batch=16, learning_rate=1e-5, warm_up=10000, steps=100_000, outside=1.0, precision="fp16"),
        denoising_steps=25,
    ),
}
"""``small`` trains on two cores; ``paper`` fine-tunes Stable Diffusion 2 inpainting on a GPU; ``tiny`` is for tests."""
