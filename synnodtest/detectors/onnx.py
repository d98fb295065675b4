"""ONNX models: ``--detector model.onnx``, with ``model.yaml`` beside it.

:mod:`synnodtest.detectors.onnx_settings` shows all that the YAML may say.

A model that ultralytics exported needs no YAML: its metadata say the same.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import sha256_of
from synnodtest.detectors.files import sha256_of_file
from synnodtest.detectors.frames import Frame, findings_of, suppress
from synnodtest.detectors.onnx_decoders import decode
from synnodtest.detectors.onnx_settings import OnnxSettings, read_settings, settings_of_export
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError, missing_extra
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

__all__ = ["OnnxDetector"]

MAX_FINDINGS = 300
BATCH = 16
UNKNOWN_SIZE = (1024, 1024)
_TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(uint8)": np.uint8}


class OnnxDetector:
    """An ONNX model run by onnxruntime.

    Args:
        path: The ``.onnx`` file; ``path`` with the suffix ``.yaml`` holds its settings.
        device: ``cpu`` or ``cuda``.

    Raises:
        DetectorError: the file is missing or damaged, or nothing says how to read its outputs.
    """

    def __init__(self, path: Path, *, device: str = "cpu") -> None:
        if not path.is_file():
            raise DetectorError(
                f"the detector's weights {path} are not there", hint="synnodtest never downloads weights"
            )
        if importlib.util.find_spec("onnxruntime") is None:
            raise missing_extra("onnxruntime", "onnx", f"The detector {path.name}")
        self._path = path
        self._session = _session(path, device)
        self._settings = self._found_settings()
        self._input = self._session.get_inputs()[0]
        if self._input.type not in _TYPES:
            raise DetectorError(f"{path}: its input is {self._input.type}, not float, float16 or uint8")
        self._size = self._settings.input.size or self._declared_size() or UNKNOWN_SIZE
        settings = asdict(self._settings)
        self._identity = Identity(
            path.name,
            version=f"onnxruntime {version('onnxruntime')}",
            sha256=sha256_of_file(path),
            configuration={"size": list(self._size), "settings": sha256_of(settings), "decoder": settings["decoder"]},
        )

    @property
    def identity(self) -> Identity:
        """File name, sha256 of the file, onnxruntime's version, input size and settings."""
        return self._identity

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, highest score first."""
        step = self._batch_size()
        findings: list[list[Finding]] = []
        for start in range(0, len(radiographs), step):
            findings += self._batch(radiographs[start : start + step])
        return findings

    def _batch(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        fit = Frame.letterbox if self._settings.input.fit == "letterbox" else Frame.stretch
        framed = [fit(radiograph.pixels, self._size) for radiograph in radiographs]
        batch = self._prepared(np.stack([picture for picture, _ in framed]))
        missing = (self._fixed_batch() or len(batch)) - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        names = [output.name for output in self._session.get_outputs()]
        outputs = dict(zip(names, self._session.run(None, {self._input.name: batch}), strict=True))
        decoded = decode(outputs, self._settings, self._size)[: len(radiographs)]
        if len(decoded) != len(radiographs):
            raise DetectorError(f"{self._path}: {len(decoded)} results for {len(radiographs)} radiographs")
        return [self._findings(*found, frame) for found, (_, frame) in zip(decoded, framed, strict=True)]

    def _findings(self, boxes: NDArray[Any], scores: NDArray[Any], frame: Frame) -> list[Finding]:
        if self._settings.nms_iou is not None:
            kept = suppress(boxes, scores, self._settings.nms_iou, MAX_FINDINGS)
        else:
            kept = np.argsort(-scores, kind="stable")[:MAX_FINDINGS]
        return findings_of(boxes[kept], scores[kept], frame)

    def _prepared(self, pictures: NDArray[np.float32]) -> NDArray[Any]:
        """Return (N, H, W) in 0..1 as the model wants it."""
        given = self._settings.input
        channels = np.repeat(pictures[:, None] * np.float32(given.white), given.channels, axis=1)
        mean, std = (_per_channel(values, given.channels) for values in (given.mean, given.std))
        prepared = (channels - mean) / std
        if given.layout == "NHWC":
            prepared = np.moveaxis(prepared, 1, 3)
        kind = _TYPES[self._input.type]
        return np.ascontiguousarray(np.rint(prepared) if kind is np.uint8 else prepared, dtype=kind)

    def _found_settings(self) -> OnnxSettings:
        beside = self._path.with_suffix(".yaml")
        if beside.is_file():
            return read_settings(beside)
        exported = settings_of_export(dict(self._session.get_modelmeta().custom_metadata_map), self._path)
        if exported is None:
            raise DetectorError(
                f"nothing says how to read the outputs of {self._path}",
                hint=f"write {beside.name} beside it: 'decoder: yolo', torchvision or detr; see docs/detectors.md",
            )
        return exported

    def _declared_size(self) -> tuple[int, int] | None:
        shape = self._input.shape
        if len(shape) != 4:
            raise DetectorError(f"{self._path}: its input has the shape {shape}, not four axes")
        height, width = shape[2:] if self._settings.input.layout == "NCHW" else shape[1:3]
        return (height, width) if isinstance(height, int) and isinstance(width, int) else None

    def _fixed_batch(self) -> int | None:
        first = self._input.shape[0]
        return first if isinstance(first, int) else None

    def _batch_size(self) -> int:
        return 1 if self._settings.decoder == "torchvision" else self._fixed_batch() or BATCH


def _per_channel(values: tuple[float, ...], channels: int) -> NDArray[np.float32]:
    """Return one value per channel, (channels, 1, 1)."""
    return np.broadcast_to(np.asarray(values, dtype=np.float32), (channels,))[:, None, None]


def _session(path: Path, device: str) -> Any:
    import onnxruntime

    providers = ["CUDAExecutionProvider"] if device.startswith("cuda") else []
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=[*providers, "CPUExecutionProvider"])
    except Exception as error:
        raise DetectorError(f"{path} cannot be loaded: {' '.join(str(error).split())}") from error


@register_detector("onnx")
def _onnx(argument: str, options: Options) -> OnnxDetector:
    return OnnxDetector(options.path(argument), device=options.device)
