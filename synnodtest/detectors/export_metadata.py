"""Metadata that ultralytics writes into exported models, obeyed or refused: of ONNX, OpenVINO's metadata.yaml."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from synnodtest.detectors.heads import accepted_head, check_task
from synnodtest.detectors.onnx_settings import InputSettings, OnnxSettings, OutputSettings
from synnodtest.errors import DetectorError

CHANNELS = (1, 3)
"""Channels that an input may have: one of grey values, or ultralytics' three, which then are equal; a radiograph has
nothing for others."""


Export = tuple[Mapping[int, str], OnnxSettings]
"""Class index -> class name, and how a model is shown radiographs and read, but for which classes are nodules."""


def export_of(metadata: Mapping[str, object], path: Path) -> Export | None:
    """Return what ultralytics' metadata say of a model; None for one that has none.

    Raises:
        DetectorError: they cannot be read, contradict themselves, or name a task or head that is not read.
    """
    if "names" not in metadata or "task" not in metadata:
        return None
    task = str(metadata["task"])
    check_task(task, path)
    head = accepted_head(str(metadata["head"]), "", path) if metadata.get("head") else None
    try:
        names = _value(metadata["names"])
        listed = names.items() if isinstance(names, Mapping) else enumerate(names)
        classes = {int(index): str(name) for index, name in listed}
        size = _size(_value(metadata.get("imgsz")))
        channels = None if metadata.get("channels") is None else int(_value(metadata["channels"]))
        stride = int(float(_value(metadata.get("stride", 1)) or 1))
        arguments = _value(metadata.get("args")) or {}
        finished = any(_flag(one) for one in (arguments.get("nms"), metadata.get("nms"), metadata.get("end2end")))
    except (yaml.YAMLError, SyntaxError, ValueError, TypeError, AttributeError) as error:
        raise DetectorError(f"{path}: its metadata cannot be read: {error}", hint="export it again") from error
    if channels is not None and channels not in CHANNELS:
        raise DetectorError(f"{path}: wants {channels} channels; radiographs have 1, or 3 equal ones")
    if size is not None and any(side <= 0 or side % max(stride, 1) for side in size):
        raise DetectorError(f"{path}: its metadata say size {list(size)}, which is no multiple of its stride {stride}")
    if finished and head is not None and head.rows:
        raise DetectorError(f"{path}: its metadata say head {head.name} and suppression inside, which do not fit")
    rows = finished or (head is not None and head.rows)
    box, unit = ("xyxy", "pixels") if finished else ("cxcywh", "share" if rows else "pixels")
    shown = InputSettings(size=size, fit=head.fit if head else "letterbox", channels=channels)
    output = OutputSettings(class_count=len(classes), box=box, unit=unit)
    return classes, OnnxSettings("rows" if rows else "yolo", shown, output, nms_iou=None if rows else 0.7)


def _value(text: Any) -> Any:
    """Return what a metadata text means: ultralytics writes Python literals, older versions JSON."""
    if not isinstance(text, str):
        return text
    try:
        return ast.literal_eval(text)
    except (SyntaxError, ValueError):
        try:
            return json.loads(text)
        except ValueError:
            return yaml.safe_load(text)


def _size(value: Any) -> tuple[int, int] | None:
    if value is None:
        return None
    if isinstance(value, int):
        return value, value
    height, width = (int(side) for side in value)
    return height, width


def _flag(value: Any) -> bool:
    value = _value(value)
    if value in (None, True, False):
        return bool(value)
    raise ValueError(f"nms or end2end is {value!r}, not True or False")
