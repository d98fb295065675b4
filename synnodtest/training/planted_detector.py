"""The training loop of a detector whose nodules are planted anew in every batch: time-boxed and resumable."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from synnodtest.canonical import seed_sequence
from synnodtest.detectors.yolo import checkpoint_content, model_of, quiet_ultralytics
from synnodtest.errors import SynnodError
from synnodtest.training.course import Course, follow, learn_from, set_rate
from synnodtest.training.detector import save_stripped, to_float
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
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(seed)
    model = _new_model(schedule.architecture, stock.films.shape[-1]).to(device, memory_format=torch.channels_last)
    if weights is not None:
        model.load_state_dict(_stored_state(weights, model))
    average = deepcopy(model).eval()
    optimizer: Any = torch.optim.AdamW(model.parameters(), lr=schedule.learning_rate, weight_decay=5e-4)
    parts = {"model": model, "average": average, "optimizer": optimizer}
    course = Course("detector", out / "checkpoint.pt", parts, 100, report)
    course.take_up(device)
    start = int(np.random.default_rng(seed_sequence("planted", seed, course.step)).integers(2**31))
    planter = Planter(stock, shadows, plan, device, seed=start)

    def done() -> float:
        return course.seconds / 60 / schedule.minutes

    def learn() -> Any:
        set_rate(optimizer, schedule.learning_rate, (course.step + 1) / schedule.warm_up, done(), 0.01)
        loss = _learned(model, optimizer, planter.batch(schedule.batch), schedule.batch, device)
        follow(average, model, min(schedule.average, (1 + course.step) / (10 + course.step)))
        return loss

    model.train()
    course.run(learn, lambda: done() >= 1, course.save, schedule.save_minutes)
    (out / "loss.json").write_text(json.dumps(course.curve))
    if weights is not None and blend < 1:
        blended = deepcopy(average)
        blended.load_state_dict(_stored_state(weights, blended))
        follow(blended, average, 1 - blend)
        average = blended
    settings = {"task": "detect", "imgsz": stock.films.shape[-1], "single_cls": True}
    return save_stripped(average.cpu(), settings, out / "best.pt", {"version": "", "license": None})


def _learned(model: Any, optimizer: Any, batch: dict[str, object], count: int, device: str) -> Any:
    """Take one step and return its loss."""
    with torch.autocast("cuda" if device.startswith("cuda") else "cpu", torch.bfloat16):
        predicted = model(batch["img"])
    return learn_from(model.loss(batch, to_float(predicted))[0].sum() / count, model, optimizer, 10.0)


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
