"""Outputs of an ONNX model -> boxes and scores per image, in pixels of the input."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.onnx_settings import OnnxSettings
from synnodtest.errors import DetectorError

__all__ = ["decode"]

Boxes = tuple[NDArray[np.float64], NDArray[np.float64]]


def decode(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings, size: tuple[int, int]) -> list[Boxes]:
    """Return ``(boxes (n, 4) as x_min, y_min, x_max, y_max, scores (n,))`` per image of the batch.

    Args:
        outputs: Output name -> array; the first is the one that YOLO decoding takes.
        settings: What the YAML says.
        size: Height and width of the input.

    Raises:
        DetectorError: an output that the settings name is missing or has another shape.
    """
    made = _DECODERS[settings.decoder](outputs, settings)
    return [_finished(boxes, scores, settings, size) for boxes, scores in made]


def _finished(boxes: NDArray[Any], scores: NDArray[Any], settings: OnnxSettings, size: tuple[int, int]) -> Boxes:
    kept = ~(scores <= settings.confidence)
    boxes, scores = np.asarray(boxes[kept], dtype=float), np.asarray(scores[kept], dtype=float)
    if settings.output.box == "cxcywh":
        centre, half = boxes[:, :2], boxes[:, 2:] / 2
        boxes = np.concatenate([centre - half, centre + half], axis=1)
    if settings.output.unit == "share":
        boxes = boxes * np.array([size[1], size[0], size[1], size[0]], dtype=float)
    return boxes, scores


def _yolo(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Boxes]:
    """Decode (N, 4 + classes, anchors) as YOLOv8 has it, or (N, n, 6) of an export with suppression inside."""
    raw = next(iter(outputs.values()))
    if raw.ndim != 3:
        raise _shape("yolo", raw, "(N, 4 + classes, anchors)")
    classes = list(settings.output.classes)
    if settings.nms_iou is None and raw.shape[2] == 6:
        return [_of_rows(rows, classes) for rows in raw]
    if raw.shape[1] < 4 + max(classes) + 1:
        raise _shape("yolo", raw, f"(N, 4 + classes, anchors) with class {max(classes)}")
    return [(rows[:4].T, _activated(rows[4:].T, settings)[:, classes].max(axis=1)) for rows in raw]


def _of_rows(rows: NDArray[Any], classes: list[int]) -> Boxes:
    rows = rows[np.isin(rows[:, 5].round().astype(int), classes)]
    return rows[:, :4], rows[:, 4]


def _torchvision(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Boxes]:
    """Decode boxes (n, 4), scores (n,) and labels (n,) of one image."""
    boxes, scores = (_named(outputs, name) for name in (settings.output.boxes, settings.output.scores))
    labels = _named(outputs, settings.output.labels)
    boxes, scores, labels = boxes.reshape(-1, 4), scores.reshape(-1), labels.reshape(-1)
    if not len(boxes) == len(scores) == len(labels):
        raise DetectorError(f"the outputs hold {len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels")
    kept = np.isin(labels, settings.output.classes)
    return [(boxes[kept], _activated(scores[kept], settings))]


def _detr(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Boxes]:
    """Decode logits (N, queries, classes) and boxes (N, queries, 4)."""
    boxes, logits = _named(outputs, settings.output.boxes), _named(outputs, settings.output.scores)
    if boxes.ndim != 3 or logits.ndim != 3 or boxes.shape[:2] != logits.shape[:2]:
        raise _shape("detr", logits, "(N, queries, classes) beside boxes (N, queries, 4)")
    scores = _activated(logits, settings)[..., list(settings.output.classes)].max(axis=-1)
    return list(zip(boxes, scores, strict=True))


def _activated(values: NDArray[Any], settings: OnnxSettings) -> NDArray[Any]:
    values = np.asarray(values, dtype=float)
    if settings.output.activation == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))
    if settings.output.activation == "softmax":
        raised = np.exp(values - values.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
    return values


def _named(outputs: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in outputs:
        raise DetectorError(
            f"the model has no output {name!r}", hint=f"it has {', '.join(outputs)}; name it in the YAML"
        )
    return outputs[name]


def _shape(decoder: str, array: NDArray[Any], wanted: str) -> DetectorError:
    return DetectorError(f"decoder {decoder!r} wants an output of shape {wanted}, and the model gives {array.shape}")


_DECODERS = {"yolo": _yolo, "torchvision": _torchvision, "detr": _detr}
