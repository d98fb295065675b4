"""Training of the segmenter: a small U-Net on phantoms with domain randomisation, resumable, for one core."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.backgrounds.segmenter import CHANNELS, STRUCTURES, WEIGHTS_FILE
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynnodError, require
from synnodtest.training.course import Course, learn_from, set_rate
from synnodtest.training.segmenter_augment import example
from synnodtest.training.segmenter_data import Chests, chests

BATCH = 16
"""Phantoms per step, as the shipped weights were trained; set by hand: with a time given, larger batches leave fewer
steps."""
_RATE, _WARM_UP = 3e-3, 30
"""Highest rate of AdamW, as the shipped weights were trained; set by hand, after so many steps of warming up and with a
cosine to 0."""
_TOLD_EVERY, _SAVE_MINUTES = 100, 4.0
"""Steps between two lines of progress, and time between saved states: what a stop can lose, a hundred steps at the 563
in 25 minutes of the shipped weights."""


def train_segmenter(
    out: Path,
    *,
    phantoms: int = 800,
    minutes: float = 25.0,
    resume: bool = True,
    seed: int = 0,
    report: Callable[[str], None] = print,
) -> Path:
    """Train the segmenter and return the path of its weights, ``out/segmenter.safetensors``.

    Args:
        out: Folder of the run; made phantoms and ``checkpoint.pt`` stay there.
        phantoms: How many unusual phantoms to train on.
        minutes: Time to train for, phantoms not counted; the learning rate falls to zero over it.
        resume: Go on where an interrupted run in ``out`` stopped.
        seed: Of initialisation and augmentation.
        report: Told of progress.

    Raises:
        SynnodError: nothing to train on, or no torch.
    """
    if phantoms < 1 or minutes <= 0:
        raise SynnodError("nothing to train on or no time to train", hint="--phantoms 800 --minutes 25")
    require("torch", "diffusion", "training the segmenter")
    import torch

    data = chests(phantoms, out / "phantoms", report)
    torch.manual_seed(seed)
    net = _network(torch).to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=1e-2)
    course = Course("segmenter", out / "checkpoint.pt", {"net": net, "optimiser": optimiser}, _TOLD_EVERY, report)
    if resume:
        course.take_up("cpu")

    def done() -> float:
        return course.seconds / 60 / minutes

    def learn() -> Any:
        set_rate(optimiser, _RATE, (course.step + 1) / _WARM_UP, done(), 0.0)
        pictures, targets = map(torch.from_numpy, _batch(data, seed, course.step))
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = net(pictures.to(memory_format=torch.channels_last))
        return learn_from(_loss(torch, logits.float(), targets), net, optimiser)

    net.train()
    course.run(learn, lambda: done() >= 1, course.save, _SAVE_MINUTES)
    return _exported(torch, net.eval(), course.step, out / WEIGHTS_FILE)


def _batch(data: Chests, seed: int, number: int) -> tuple[Any, Any]:
    """Return input and target of one step; the same for the same seed and number."""
    rng = np.random.default_rng(seed_sequence("segmenter-batch", seed, number))
    chosen = rng.integers(len(data), size=BATCH)
    examples = [example(data.pixels[index].astype(np.float32), data.bits[index], rng) for index in chosen]
    return np.stack([picture for picture, _ in examples]), np.stack([target for _, target in examples])


def _exported(torch: Any, net: Any, steps: int, path: Path) -> Path:
    """Write the weights, normalisation folded into the convolutions, in half precision; return their file."""
    from safetensors.numpy import save_file

    tensors = {}
    # safetensors writes an array's memory as it lies there, channels-last or not.
    for index, (weight, bias) in enumerate(_folded_layers(torch, net)):
        tensors[f"{index:02d}.weight"] = np.ascontiguousarray(weight.numpy(), dtype=np.float16)
        tensors[f"{index:02d}.bias"] = np.ascontiguousarray(bias.numpy(), dtype=np.float16)
    save_file(tensors, path, metadata={"structures": ",".join(STRUCTURES), "steps": str(steps)})
    return path


def _loss(torch: Any, logits: Any, targets: Any) -> Any:
    """Return cross-entropy plus one minus the soft Dice, averaged over the structures."""
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(logits, targets)
    p = torch.sigmoid(logits)
    both, total = (p * targets).sum((0, 2, 3)), (p + targets).sum((0, 2, 3))
    return entropy + (1 - (2 * both + 1) / (total + 1)).mean()


def _network(torch: Any) -> Any:
    """Return the U-Net that :mod:`synnodtest.backgrounds.segmenter` evaluates, with batch normalisation."""
    nn = torch.nn

    def block(inputs: int, outputs: int) -> Any:
        parts: list[Any] = []
        for channels in (inputs, outputs):
            parts += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        return nn.Sequential(*parts)

    class Network(nn.Module):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.fold, self.unfold = nn.PixelUnshuffle(2), nn.PixelShuffle(2)
            self.halve, self.enlarge = nn.MaxPool2d(2), nn.Upsample(scale_factor=2)
            self.down = nn.ModuleList([block(*ends) for ends in pairwise((8, *CHANNELS))])
            self.up = nn.ModuleList([block(skip + below, skip) for skip, below in list(pairwise(CHANNELS))[::-1]])
            self.head = nn.Conv2d(CHANNELS[0], 4 * len(STRUCTURES), 1)

        def forward(self, x: Any) -> Any:
            x = self.down[0](self.fold(x))
            skipped = []
            for down in self.down[1:]:
                skipped.append(x)
                x = down(self.halve(x))
            for up in self.up:
                x = up(torch.cat([self.enlarge(x), skipped.pop()], 1))
            return self.unfold(self.head(x))

    return Network()


def _folded_layers(torch: Any, net: Any) -> list[tuple[Any, Any]]:
    """Return ``(weight, bias)`` of all convolutions in order, each with the normalisation that follows it."""
    fuse = torch.nn.utils.fusion.fuse_conv_bn_eval
    layers = []
    for part in [*net.down, *net.up]:
        for index in (0, 3):
            fused = fuse(part[index], part[index + 1])
            layers.append((fused.weight.detach(), fused.bias.detach()))
    return [*layers, (net.head.weight.detach(), net.head.bias.detach())]
