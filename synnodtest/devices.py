"""Devices that networks run on: ``cpu``, ``cuda``, ``cuda:1``; one that is not there is told before anything runs."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import re

from synnodtest.errors import SynnodError

_DEVICE = re.compile(r"cpu|cuda(?::(\d+))?")


def fault_of_device(text: str) -> str:
    """Return why networks cannot run on a device, and what to do; empty if they can.

    Args:
        text: As the user gave it.
    """
    named = _DEVICE.fullmatch(text)
    if named is None:
        return f"{text!r} is no device: cpu, cuda (the first GPU) or cuda:1 (the second)"
    if text == "cpu":
        return ""
    count = _seen_by_torch() or _seen_by_onnx()
    if count <= int(named[1] or 0):
        there = f"only cuda:0 to cuda:{count - 1}" if count else "no NVIDIA GPU"
        return (
            f"{text}: {there} can be used here\n  hint: cpu, the default, needs none; `nvidia-smi` shows what there is"
        )
    return ""


def device(text: str) -> str:
    """Return a device that networks can run on, for ``argparse``.

    Raises:
        argparse.ArgumentTypeError: they cannot.
    """
    fault = fault_of_device(text)
    if fault:
        raise argparse.ArgumentTypeError(fault)
    return text


def check_device(text: str) -> None:
    """Refuse a device that networks cannot run on.

    Raises:
        SynnodError: they cannot.
    """
    if fault := fault_of_device(text):
        raise SynnodError(fault)


def _seen_by_torch() -> int:
    if importlib.util.find_spec("torch") is None:
        return 0
    return int(importlib.import_module("torch").cuda.device_count())


def _seen_by_onnx() -> int:
    """Return 0, or, where onnxruntime brings CUDA of its own, more than anybody has: it does not say how many."""
    if importlib.util.find_spec("onnxruntime") is None:
        return 0
    providers = importlib.import_module("onnxruntime").get_available_providers()
    return 1024 if "CUDAExecutionProvider" in providers else 0
