"""Settings of an ONNX detector, its input and output: the YAML beside ``model.onnx``.

::

    # model.yaml
    decoder: yolo              # yolo, rows, torchvision or detr
    input:
      size: [640, 640]         # height, width; needed unless the model declares it
      fit: letterbox           # letterbox or stretch
      layout: NCHW             # NCHW or NHWC
      channels: 3              # 1 or 3; by default what the model declares
      white: 1.0               # value of the brightest pixel (255 for models that normalise inside)
      mean: [0, 0, 0]          # subtracted after that, then divided by std, per channel
      std: [1, 1, 1]
    output:
      classes: [0]             # which classes are nodules; needed where there are several
      class_count: 1           # of how many, so that another output is refused
      boxes: boxes             # names of the outputs, where the decoder needs several
      scores: scores
      labels: labels
      box: xyxy                # xyxy, yxyx (as TensorFlow has it) or cxcywh
      unit: pixels             # pixels of the input, or share of it
      activation: none         # none, sigmoid or softmax (the last class is 'no object'); detr: softmax unless a
                               # config.json of transformers beside it or the logits tell that they are for sigmoids
    confidence: 0.001
    nms_iou: 0.7               # null: the model has done it
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from synnodtest.errors import DetectorError

MAX_BYTES = 64 * 1024
"""Size of a settings file, in bytes: a full one takes a kilobyte or two, so a larger file is another, such as the model
itself."""
MOST_STD = 10.0
"""A std of so many times white leaves a picture that is next to black."""


@dataclass(frozen=True)
class InputSettings:
    """Making of the network's input from a radiograph."""

    size: tuple[int, int] | None = None
    fit: str = "letterbox"
    layout: str = "NCHW"
    channels: int | None = None
    white: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)


@dataclass(frozen=True)
class OutputSettings:
    """Places of boxes and scores in the network's outputs; classes and activation are empty where nobody says them."""

    classes: tuple[int, ...] = ()
    class_count: int | None = None
    boxes: str = "boxes"
    scores: str = "scores"
    labels: str = "labels"
    box: str = "xyxy"
    unit: str = "pixels"
    activation: str = "none"


@dataclass(frozen=True)
class OnnxSettings:
    """All of the YAML."""

    decoder: str
    input: InputSettings = field(default_factory=InputSettings)
    output: OutputSettings = field(default_factory=OutputSettings)
    confidence: float = 0.001
    nms_iou: float | None = 0.7


_ALLOWED = {
    "decoder": ("yolo", "rows", "torchvision", "detr"),
    "input.fit": ("letterbox", "stretch"),
    "input.layout": ("NCHW", "NHWC"),
    "input.channels": (1, 3, None),
    "output.box": ("xyxy", "yxyx", "cxcywh"),
    "output.unit": ("pixels", "share"),
    "output.activation": ("none", "sigmoid", "softmax"),
}
_LISTS: dict[str, tuple[type, tuple[int, ...]]] = {
    "input.size": (int, (2,)),
    "input.mean": (float, (1, 3)),
    "input.std": (float, (1, 3)),
    "output.classes": (int, ()),
}
"""Kind of the entries of a list, and how many there may be."""
_NUMBERS: dict[str, type] = {"input.white": float, "confidence": float, "nms_iou": float, "output.class_count": int}
_SHARES = ("confidence", "nms_iou")
_MAY_BE_NULL = ("input.size", "nms_iou", "output.class_count")

_DEFAULTS: dict[str, dict[str, Any]] = {
    "yolo": {"box": "cxcywh"},
    "rows": {},
    "torchvision": {},
    "detr": {"box": "cxcywh", "unit": "share", "activation": "", "boxes": "pred_boxes", "scores": "logits"},
}


def yaml_of(path: Path) -> Any:
    """Return the content of a YAML or JSON file beside a network; YAML alone has no tabs before its keys.

    Raises:
        DetectorError: it cannot be read.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise DetectorError(f"{path}: larger than {MAX_BYTES} bytes")
        text = path.read_text(encoding="utf-8-sig")
        return json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        raise DetectorError(f"{path}: cannot be read: {error}") from error


def activation_beside(path: Path) -> str:
    """Return the activation that a ``config.json`` of transformers beside a model tells, or "" where none does.

    Focal loss is that of sigmoids, a weight of "no object" alone that of a softmax.

    Raises:
        DetectorError: it cannot be read.
    """
    config = path.with_name("config.json")
    content = yaml_of(config) if config.is_file() else None
    if not isinstance(content, dict):
        return ""
    if content.get("use_focal_loss", "focal_alpha" in content):
        return "sigmoid"
    return "softmax" if "eos_coefficient" in content else ""


def settings_of(content: Any, path: Path) -> OnnxSettings:
    """Return the settings that the YAML of an ONNX detector holds.

    Raises:
        DetectorError: it is malformed; names the file and the key.
    """
    try:
        return _settings(content)
    except (TypeError, ValueError) as error:
        raise DetectorError(f"{path}: {error}", hint="docs/detectors.md shows every key") from error


def _settings(content: Any) -> OnnxSettings:
    top = _part("", content, OnnxSettings)
    if "decoder" not in top:
        raise ValueError("'decoder' is missing: yolo, rows, torchvision or detr")
    shown = InputSettings(**_part("input", top.get("input", {}), InputSettings))
    output = _DEFAULTS[top["decoder"]] | _part("output", top.get("output", {}), OutputSettings)
    _check_scale(shown)
    suppression = {"nms_iou": 0.7 if top["decoder"] == "yolo" else None}
    return OnnxSettings(**{**suppression, **top, "input": shown, "output": OutputSettings(**output)})


def _part(name: str, content: Any, kind: type) -> dict[str, Any]:
    """Return a mapping of the YAML by the fields of a dataclass, every value as those hold it."""
    if not isinstance(content, dict):
        raise ValueError(f"{name or 'the file'} must be a mapping, not {content!r}")
    known = sorted(one.name for one in fields(kind))
    unknown = sorted(str(key) for key in content if key not in known)
    if unknown:
        where = name or "the file"
        raise ValueError(f"{where} has unknown key(s) {', '.join(unknown)}; known are {', '.join(known)}")
    return {key: _value(f"{name}.{key}" if name else key, value) for key, value in content.items()}


def _value(name: str, value: Any) -> Any:
    allowed, shape = _ALLOWED.get(name), _LISTS.get(name)
    if allowed is not None and value not in allowed:
        raise ValueError(f"{name} is {value!r}; it must be one of {', '.join(map(str, allowed))}")
    if value is None and name in _MAY_BE_NULL:
        return None
    if name in _SHARES and not 0 <= _number(name, float, value) <= 1:  # percents, which nothing reaches
        raise ValueError(f"{name} is {value!r}; it must be between 0 and 1")
    if shape is None:
        return _number(name, _NUMBERS[name], value) if name in _NUMBERS else value
    kind, lengths = shape
    if not isinstance(value, list) or (lengths and len(value) not in lengths):
        of = f" of {' or '.join(map(str, lengths))}" if lengths else ""
        raise ValueError(f"{name} must be a list{of}, not {value!r}")
    return tuple(_number(name, kind, one) for one in value)


def _number(name: str, kind: type, value: Any) -> Any:
    try:
        return kind(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} has {value!r}, which is no number") from error


def _check_scale(shown: InputSettings) -> None:
    """Refuse what leaves no picture: a mean or std on another scale than ``white``, 0.485 beside 255 or 123.7 beside 1.

    Raises:
        ValueError: it does.
    """
    white, most = shown.white, max(shown.mean)
    if not white > 0:
        raise ValueError(f"input.white is {white:g}, the value of the brightest pixel: 1, or 255")
    if min(shown.std) <= 0 or max(shown.std) > MOST_STD * white:
        values = ", ".join(f"{one:g}" for one in shown.std)
        raise ValueError(
            f"input.std is {values} where white is {white:g}: it must be above 0 and on the scale of white "
            "(for values of 0..255 divided by 255 leave it out)"
        )
    if white > 1 and most > 1 and max(shown.std) < 1:
        raise ValueError(f"input.std is at most {max(shown.std):g} where white is {white:g}: both must be on one scale")
    if most > white or (white > 1 and 0 < most <= 1):
        raise ValueError(f"input.mean is {most:g} where white is {white:g}: both must be on one scale")
