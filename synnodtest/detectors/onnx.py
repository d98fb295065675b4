"""ONNX models: ``--detector model.onnx``, with ``model.yaml`` beside it.

:mod:`synnodtest.detectors.onnx_settings` shows all that the YAML may say.

A model that ultralytics exported needs no YAML: its metadata say the same.
"""

from __future__ import annotations

import glob
import mmap
import re
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.exported import ONE_INPUT, ExportedDetector
from synnodtest.detectors.files import check_weights, sha256_of_files
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError

_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}
_LOCATION = re.compile(rb"\n\x08location\x12([\x80-\xff]*[\x00-\x7f])")
"""An entry of a tensor's external data: the key ``location`` as field 1, then field 2 with the length of a file's name.

Source: onnx.proto, ``StringStringEntryProto`` in ``TensorProto.external_data``.
"""


class OnnxDetector(ExportedDetector):
    """An ONNX model run by onnxruntime.

    Args:
        path: The ``.onnx`` file; ``path`` with the suffix ``.yaml`` holds its settings.
        device: ``cpu`` or ``cuda``.
        chosen: Names or numbers of the classes that are nodules; empty: their names decide.

    Raises:
        DetectorError: the file is missing or damaged, or nothing says how to read its outputs.
    """

    def __init__(self, path: Path, *, device: str = "cpu", chosen: Sequence[str] = ()) -> None:
        check_weights(path, "onnxruntime", "onnx")
        super().__init__(_OnnxRuntime(path, device), chosen)


class _OnnxRuntime:
    """A session of onnxruntime."""

    def __init__(self, path: Path, device: str) -> None:
        self.path = path
        self.engine = f"onnxruntime {version('onnxruntime')}"
        self.sha256 = sha256_of_files(path, weights_beside(path))
        self._session = _session(path, device)
        inputs = self._session.get_inputs()
        if len(inputs) != 1:
            raise DetectorError(f"{path}: has {len(inputs)} inputs, not one picture", hint=ONE_INPUT)
        if inputs[0].type not in _TYPES:
            raise DetectorError(f"{path}: its input is {inputs[0].type}, not float, float16 or uint8")
        self._input = inputs[0].name
        self.shape = inputs[0].shape
        self.kind = _TYPES[inputs[0].type]
        self.outputs = {output.name: output.shape for output in self._session.get_outputs()}
        self.metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    def run(self, batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        """Return output name -> array."""
        return dict(zip(self.outputs, self._session.run(None, {self._input: batch}), strict=True))


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:
        raise DetectorError(f"{path} cannot be loaded: {' '.join(str(error).split())}") from error


def weights_beside(path: Path) -> list[Path]:
    """Return the files that belong to a model: those that it names, and what usually is called after it; sorted."""
    usual = path.parent.glob(f"{glob.escape(path.name)}[._]data")
    named = (path.parent / name for name in _named(path))
    return sorted({*usual, *(one for one in named if _is_file(one))})


def _named(path: Path) -> Iterator[str]:
    if not path.stat().st_size:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        names = {data[match.end() : match.end() + _varint(match[1])] for match in _LOCATION.finditer(data)}
    yield from sorted(name.decode() for name in names if b"\0" not in name and _is_text(name))


def _is_file(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:  # bytes that happen to look like an entry, and make no name
        return False


def _varint(raw: bytes) -> int:
    return sum((byte & 0x7F) << (7 * place) for place, byte in enumerate(raw))


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


@register_detector("onnx")
def _onnx(argument: str, options: Options) -> OnnxDetector:
    path, chosen = options.file(argument)
    return OnnxDetector(path, device=options.device, chosen=chosen)
