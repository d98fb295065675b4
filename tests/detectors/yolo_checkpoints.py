"""Small real checkpoints of ultralytics, made on the spot."""

from __future__ import annotations

from functools import cache
from pathlib import Path


def save_checkpoint(
    path: Path,
    names: dict[int, str],
    architecture: str = "yolov8n.yaml",
    *,
    seed: int = 0,
    image_size: int | None = None,
    lively: bool = True,
) -> Path:
    """Write an untrained checkpoint with these classes, as ultralytics does; if ``lively``, scores differ by place."""
    from synnodtest.detectors.yolo import quiet_ultralytics

    quiet_ultralytics()
    import torch
    from ultralytics.nn.tasks import DetectionModel

    yolo, state = _writer()
    if seed:
        torch.manual_seed(seed)
    else:
        torch.set_rng_state(state)
    yolo.model = DetectionModel(architecture, nc=len(names), verbose=False)
    yolo.model.names = names
    yolo.ckpt = {"train_args": {"imgsz": image_size}} if image_size else {}
    if lively:
        _enliven(yolo.model)
    yolo.save(str(path))
    yolo.model = None
    return path


@cache
def _writer():
    """What writes the network that it is given, which takes as long to make as a small one, and the state of chance."""
    import torch
    from ultralytics import YOLO

    torch.manual_seed(0)
    return YOLO("yolov8n.yaml", verbose=False), torch.get_rng_state()


def _enliven(model) -> None:
    """Normalise the activations on noise and raise the weights of the scores: without it all scores are equal."""
    import torch

    torch.manual_seed(1)
    model.train()
    with torch.no_grad():
        for norm in model.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.momentum = None
        for _ in range(2):
            model(torch.rand(2, 3, 256, 256))
        for level in model.model[-1].cv3:
            level[-1].weight.mul_(2)
    model.eval()
