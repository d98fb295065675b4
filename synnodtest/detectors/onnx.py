"""ONNX models: ``--detector model.onnx``, with ``model.yaml`` beside it.

:mod:`synnodtest.detectors.onnx_settings` shows all that the YAML may say.

A model that ultralytics exported needs no YAML: its metadata say the same.
"""

from __future__ import annotations

import glob
import mmap
import re
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.exported import ONE_INPUT, ExportedDetector, Network
from synnodtest.detectors.files import ANEW, check_weights, unreplaced
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_LOCATION = re.compile(rb"\n\x08location\x12([\x80-\xff]*[\x00-\x7f])")
"""An entry of a tensor's external data: the key ``location`` as field 1, then field 2 with the length of a file's name.

Source: onnx.proto, ``StringStringEntryProto`` in ``TensorProto.external_data``.
"""


def load_onnx(path: Path, *, device: str = "cpu", chosen: Sequence[str] = ()) -> ExportedDetector:
    """Return the detector that is an ONNX model run by onnxruntime.

    Args:
        path: The ``.onnx`` file; ``path`` with the suffix ``.yaml`` holds its settings.
        device: ``cpu`` or ``cuda``.
        chosen: Names or numbers of the classes that are nodules; empty: their names decide.

    Raises:
        DetectorError: the file is missing or damaged, or nothing says how to read its outputs.
    """
    check_weights(path, "onnxruntime", "onnx")
    return ExportedDetector(_network(path, device), chosen)


def _network(path: Path, device: str) -> Network:
    with unreplaced(path, weights_beside(path)) as digest:
        session = _session(path, device)
    first, *more = session.get_inputs()
    if more:
        raise DetectorError(f"{path}: has {len(more) + 1} inputs, not one picture", hint=ONE_INPUT)
    if first.type not in _TYPES:
        raise DetectorError(f"{path}: its input is {first.type}, not float, float16 or uint8")
    outputs = {output.name: output.shape for output in session.get_outputs()}

    def run(batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        return dict(zip(outputs, session.run(None, {first.name: batch}), strict=True))

    metadata = dict(session.get_modelmeta().custom_metadata_map)
    engine = f"onnxruntime {version('onnxruntime')}"
    return Network(path, engine, digest, first.shape, _TYPES[first.type], outputs, metadata, run)


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:
        raise DetectorError(f"{path} cannot be loaded: {' '.join(str(error).split())}", hint=ANEW) from error


def weights_beside(path: Path) -> list[Path]:
    """Return the files that belong to a model: those that it names, and what usually is called after it; sorted."""
    usual = path.parent.glob(f"{glob.escape(path.name)}[._]data")
    return sorted({*usual, *(path.parent / name for name in _named(path) if _is_file(path.parent / name))})


def _named(path: Path) -> set[str]:
    if not path.stat().st_size:
        return set()
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names = {data[match.end() : match.end() + _varint(match[1])] for match in _LOCATION.finditer(data)}
    return {name.decode("utf-8", "replace") for name in names}


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except (OSError, ValueError):  # bytes that happen to look like an entry, and make no name
        return False


def _varint(raw: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(raw))


@register_detector("onnx")
def _onnx(argument: str, options: Options) -> ExportedDetector:
    path, chosen = options.file(argument)
    return load_onnx(path, device=options.device, chosen=chosen)
