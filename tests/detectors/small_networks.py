"""Small real networks of ultralytics with every head, seeded random weights, and what ultralytics itself finds."""

from __future__ import annotations

import sys
import warnings
from functools import lru_cache
from pathlib import Path

import numpy as np
import yaml

SIZE = 256
ARGUMENTS = {
    "Detect": [],
    "v10Detect": [],
    "RTDETRDecoder": [32, 30, 4, 2, 1],
    "Segment": [4, 8],
    "Pose": [[3, 3]],
    "OBB": [1],
    "Classify": None,
}


def save_network(path: Path, head: str, names: dict[int, str] | None = None, channels: int = 3) -> Path:
    """Write a checkpoint as ultralytics does: four convolutions of stride 2 and the head."""
    from synnodtest.detectors.yolo import quiet_ultralytics

    quiet_ultralytics()
    import torch
    import ultralytics
    from ultralytics.nn import tasks
    from ultralytics.nn.modules.head import WorldDetect

    names = names or {0: "nodule"}
    torch.manual_seed(0)
    kind = {"RTDETRDecoder": "RTDETRDetectionModel", "Segment": "SegmentationModel", "Pose": "PoseModel"}
    kind |= {"OBB": "OBBModel", "Classify": "ClassificationModel"}
    layout = path.with_name(path.stem + "-layout.yaml")
    layout.write_text(yaml.safe_dump(_layout("Detect" if head == "WorldDetect" else head, len(names), channels)))
    options = {"data_kpt_shape": (3, 3)} if head == "Pose" else {}
    network = getattr(tasks, kind.get(head, "DetectionModel"))(str(layout), ch=channels, verbose=False, **options)
    layout.unlink()
    if head == "WorldDetect":
        network.model[-1] = WorldDetect(len(names), 16, True, ch=(16, 16, 16))
    network.names = names
    network.task = {"Segment": "segment", "Pose": "pose", "OBB": "obb", "Classify": "classify"}.get(head, "detect")
    network.args = {"task": network.task, "imgsz": SIZE}
    if head in ("Detect", "v10Detect", "RTDETRDecoder"):
        _enliven(network, channels)
    content = {"model": network.eval().half(), "ema": None, "epoch": -1, "version": ultralytics.__version__}
    torch.save(content | {"train_args": {"imgsz": SIZE, "task": network.task}, "date": "2026-01-01"}, path)
    return path


def _layout(head, classes, channels):
    first = 4 if head == "RTDETRDecoder" else 2
    stem = [[-1, 1, "Conv", [8, 3, first]], *[[-1, 1, "Conv", [16, 3, 2]]] * 3]
    last = [-1, 1, head, ["nc"]] if head == "Classify" else [[1, 2, 3], 1, head, ["nc", *ARGUMENTS[head]]]
    layout = {"nc": classes, "channels": channels, "backbone": stem, "head": [last]}
    return layout | {"scales": {"l": [1.0, 1.0, 1024]}} | ({"kpt_shape": [3, 3]} if head == "Pose" else {})


def _enliven(network, channels):
    """Normalise the activations on noise and raise the scores' weights: without it all scores are nearly equal."""
    import torch

    torch.manual_seed(1)
    network.train()
    with torch.no_grad():
        for norm in network.modules():
            if isinstance(norm, torch.nn.BatchNorm2d):
                norm.momentum = None
        if type(network.model[-1]).__name__ == "RTDETRDecoder":
            network.eval()
            for layer in network.model[-1].dec_score_head:
                layer.bias.fill_(1.0)
                layer.weight.mul_(3)
            return
        for _ in range(2):
            network(torch.rand(2, channels, SIZE, SIZE))
        head = network.model[-1]
        for levels in (head.cv3, getattr(head, "one2one_cv3", None) or []):
            for level in levels:
                level[-1].weight.mul_(4)
                level[-1].bias.fill_(-1.0)


def export(path: Path, head: str, form: str, **options) -> Path:
    """Export a checkpoint with ultralytics' own exporter; return what it wrote."""
    from ultralytics import RTDETR, YOLO

    model = (RTDETR if head == "RTDETRDecoder" else YOLO)(str(path))
    options |= {"simplify": False} if form == "onnx" else {}
    sys.modules["openvino_telemetry"] = None  # else converting waits for a server that gets reports
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return Path(model.export(format=form, imgsz=SIZE, **options))


@lru_cache(maxsize=4)
def _model_of_ultralytics(path, head):
    from ultralytics import RTDETR, YOLO

    return RTDETR(str(path)) if head == "RTDETRDecoder" else YOLO(str(path), task="detect")


def found_by_ultralytics(path: Path, head: str, grey: np.ndarray, channels: int = 3) -> list[tuple[list[float], float]]:
    """Return boxes, cut to the picture, and scores that ultralytics' own ``predict`` gives."""
    model = _model_of_ultralytics(path, head)
    options = {"conf": 0.001, "iou": 0.7, "max_det": 300, "imgsz": SIZE, "verbose": False, "save": False}
    boxes = model.predict(np.repeat(grey[..., None], channels, axis=2), **options)[0].boxes
    height, width = grey.shape
    edges = np.clip(boxes.xyxy.numpy(), 0, [width, height, width, height])
    whole = (edges[:, 0] < edges[:, 2]) & (edges[:, 1] < edges[:, 3])
    return [
        (list(map(float, box)), float(score))
        for box, score in zip(edges[whole], boxes.conf.numpy()[whole], strict=True)
    ]
