"""Training of the segmenter: a small U-Net on phantoms with domain randomisation, resumable, for one core."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.backgrounds.segmenter import CHANNELS, STRUCTURES, WEIGHTS_FILE
from synnodtest.canonical import seed_sequence
from synnodtest.errors import SynnodError
from synnodtest.files import replacing
from synnodtest.training.segmenter_augment import example
from synnodtest.training.segmenter_data import Chests, chests

BATCH = 16
"""Phantoms per step, as the shipped weights were trained; set by hand: with a time given, larger batches leave fewer
steps."""
_RATE = 3e-3
"""Highest rate of AdamW, as the shipped weights were trained; set by hand, after 30 steps of warming up and with a
cosine to 0."""
_SAVE_EVERY = 100
"""Steps between saved states: what a stop can lose, four minutes at the 563 steps in 25 minutes of the shipped
weights."""


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
        out: Folder of the run; made phantoms and the state after every hundredth step stay there.
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
    data = chests(phantoms, out / "phantoms", report)
    run = _Run(out, seed, minutes * 60, resume)
    while run.spent < run.budget:
        run.step(*_batch(data, seed, run.number))
        if run.number % _SAVE_EVERY == 0:
            run.save()
            report(f"step {run.number}, {run.spent / 60:.1f} of {minutes:g} minutes, loss {run.recent:.3f}")
    run.save()
    return run.export()


def _batch(data: Chests, seed: int, number: int) -> tuple[Any, Any]:
    """Return input and target of one step; the same for the same seed and number."""
    rng = np.random.default_rng(seed_sequence("segmenter-batch", seed, number))
    chosen = rng.integers(len(data), size=BATCH)
    examples = [example(data.pixels[index].astype(np.float32), data.bits[index], rng) for index in chosen]
    return np.stack([picture for picture, _ in examples]), np.stack([target for _, target in examples])


class _Run:
    """Network, optimiser and clock of one training."""

    def __init__(self, out: Path, seed: int, budget: float, resume: bool) -> None:
        try:
            import torch
        except ImportError as error:
            raise SynnodError("training needs torch", hint="pip install 'synnodtest[diffusion]'") from error
        self.torch, self.out, self.budget = torch, out, budget
        torch.manual_seed(seed)
        self.net = _network(torch).to(memory_format=torch.channels_last)
        self.optimiser = torch.optim.AdamW(self.net.parameters(), lr=_RATE, weight_decay=1e-2)
        self.number, self.spent, self.recent = 0, 0.0, float("nan")
        self._since = time.monotonic()
        if resume and self._state.is_file():
            state = torch.load(self._state, weights_only=True)
            self.net.load_state_dict(state["net"])
            self.optimiser.load_state_dict(state["optimiser"])
            self.number, self.spent, self.recent = state["number"], state["spent"], state["recent"]

    @property
    def _state(self) -> Path:
        return self.out / "state.pt"

    def step(self, pictures: Any, targets: Any) -> None:
        """Learn from one batch."""
        torch = self.torch
        share = min(self.spent / self.budget, 1.0)
        for group in self.optimiser.param_groups:
            group["lr"] = float(_RATE * min((self.number + 1) / 30, 0.5 * (1 + np.cos(np.pi * share))))
        self.net.train()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = self.net(torch.from_numpy(pictures).to(memory_format=torch.channels_last))
        loss = _loss(torch, logits.float(), torch.from_numpy(targets))
        self.optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.net.parameters(), 1.0)
        self.optimiser.step()
        value = float(loss.detach())
        self.recent = value if np.isnan(self.recent) else 0.97 * self.recent + 0.03 * value
        self.number += 1
        now = time.monotonic()
        self.spent, self._since = self.spent + now - self._since, now

    def save(self) -> None:
        """Keep the state for a later ``resume``."""
        state = {"net": self.net.state_dict(), "optimiser": self.optimiser.state_dict()}
        state |= {"number": self.number, "spent": self.spent, "recent": self.recent}
        with replacing(self._state) as unfinished:
            self.torch.save(state, unfinished)

    def export(self) -> Path:
        """Write the weights, normalisation folded into the convolutions, in half precision."""
        from safetensors.numpy import save_file

        tensors = {}
        # safetensors writes an array's memory as it lies there, channels-last or not.
        for index, (weight, bias) in enumerate(_folded_layers(self.torch, self.net.eval())):
            tensors[f"{index:02d}.weight"] = np.ascontiguousarray(weight.numpy(), dtype=np.float16)
            tensors[f"{index:02d}.bias"] = np.ascontiguousarray(bias.numpy(), dtype=np.float16)
        path = self.out / WEIGHTS_FILE
        save_file(tensors, path, metadata={"structures": ",".join(STRUCTURES), "steps": str(self.number)})
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
