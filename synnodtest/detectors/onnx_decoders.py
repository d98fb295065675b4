"""Outputs of an ONNX model -> boxes and scores per image, in pixels of the input."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors import network_outputs
from synnodtest.detectors.heads import WRAP
from synnodtest.detectors.network_outputs import SAY_WHICH, Decoded
from synnodtest.detectors.onnx_settings import OnnxSettings
from synnodtest.errors import DetectorError

_MANY = 50
"""Of so many scores before an activation some are far from 0..1, as those of places without a nodule are."""

MOST_NEGATIVE = 0.5
"""Share of queries without any logit above 0, of which most find nothing: small heads trained with focal loss have more
than 0.9, with a softmax none."""
_SAY_ACTIVATION = (
    "'output: {activation: sigmoid}' in the YAML beside it for Deformable DETR, RT-DETR, D-FINE and others of focal "
    "loss, 'softmax' where the last class is 'no object', as of DETR and YOLOS"
)


def decode(
    outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings, size: tuple[int, int], *, sure: bool = False
) -> list[Decoded]:
    """Return ``(boxes (n, 4) as x_min, y_min, x_max, y_max in pixels of the input, scores (n,), classes (n,))``.

    Args:
        outputs: Output name -> array.
        settings: What the YAML or the metadata say.
        size: Height and width of the input.
        sure: The settings are those of the model's metadata.

    Raises:
        DetectorError: an output that the settings name is missing or has another form.
    """
    return [_finished(rows, settings, size, sure) for rows in _DECODERS[settings.decoder](outputs, settings)]


def _finished(found: Decoded, settings: OnnxSettings, size: tuple[int, int], sure: bool) -> Decoded:
    boxes, scores, kinds = found
    network_outputs.check_scores(scores)
    kept = scores > settings.confidence
    edges = network_outputs.edges_of(boxes[kept], settings.output.box, settings.output.unit, size, sure=sure)
    return edges, np.asarray(scores[kept], dtype=float), kinds[kept]


def _yolo(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Decoded]:
    """Decode a grid (N, 4 + classes, places), or rows (N, n, 6) where the model has suppressed."""
    raw = _only(outputs)
    if settings.nms_iou is None and raw.shape[2] == 6:
        return _rows(outputs, settings)
    grids = np.concatenate([raw[:, :4], _activated(raw[:, 4:].swapaxes(1, 2), settings).swapaxes(1, 2)], axis=1)
    return [network_outputs.of_grid(grid, settings.output.classes, settings.output.class_count) for grid in grids]


def _rows(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Decoded]:
    """Decode rows (N, n, 6) of box, score and class."""
    raw = _only(outputs)
    return [network_outputs.of_rows(rows, settings.output.classes, settings.output.class_count) for rows in raw]


def _only(outputs: Mapping[str, NDArray[Any]]) -> NDArray[Any]:
    """Return the single output of three axes, as which the model has declared it."""
    (raw,) = outputs.values()
    network_outputs.refuse_coarse(raw)
    return raw


def _torchvision(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Decoded]:
    """Decode boxes (n, 4), scores (n,) and labels (n,) of one image."""
    output = settings.output
    boxes = _named(outputs, output.boxes).reshape(-1, 4)
    scores, labels = (_named(outputs, name).reshape(-1) for name in (output.scores, output.labels))
    if not len(boxes) == len(scores) == len(labels):
        shapes = {name: array.shape for name, array in outputs.items()}
        raise DetectorError(
            f"the outputs {shapes} hold {len(boxes)} boxes, {len(scores)} scores and {len(labels)} labels", hint=WRAP
        )
    scores, classes, count = _activated(scores, settings), output.classes, output.class_count
    network_outputs.refuse_background(
        labels, scores, classes, "'output: {classes: [0]}' in the YAML beside it if 0 is its nodule"
    )
    if count is not None and len(labels) and labels.max() > count:
        raise DetectorError(f"it reports label {labels.max():g}, of {count} class{'es' * (count > 1)}", hint=SAY_WHICH)
    kept = np.isin(labels, classes)
    return [(boxes[kept], scores[kept], labels[kept].astype(np.intp))]


def _detr(outputs: Mapping[str, NDArray[Any]], settings: OnnxSettings) -> list[Decoded]:
    """Decode logits (N, queries, classes) and boxes (N, queries, 4); after a softmax a query is of its best class."""
    boxes, logits = _named(outputs, settings.output.boxes), _named(outputs, settings.output.scores)
    if boxes.ndim != 3 or logits.ndim != 3 or boxes.shape[:2] != logits.shape[:2]:
        raise DetectorError(
            "decoder 'detr' wants an output of shape (N, queries, classes) beside boxes (N, queries, 4), and the model "
            f"gives {logits.shape}"
        )
    if not settings.output.activation:
        _refuse_sigmoids(logits)
        settings = replace(settings, output=replace(settings.output, activation="softmax"))
    own, count = logits.shape[2] - (settings.output.activation == "softmax"), settings.output.class_count
    if count not in (None, own):
        hint = _SAY_ACTIVATION if count == logits.shape[2] else SAY_WHICH
        raise DetectorError(f"its logits are of {own} classes, not {count}", hint=hint)
    of_classes = _activated(logits, settings)[..., :own]
    scores = of_classes[..., list(settings.output.classes)].max(axis=-1)
    if settings.output.activation == "softmax":  # as in DETR's own post-processing; a sigmoid's classes are apart
        scores = np.where(scores == of_classes.max(axis=-1), scores, 0)
    return [(box, score, np.zeros(len(score), np.intp)) for box, score in zip(boxes, scores, strict=True)]


def _refuse_sigmoids(logits: NDArray[Any]) -> None:
    """Refuse logits of which nothing says what they are for where those of most queries are all negative.

    A softmax's "no object" rises above 0 where nothing is; sigmoids are low there for every class.

    Raises:
        DetectorError: they are.
    """
    negative = (logits.max(axis=-1) < 0).mean()
    if negative > MOST_NEGATIVE:
        raise DetectorError(
            f"all logits of {negative:.0%} of its queries are negative, as before a sigmoid, and nothing says whether "
            "a sigmoid or a softmax follows",
            hint=_SAY_ACTIVATION,
        )


def _activated(values: NDArray[Any], settings: OnnxSettings) -> NDArray[Any]:
    values, kind = np.asarray(values, dtype=float), settings.output.activation
    whole = kind == "sigmoid" or (kind == "softmax" and bool(np.allclose(values.sum(axis=-1), 1, atol=1e-2)))
    if whole and values.size >= _MANY and values.min() >= 0 and values.max() <= 1:
        raise DetectorError(
            f"its scores before the {kind} reach from {values.min():.4g} to {values.max():.4g}: the model has done it",
            hint="'output: {activation: none}' in the YAML beside it takes them as they are",
        )
    if kind == "softmax" and values.shape[-1] == 1:
        raise DetectorError("a softmax of a single class is 1 everywhere", hint="'activation: sigmoid', or none")
    if kind == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(values, -700, 700))))
    if kind == "softmax":
        raised = np.exp(values - values.max(axis=-1, keepdims=True))
        return np.asarray(raised / raised.sum(axis=-1, keepdims=True))
    return values


def _named(outputs: Mapping[str, NDArray[Any]], name: str) -> NDArray[Any]:
    if name not in outputs:
        raise DetectorError(
            f"the model has no output {name!r}", hint=f"it has {', '.join(outputs)}; name it in the YAML"
        )
    return outputs[name]


_DECODERS = {"yolo": _yolo, "rows": _rows, "torchvision": _torchvision, "detr": _detr}
