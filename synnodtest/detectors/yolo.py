"""YOLO checkpoints of ultralytics: ``--detector best.pt``."""

from __future__ import annotations

import importlib
import importlib.util
import os
import tempfile
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.checkpoint import Checkpoint, read_checkpoint
from synnodtest.detectors.files import sha256_of_file
from synnodtest.detectors.frames import Frame, findings_of
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError, missing_extra
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.shipped import shipped_model
from synnodtest.threads import cores

__all__ = ["UltralyticsDetector", "channels_of", "nodule_classes", "quiet_ultralytics"]

CONFIDENCE = 0.001
NMS_IOU = 0.7
MAX_FINDINGS = 300
UNTRAINED_IMAGE_SIZE = 1024
BATCH = 16


class UltralyticsDetector:
    """A YOLO checkpoint, run at a near-zero threshold with its scores kept raw.

    Args:
        path: The ``.pt`` file. It is never downloaded.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        safe: Load with ``weights_only`` and ultralytics' list of known classes, so that nothing in the file can run.
        name: How reports call it; the file's name by default.
        configuration: Further facts for the identity (the demo says that it is one).

    A radiograph is scaled by its longer side to the size the model was trained at, padded with grey to a square, and
    reaches the network as float32: no step goes through 8 bits.

    Raises:
        DetectorError: the file is missing or damaged, or its classes are not nodules.
    """

    def __init__(
        self,
        path: Path,
        *,
        device: str = "cpu",
        safe: bool = True,
        name: str = "",
        configuration: Mapping[str, Any] | None = None,
    ) -> None:
        if not path.is_file():
            raise DetectorError(
                f"the detector's weights {path} are not there", hint="synnodtest never downloads weights"
            )
        if importlib.util.find_spec("ultralytics") is None:
            raise missing_extra("ultralytics", "yolo", f"The detector {path.name}")
        self._path = path
        self._device = device
        self._safe = safe
        checkpoint = read_checkpoint(path)
        self._classes = nodule_classes(checkpoint, path)
        self._size = checkpoint.image_size or UNTRAINED_IMAGE_SIZE
        self._model: Any = None
        self._identity = Identity(
            name or path.name,
            version=f"ultralytics {version('ultralytics')}",
            sha256=sha256_of_file(path),
            configuration={
                "image_size": self._size,
                "confidence": CONFIDENCE,
                "nms_iou": NMS_IOU,
                "max_findings": MAX_FINDINGS,
                "classes": [checkpoint.names[index] for index in self._classes],
                **(configuration or {}),
            },
        )

    @property
    def identity(self) -> Identity:
        """File name, sha256 of the file, ultralytics' version, and what decides on the findings."""
        return self._identity

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, highest score first."""
        model = self._loaded()
        findings: list[list[Finding]] = []
        for start in range(0, len(radiographs), BATCH):
            findings += self._batch(model, radiographs[start : start + BATCH])
        return findings

    def _loaded(self) -> Any:
        if self._model is None:
            self._model = _load(self._path, self._safe).to(self._device)
        return self._model

    def _batch(self, model: Any, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        import torch

        framed = [Frame.letterbox(radiograph.pixels, (self._size, self._size)) for radiograph in radiographs]
        with torch.inference_mode():
            raw = self._forward(model, np.stack([picture for picture, _ in framed]))
            kept = _suppressed(raw, self._classes, bool(getattr(model, "end2end", False)))
        rows = [found.cpu().numpy() for found in kept]
        return [findings_of(row[:, :4], row[:, 4], frame) for row, (_, frame) in zip(rows, framed, strict=True)]

    def _forward(self, model: Any, pictures: NDArray[np.float32]) -> Any:
        """Return the network's raw output, a tensor, for grey pictures (N, size, size) in 0..1."""
        import torch

        grey = torch.from_numpy(pictures)[:, None].to(self._device)
        raw = model(grey.expand(-1, channels_of(model), -1, -1))
        return raw[0] if isinstance(raw, (list, tuple)) else raw


def nodule_classes(checkpoint: Checkpoint, path: Path) -> list[int]:
    """Return the indices of the nodule classes: the only class whatever its name, else those named ``*nodul*``.

    Raises:
        DetectorError: no class is a nodule, or the model is none that reports boxes.
    """
    if checkpoint.task not in ("", "detect"):
        raise DetectorError(f"{path} is a model for {checkpoint.task!r}, not for detection")
    names = checkpoint.names
    found = list(names) if len(names) == 1 else [i for i, name in names.items() if "nodul" in name.lower()]
    if not found:
        some = ", ".join(list(names.values())[:5]) + (", ..." if len(names) > 5 else "")
        raise DetectorError(
            f"{path} has {len(names)} classes and none of them is a nodule: {some}",
            hint="train it on nodules: it must have exactly one class, or one whose name contains 'nodul'",
        )
    return sorted(found)


def quiet_ultralytics() -> None:
    """Keep ultralytics offline, out of the user's home and from installing packages. Call it before its import.

    Unless told otherwise it would also put the whole process, the synthesizer included, on one thread.
    """
    os.environ.setdefault("OMP_NUM_THREADS", str(cores()))
    os.environ.setdefault("YOLO_CONFIG_DIR", str(Path(tempfile.gettempdir()) / f"synnodtest-ultralytics-{os.getuid()}"))
    os.environ["YOLO_OFFLINE"] = "true"
    os.environ["YOLO_AUTOINSTALL"] = "false"
    os.environ["ULTRALYTICS_SAFE_LOAD"] = "true"
    os.environ.setdefault("YOLO_VERBOSE", "false")
    Path(os.environ["YOLO_CONFIG_DIR"]).mkdir(parents=True, exist_ok=True)


def _load(path: Path, safe: bool) -> Any:
    """Return the model (float32, eval, fused). Anything that the restricted loader refuses is an error."""
    quiet_ultralytics()
    tasks: Any = importlib.import_module("ultralytics.nn.tasks")
    try:
        content, _ = tasks.torch_safe_load(str(path), safe_only=safe)
        model = (content.get("ema") or content["model"]).float().eval()
    except Exception as error:
        raise DetectorError(
            f"{path} cannot be loaded: {' '.join(str(error).split())}",
            hint=f"if you trust the file, --detector 'unsafe:{path}' loads it without restrictions" if safe else "",
        ) from error
    return model.fuse(verbose=False)


def channels_of(model: Any) -> int:
    """Return how many channels the network's input has."""
    return int(next(model.parameters()).shape[1])


def _suppressed(raw: Any, classes: list[int], end2end: bool) -> Any:
    """Return, per image, rows ``x_min, y_min, x_max, y_max, score, class`` after ultralytics' own suppression."""
    import torch

    suppress = importlib.import_module("ultralytics.utils.nms").non_max_suppression
    options = {"conf_thres": CONFIDENCE, "iou_thres": NMS_IOU, "max_det": MAX_FINDINGS}
    if end2end:
        return suppress(raw, classes=classes, end2end=True, **options)
    channels = torch.tensor([0, 1, 2, 3, *(4 + index for index in classes)], device=raw.device)
    # Without a generous limit ultralytics stops after two seconds and leaves the remaining images empty.
    return suppress(raw[:, channels], nc=len(classes), max_time_img=3600.0, **options)


@register_detector("ultralytics")
def _ultralytics(argument: str, options: Options) -> UltralyticsDetector:
    return UltralyticsDetector(options.path(argument), device=options.device)


@register_detector("unsafe")
def _unsafe(argument: str, options: Options) -> UltralyticsDetector:
    path = options.path(argument)
    return UltralyticsDetector(path, device=options.device, safe=False, configuration={"safe_load": False})


@register_detector("demo")
def _demo(argument: str, options: Options) -> UltralyticsDetector:
    if argument:
        raise DetectorError(f"detector 'demo' takes no argument, not {argument!r}")
    weights = shipped_model("detector/demo.pt")
    return UltralyticsDetector(weights, device=options.device, name="demo", configuration={"demonstration": True})
