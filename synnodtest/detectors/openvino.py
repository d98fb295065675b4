"""Checkpoints of ultralytics run by OpenVINO: ``--detector openvino:best.pt``, on a CPU mostly faster than torch.

``openvino:best_openvino_model`` reads a folder that ultralytics exported (or ``openvino:model.xml``) as ONNX is read.

The network is converted when it is first needed and computes in float32. Before it is used, its output is compared with
torch's on two chest phantoms and on noise; where the two differ by more than :data:`SCORE_TOLERANCE` in any score or
:data:`BOX_TOLERANCE_PX` in any box, it is refused. How far they differ stands in the identity, rounded up to a power of
ten, so that it is the same on every run.
"""

from __future__ import annotations

import importlib
import math
import sys
import warnings
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.exported import ONE_INPUT, ExportedDetector, Network
from synnodtest.detectors.files import ANEW, unreplaced
from synnodtest.detectors.frames import Frame
from synnodtest.detectors.onnx_settings import yaml_of
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.detectors.yolo import UltralyticsDetector, channels_of
from synnodtest.errors import DetectorError, require
from synnodtest.geometry import FloatArray

SCORE_TOLERANCE = 1e-3
"""Largest difference from torch's scores; set by hand: float32 stays a thousand times below it (1e-6 for the shipped
detector), bfloat16 does not (docs/detectors.md)."""
BOX_TOLERANCE_PX = 0.5
"""In pixels of the network's input."""
LEAST_SCORE = 1e-4
"""Boxes whose score is below this in both outputs are never reported, so their place is not compared."""
_FLOAT32 = {"INFERENCE_PRECISION_HINT": "f32"}


class OpenVinoDetector(UltralyticsDetector):
    """A YOLO or RT-DETR checkpoint whose network OpenVINO runs; all around it is :class:`UltralyticsDetector`'s.

    Args:
        path: The ``.pt`` file. It is never downloaded.
        pictures: (N, size, size) grey, 0..1, to compare the two on, or None for phantoms and noise.
        chosen: Names or numbers of the classes that are nodules; empty: their names decide.

    Raises:
        DetectorError: the file cannot be used, cannot be converted, or gives other findings when converted.
    """

    rectangular = False

    def __init__(self, path: Path, pictures: NDArray[np.float32] | None = None, *, chosen: Sequence[str] = ()) -> None:
        super().__init__(path, chosen=chosen)
        require("openvino", "openvino", f"The detector openvino:{path.name}")
        model = self._loaded()
        samples = _pictures(self._size) if pictures is None else pictures
        reference = super()._forward(model, samples).detach().numpy()
        self._at_once = 1 if self._head.rows else -1  # the transformer's trace holds the batch's size
        self._compiled = _compiled(model, self._size, self._at_once, path)
        unit = self._size if self._head.rows else 1
        agreed = _agreement(_in_pixels(reference, unit), _in_pixels(self._compiled_forward(samples), unit), path)
        engine = {"engine": f"openvino {version('openvino')}", "precision": "float32", **agreed}
        self.identity = replace(self.identity, configuration={**self.identity.configuration, **engine})

    def _forward(self, model: Any, pictures: NDArray[np.float32]) -> Any:
        import torch

        return torch.from_numpy(self._compiled_forward(pictures))

    def _compiled_forward(self, pictures: NDArray[np.float32]) -> NDArray[np.float32]:
        channels = channels_of(self._loaded())
        batch = np.repeat(pictures[:, None], channels, axis=1)
        parts = np.split(batch, len(batch)) if self._at_once == 1 else [batch]
        return np.concatenate([np.array(self._compiled(part)[0], dtype=np.float32) for part in parts])


def _in_pixels(raw: NDArray[Any], unit: int) -> NDArray[Any]:
    """Return rows with boxes in pixels of the input; a grid has them already."""
    return raw if unit == 1 else raw * np.array([unit, unit, unit, unit, 1, 1], dtype=raw.dtype)


def _compiled(model: Any, size: int, at_once: int, path: Path) -> Any:
    """Return the network compiled for the CPU; ``model`` is left in the state in which ultralytics exports it."""
    import torch

    openvino = _openvino_package()

    head, example = model.model[-1], torch.zeros(1, channels_of(model), size, size)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            model(example)
            head.export, head.format, head.dynamic = True, "openvino", False
            tracing: Any = torch.jit.trace
            traced = tracing(model, example, strict=False, check_trace=False)  # its output is compared anyway
            converted = openvino.convert_model(traced, example_input=example, input=[at_once, *example.shape[1:]])
            return openvino.Core().compile_model(converted, "CPU", _FLOAT32)
    except Exception as error:
        raise DetectorError(
            f"{path} cannot be converted for OpenVINO: {' '.join(str(error).split())[:300]}",
            hint=f"--detector {path} runs it with torch",
        ) from error


def _pictures(size: int) -> NDArray[np.float32]:
    from synnodtest.detectors.conform_pictures import conspicuous_radiographs

    noise = np.random.default_rng(0).random((size, size), dtype=np.float32)
    pictures: list[FloatArray] = [radiograph.pixels for radiograph in conspicuous_radiographs(2, size=256)]
    return np.stack([*(Frame.letterbox(pixels, (size, size))[0] for pixels in pictures), noise])


def _agreement(reference: NDArray[Any], other: NDArray[Any], path: Path) -> dict[str, float]:
    """Return how far two raw outputs (N, 4 + classes, anchors) or (N, n, 6) differ.

    Raises:
        DetectorError: they differ by more than the tolerance.
    """
    if reference.shape != other.shape:
        raise DetectorError(f"{path}: OpenVINO gives {other.shape} where torch gives {reference.shape}")
    if reference.shape[2] == 6:
        reference, other = (_by_score(rows) for rows in (reference, other))
    scores, boxes = np.abs(reference - other)[:, 4:].max(axis=1), np.abs(reference - other)[:, :4].max(axis=1)
    reported = np.maximum(reference[:, 4:5], other[:, 4:5]).max(axis=1) >= LEAST_SCORE
    score = float(scores.max())
    box = float(boxes[reported].max()) if reported.any() else 0.0
    if not (score <= SCORE_TOLERANCE and box <= BOX_TOLERANCE_PX):
        raise DetectorError(
            f"{path}: OpenVINO and torch disagree: scores by up to {score:.2g} (tolerance {SCORE_TOLERANCE:g}), boxes "
            f"by up to {box:.2g} pixels of the input (tolerance {BOX_TOLERANCE_PX:g})",
            hint=f"--detector {path} runs it with torch",
        )
    return {
        "scores_agree_within": min(_rounded_up(score), SCORE_TOLERANCE),
        "boxes_agree_within_px": min(_rounded_up(box), BOX_TOLERANCE_PX),
    }


def _by_score(rows: NDArray[Any]) -> NDArray[Any]:
    """Return (N, 5, n) by descending score of an output whose rows (N, n, 6) are findings."""
    order = np.argsort(-rows[:, :, 4], axis=1, kind="stable")
    return np.take_along_axis(rows, order[:, :, None], axis=1)[:, :, :5].transpose(0, 2, 1)


def _rounded_up(value: float) -> float:
    """Return the next power of ten, at least a millionth: a figure that does not tremble from run to run."""
    return float(10.0 ** max(math.ceil(math.log10(max(value, 1e-12))), -6))


def _network(path: Path) -> Network:
    """Return an exported model compiled for the CPU in float32."""
    openvino = _openvino_package()
    try:
        with unreplaced(path, [one for one in [path.with_suffix(".bin")] if one.is_file()]) as digest:
            model = openvino.Core().read_model(path)
            compiled = openvino.Core().compile_model(model, "CPU", _FLOAT32)
    except DetectorError:
        raise
    except Exception as error:
        raise DetectorError(f"{path} cannot be loaded: {' '.join(str(error).split())[:300]}", hint=ANEW) from error
    first, *more = model.inputs
    if more:
        raise DetectorError(f"{path}: has {len(more) + 1} inputs, not one picture", hint=ONE_INPUT)
    kind = first.element_type.to_dtype().type
    if kind not in (np.float32, np.float16, np.uint8):
        raise DetectorError(f"{path}: its input is {kind.__name__}, not float, float16 or uint8")
    names = [next(iter(sorted(output.names)), f"output{n}") for n, output in enumerate(model.outputs)]

    def run(batch: NDArray[Any]) -> dict[str, NDArray[Any]]:
        answers = compiled(batch)
        return {name: np.array(answers[number]) for number, name in enumerate(names)}

    outputs = dict(zip(names, map(_sides, model.outputs), strict=True))
    engine = f"openvino {version('openvino')}"
    return Network(path, engine, digest, _sides(first), kind, outputs, _metadata(path), run)


def _sides(port: Any) -> list[Any]:
    return [side.get_length() if side.is_static else "free" for side in port.partial_shape]


def _metadata(path: Path) -> dict[str, object]:
    beside = path.with_name("metadata.yaml")
    content = yaml_of(beside) if beside.is_file() else None
    return content if isinstance(content, dict) else {}


def _xml(path: Path) -> Path:
    if path.is_file():
        return path
    paths = sorted(path.glob("*.xml")) if path.is_dir() else []
    if len(paths) != 1:
        what = f"holds {len(paths)} .xml files" if path.is_dir() else "is not there"
        raise DetectorError(f"the detector {path} {what}", hint="openvino:best.pt, a folder of an export, or model.xml")
    return paths[0]


def _openvino_package() -> Any:
    # Where its telemetry is not installed openvino sends nothing; else converting waits for a server that gets reports.
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
    return importlib.import_module("openvino")


@register_detector("openvino")
def _openvino(argument: str, options: Options) -> OpenVinoDetector | ExportedDetector:
    path, chosen = options.file(argument)
    if options.device != "cpu":
        raise DetectorError("openvino: runs on the CPU only", hint=f"--detector {argument} runs it on {options.device}")
    if path.suffix.lower() == ".pt":
        return OpenVinoDetector(path, chosen=chosen)
    if path.suffix.lower() == ".xml" or path.is_dir():
        require("openvino", "openvino", f"The detector openvino:{path.name}")
        return ExportedDetector(_network(_xml(path)), chosen)
    raise DetectorError(
        f"openvino:{argument} is no .pt of ultralytics, no .xml and no folder of an export",
        hint="--detector openvino:best.pt",
    )
