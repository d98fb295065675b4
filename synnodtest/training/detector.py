"""Training of YOLO detectors: the paper's settings, and small ones for two cores."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from synnodtest.detectors.yolo import checkpoint_content, model_of, quiet_ultralytics
from synnodtest.errors import SynnodError
from synnodtest.files import replacing
from synnodtest.training.detection_data import hashes_of
from synnodtest.training.detection_windows import windows_of_batch

_GENTLE = {
    "hsv_h": 0.0,
    "hsv_s": 0.0,
    "hsv_v": 0.25,
    "translate": 0.06,
    "scale": 0.15,
    "fliplr": 0.5,
    "erasing": 0.0,
    "close_mosaic": 0,
    "nbs": 16,
    "warmup_epochs": 1.0,
    "cos_lr": True,
}

PRESETS: dict[str, dict[str, Any]] = {
    "small": {"model": "yolov8n.yaml", "imgsz": 512, "batch": 16, "epochs": 40, "mosaic": 0.0, **_GENTLE},
    "yolov8x": {"model": "yolov8x.yaml", "imgsz": 1024, "batch": 8, "epochs": 100, "mosaic": 1.0},
    "yolov9c": {"model": "yolov9c.yaml", "imgsz": 1024, "batch": 16, "epochs": 500, "mosaic": 1.0},
}
"""Settings of ultralytics. ``yolov8x`` and ``yolov9c`` are the paper's (SynNodBench, section 3.1); ``small`` fits two
cores and an hour."""

KEPT = ("epochs", "seed")
"""Settings of an interrupted training with which ultralytics goes on, whatever it is asked for."""


@dataclass(frozen=True)
class Changes:
    """Departures of one training from its preset.

    Args:
        epochs: Instead of the preset's; so ``imgsz`` and ``batch``.
        imgsz: Side in pixels.
        batch: Images per step.
        minutes: Stop after about this time; the learning rate is planned for it.
        weights: Start from this checkpoint instead of from scratch.
        learning_rate: Of the first step; ultralytics chooses by default.
        crop: Train on random square windows of this side, cut from the images, most of them around a nodule: on two
            cores, four times as many nodules per second at half the side. Finish with whole images.
    """

    epochs: int | None = None
    imgsz: int | None = None
    batch: int | None = None
    minutes: float | None = None
    weights: Path | None = None
    learning_rate: float | None = None
    crop: int | None = None

    def settings(self, preset: str) -> dict[str, object]:
        """Return ultralytics' settings of the training."""
        changed = {"epochs": self.epochs, "imgsz": self.imgsz, "batch": self.batch}
        settings: dict[str, object] = {
            "pretrained": False,
            "time": self.minutes / 60 if self.minutes else None,
            **PRESETS[preset],
            **{name: value for name, value in changed.items() if value},
        }
        if self.crop is not None:
            settings["val"] = False
        if self.weights is not None:
            settings |= {"model": str(self.weights), "pretrained": True, "warmup_epochs": 0.3}
        if self.learning_rate is not None:
            settings |= {"optimizer": "AdamW", "lr0": self.learning_rate, "momentum": 0.9, "warmup_bias_lr": 0.0}
        return settings


def train_detector(
    data: Path,
    out: Path,
    changes: Changes | None = None,
    *,
    preset: str = "small",
    device: str = "cpu",
    resume: bool = False,
    seed: int = 0,
) -> Path:
    """Train a detector and return the path of its weights, ``out/best.pt``, stripped for use.

    ``out/best.hashes.json`` keeps the perceptual hashes of the training images, so that an evaluation can tell
    whether it is shown one of them.

    Args:
        data: ``data.yaml`` of a set made by :func:`synnodtest.training.detection_data.prepare`, or its folder.
        out: Folder of the run. ``out/run`` holds what ultralytics writes, and what ``resume`` goes on from.
        changes: Departures from the preset; none by default.
        preset: ``small``, ``yolov8x`` or ``yolov9c``.
        device: ``cpu`` or ``cuda``. On a CPU the network runs in bfloat16, the loss in float32.
        resume: Go on with the interrupted run in ``out``.
        seed: Of initialisation and augmentation.

    Raises:
        SynnodError: unknown preset, no data, weights that are not there, or nothing to resume: it is finished, or was
            begun with other settings.
    """
    changes = changes or Changes()
    if preset not in PRESETS:
        raise SynnodError(f"there is no detector preset {preset!r}", hint=f"presets are {', '.join(PRESETS)}")
    description = data / "data.yaml" if data.is_dir() else data
    if not description.is_file():
        raise SynnodError(f"{description} is not there", hint="make it with synnodtest.training.detection_data.prepare")
    if changes.weights is not None and not changes.weights.is_file():
        raise SynnodError(f"the weights {changes.weights} are not there", hint="synnodtest never downloads weights")
    last = out / "run" / "weights" / "last.pt"
    if resume and not last.is_file():
        raise SynnodError(f"nothing to resume: {last} is not there")
    settings: dict[str, object] = {
        "data": str(description.resolve()),
        "project": str(out.resolve()),
        "name": "run",
        "exist_ok": True,
        "device": device,
        "workers": 0 if device == "cpu" else 8,
        "cache": device == "cpu",
        "amp": device != "cpu",
        "plots": False,
        "patience": 0,
        "seed": seed,
        **changes.settings(preset),
    }
    if resume:
        _refuse_other(last, settings)
        settings |= {"resume": str(last), "model": str(last)}
    quiet_ultralytics()
    base = importlib.import_module("ultralytics.models.yolo.detect").DetectionTrainer
    _own_trainer(base, device == "cpu", changes.crop)(overrides=settings).train()
    hashes = hashes_of(description.parent, "train")
    if hashes:
        (out / "best.hashes.json").write_text(json.dumps(hashes), encoding="utf-8")
    return strip_checkpoint(_best(out / "run" / "weights"), out / "best.pt")


def _refuse_other(last: Path, settings: Mapping[str, object]) -> None:
    """Refuse to go on with a training that is finished, or that was begun otherwise: ultralytics would keep the old.

    Raises:
        SynnodError: it is one of these.
    """
    content = checkpoint_content(last)
    if int(content.get("epoch", -1)) < 0:
        raise SynnodError(
            f"{last}: this training is finished",
            hint="--restart trains anew; --weights and another --out go on",
        )
    before = dict(content.get("train_args") or {})
    told = [f"{name} {before[name]}" for name in KEPT if name in before and before[name] != settings[name]]
    if told and not before.get("time"):  # which plans the epochs
        raise SynnodError(f"{last}: interrupted with {', '.join(told)}", hint="go on with the same, or --restart")


def _own_trainer(base: Any, on_cpu: bool, crop: int | None) -> Any:
    """Return ultralytics' trainer with our windows and, on a CPU, a bfloat16 and channels-last forward pass.

    On AVX512-BF16 that is three times as fast as float32.
    """
    import torch

    class Trainer(base):  # type: ignore[misc]
        def _setup_train(self) -> None:
            super()._setup_train()
            if on_cpu:
                model: Any = self.model
                model.to(memory_format=torch.channels_last)
                model.forward = _bfloat16_forward(model)

        def preprocess_batch(self, batch: dict[str, object]) -> dict[str, object]:
            prepared: dict[str, Any] = super().preprocess_batch(batch)
            if crop is not None:
                prepared |= windows_of_batch(prepared, crop)
            if on_cpu:
                prepared["img"] = prepared["img"].contiguous(memory_format=torch.channels_last)
            return prepared

    return Trainer


def _bfloat16_forward(model: Any) -> Callable[..., Any]:
    """Return a forward pass of the live model; checkpoints hold its moving average, which stays as it is."""
    import torch

    plain = type(model).forward

    def forward(batch: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(batch, dict):
            return plain(model, batch, *args, **kwargs)
        with torch.autocast("cpu", torch.bfloat16):
            raw = plain(model, batch, *args, **kwargs)
        return to_float(raw)

    return forward


def to_float(value: Any) -> Any:
    """Return nested outputs of a network with every tensor in float32."""
    if isinstance(value, dict):
        return {key: to_float(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(to_float(item) for item in value)
    return value.float() if hasattr(value, "float") else value


def _best(folder: Path) -> Path:
    for name in ("best.pt", "last.pt"):
        if (folder / name).is_file():
            return folder / name
    raise SynnodError(f"the training wrote no weights to {folder}")


def strip_checkpoint(source: Path, target: Path) -> Path:
    """Write the weights of ``source`` in half precision to ``target``, without optimizer, history, paths or git facts.

    What is left is the model, its class names and the settings that a detector needs; safe loading takes it.
    """
    content = checkpoint_content(source)
    facts = {name: content.get(name) for name in ("version", "license")}
    return save_stripped(model_of(content), content.get("train_args") or {}, target, facts)


def save_stripped(model: Any, settings: Mapping[str, object], target: Path, facts: Mapping[str, object]) -> Path:
    """Write a model as :func:`strip_checkpoint` does, with further facts."""
    import torch

    model = model.half().eval()
    model.criterion = None
    for parameter in model.parameters():
        parameter.requires_grad = False
    used = {name: settings[name] for name in ("task", "imgsz", "batch", "epochs", "single_cls") if name in settings}
    model.args = used
    model.pt_path = target.name
    target.parent.mkdir(parents=True, exist_ok=True)
    with replacing(target) as partial:
        torch.save({"model": model, "ema": None, "epoch": -1, "train_args": used, **facts}, partial)
    return target
