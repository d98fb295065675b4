"""Detectors: whatever ``--detector`` can name, behind one guard.

``resolve_detector(text)`` is all that callers need; every module of this folder is imported, so that providers register
themselves. They load their heavy packages only when they are used.
"""

from __future__ import annotations

import pkgutil
from importlib import import_module

from synnodtest.detectors import (
    command,
    http,
    mutants,
    onnx,
    openvino,
    oracle,
    recorded,
    structured_report,
    torchvision,
    yolo,
)
from synnodtest.detectors.callables import CallableDetector
from synnodtest.detectors.guard import Guard
from synnodtest.detectors.registry import Options, register_detector, registered_names
from synnodtest.detectors.resolve import DEFAULT_TIMEOUT_S, make_detector, resolve_detector

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "CallableDetector",
    "Guard",
    "Options",
    "command",
    "http",
    "make_detector",
    "mutants",
    "onnx",
    "openvino",
    "oracle",
    "recorded",
    "register_detector",
    "registered_names",
    "resolve_detector",
    "structured_report",
    "torchvision",
    "yolo",
]

for _found in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_found.name}")
