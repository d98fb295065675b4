"""The training loop of a detector whose nodules are planted anew in every batch: time-boxed and resumable."""

from __future__ import annotations

import importlib
import json
import math
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.detectors.yolo import checkpoint_content, model_of, quiet_ultralytics
from synnodtest.errors import SynnodError
from synnodtest.files import replacing
from synnodtest.training.detector import strip_checkpoint, to_float
from synnodtest.training.planter import Plan, Planter
from synnodtest.training.stock import Shadows, Stock


@dataclass(frozen=True)
class Schedule:
    """Length and pace of the training.

    Args:
        minutes: Training time over all resumptions.
        batch: Radiographs per step.
        learning_rate: At its highest; a cosine brings it down to a hundredth.
        warm_up: Steps.
        average: Decay of the averaged weights, which are the ones saved.
        save_minutes: Time between checkpoints.
        architecture: Name of an ultralytics model definition.
    """

    minutes: float
    batch: int = 32
    learning_rate: float = 2e-3
    warm_up: int = 300
    average: float = 0.9995
    save_minutes: float = 1.0
    architecture: str = "yolov8n.yaml"


def train_planted(
    stock: Stock,
    shadows: Shadows,
    out: Path,
    plan: Plan,
    schedule: Schedule,
    *,
    device: str = "cpu",
    seed: int = 0,
    weights: Path | None = None,
    blend: float = 1.0,
    report: Callable[[str], None] = print,
) -> Path:
    """Train a YOLO detector and return ``out/best.pt``, stripped for use. An interrupted run goes on where it stood.

    Args:
        stock: Radiographs, annotated nodules included.
        shadows: CT nodules to plant.
        out: Folder of the run; ``checkpoint.pt`` and ``loss.json`` lie there.
        plan: What is planted.
        schedule: How long and how fast.
        device: ``cpu`` or ``cuda``.
        seed: Of weights and batches.
        weights: Start from this checkpoint of the same architecture; without it, from nothing.
        blend: Share of what is trained in the result, the rest being ``weights`` (Wortsman et al., CVPR 2022: between
            both a network keeps what it knew and gains what it was shown).
        report: Called with one line per hundred steps.
    """
    import torch

    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = _new_model(schedule.architecture, stock.films.shape[-1]).to(device, memory_format=torch.channels_last)
    if weights is not None:
        model.load_state_dict(_stored_state(weights, model))
    fit = _Fit(model, out / "checkpoint.pt", schedule, device, report)
    if fit.checkpoint.is_file():
        fit.take_up()
    start = int(np.random.default_rng(seed_sequence("planted", seed, fit.step)).integers(2**31))
    fit.run(Planter(stock, shadows, plan, device, seed=start))
    (out / "loss.json").write_text(json.dumps(fit.curve))
    average = fit.average
    if weights is not None and blend < 1:
        blended = deepcopy(average)
        blended.load_state_dict(_stored_state(weights, blended))
        _follow(blended, average, 1 - blend)
        average = blended
    return _finished(average, out, stock.films.shape[-1])


class _Fit:
    """A detector in training: its weights, their average, the optimizer, and how far they are."""

    def __init__(
        self, model: Any, checkpoint: Path, schedule: Schedule, device: str, report: Callable[[str], None]
    ) -> None:
        import torch

        self.model, self.checkpoint, self.schedule = model, checkpoint, schedule
        self.device, self.report = device, report
        self.average = deepcopy(model).eval()
        self.optimizer: Any = torch.optim.AdamW(model.parameters(), lr=schedule.learning_rate, weight_decay=5e-4)
        self.step, self.seconds = 0, 0.0
        self.curve: list[list[float]] = []

    def take_up(self) -> None:
        """Go on where the checkpoint stands."""
        import torch

        stored = torch.load(self.checkpoint, weights_only=True, map_location=self.device)
        self.model.load_state_dict(stored["model"])
        self.average.load_state_dict(stored["average"])
        self.optimizer.load_state_dict(stored["optimizer"])
        self.step, self.seconds, self.curve = stored["step"], stored["seconds"], stored["curve"]
        self.report(f"resumed at step {self.step}")

    def run(self, planter: Planter) -> None:
        """Train on what is planted until time is over."""
        import torch

        self.model.train()
        recent: list[Any] = []
        saved = self.seconds
        while (done := self.seconds / 60 / self.schedule.minutes) < 1:
            began = time.monotonic()
            recent.append(self._learn(planter.batch(self.schedule.batch), done))
            if self.step % 100 == 0:
                mean = float(torch.stack(recent).mean())
                self.curve.append([self.step, self.seconds, mean])
                self.report(f"detector step {self.step} loss {mean:.3f} {self.seconds:.0f} s")
                recent = []
            self.seconds += time.monotonic() - began
            if self.seconds - saved > self.schedule.save_minutes * 60:
                self._save()
                saved = self.seconds
        self._save()

    def _learn(self, batch: dict[str, object], done: float) -> Any:
        """Take one step and return its loss."""
        import torch

        schedule, model = self.schedule, self.model
        rate = schedule.learning_rate * min(1.0, (self.step + 1) / schedule.warm_up)
        for group in self.optimizer.param_groups:
            group["lr"] = rate * (0.505 + 0.495 * math.cos(math.pi * done))
        with torch.autocast("cuda" if self.device.startswith("cuda") else "cpu", torch.bfloat16):
            predicted = model(batch["img"])
        loss = model.loss(batch, to_float(predicted))[0].sum() / schedule.batch
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        self.optimizer.step()
        _follow(self.average, model, min(schedule.average, (1 + self.step) / (10 + self.step)))
        self.step += 1
        return loss.detach()

    def _save(self) -> None:
        import torch

        parts = {"model": self.model, "average": self.average, "optimizer": self.optimizer}
        state = {"step": self.step, "seconds": self.seconds, "curve": self.curve}
        with replacing(self.checkpoint) as temporary:
            torch.save(state | {name: part.state_dict() for name, part in parts.items()}, temporary)


def _new_model(architecture: str, size: int) -> Any:
    quiet_ultralytics()
    tasks: Any = importlib.import_module("ultralytics.nn.tasks")
    settings: Any = importlib.import_module("ultralytics.cfg")
    model = tasks.DetectionModel(architecture, ch=3, nc=1, verbose=False)
    model.names = {0: "nodule"}
    model.args = settings.get_cfg(overrides={"task": "detect", "imgsz": size, "single_cls": True})
    return model


def _stored_state(weights: Path, model: Any) -> dict[str, Any]:
    """Return the parameters of a checkpoint.

    Raises:
        SynnodError: it is of another architecture.
    """
    stored: dict[str, Any] = model_of(checkpoint_content(weights)).float().state_dict()
    shapes = {name: value.shape for name, value in model.state_dict().items()}
    if {name: value.shape for name, value in stored.items()} != shapes:
        raise SynnodError(f"{weights}: another architecture than {model.yaml.get('yaml_file', 'the one trained')}")
    return stored


def _follow(average: Any, model: Any, decay: float) -> None:
    import torch

    with torch.no_grad():
        mine, theirs = average.state_dict(), model.state_dict()
        floats = [name for name, value in mine.items() if value.is_floating_point()]
        torch._foreach_lerp_([mine[n] for n in floats], [theirs[n].to(mine[n].dtype) for n in floats], 1 - decay)
        for name, value in mine.items():
            if not value.is_floating_point():
                value.copy_(theirs[name])


def _finished(average: Any, out: Path, size: int) -> Path:
    """Write the averaged model as ultralytics writes checkpoints, stripped; return its path."""
    import torch

    whole = out / "whole.pt"
    model = average.cpu().float()
    model.criterion = None
    model.args = dict(vars(model.args))
    settings = {"task": "detect", "imgsz": size, "single_cls": True}
    torch.save({"model": model, "ema": None, "train_args": settings, "version": "", "epoch": -1}, whole)
    checkpoint = strip_checkpoint(whole, out / "best.pt")
    whole.unlink()
    return checkpoint
