"""YOLO and RT-DETR checkpoints of ultralytics: ``--detector best.pt``."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from importlib.machinery import EXTENSION_SUFFIXES
from importlib.metadata import version
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.checkpoint import read_checkpoint
from synnodtest.detectors.export_metadata import CHANNELS
from synnodtest.detectors.files import check_weights, replaced
from synnodtest.detectors.frames import MAX_FINDINGS, Frame, findings_of
from synnodtest.detectors.heads import accepted_head, check_task
from synnodtest.detectors.label_rule import classes_of
from synnodtest.detectors.network_outputs import check_scores, edges_of, of_rows
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError
from synnodtest.files import sha256_of_file
from synnodtest.finding import Finding
from synnodtest.geometry import FloatArray
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph
from synnodtest.shipped import shipped_model
from synnodtest.threads import cores

CONFIDENCE = 0.001
"""Least score reported: what ultralytics validates at; its 0.25 for prediction would cut low scores off every curve."""
NMS_IOU = 0.7
"""IoU from which the lower of two boxes is dropped: the default of ultralytics (``iou``), with which checkpoints are
validated."""
UNTRAINED_IMAGE_SIZE = 1024
"""Side of the input, in pixels, for a checkpoint that does not say its own: that of NODE21's radiographs, and of the
paper's detectors."""
BATCH = 16
"""Radiographs per pass, as the default ``batch`` of ultralytics; nothing depends on it but memory and time."""
STRIDE = 32
"""Sides of the input are multiples of this, or of the network's own stride where that is larger, as in ultralytics."""


class UltralyticsDetector:
    """A YOLO or RT-DETR checkpoint, run at a near-zero threshold with its scores kept raw.

    Args:
        path: The ``.pt`` file. It is never downloaded.
        device: ``cpu``, ``cuda`` or ``cuda:1``.
        safe: Load with ``weights_only`` and ultralytics' list of known classes, so that nothing in the file can run.
        name: How reports call it; the file's name by default.
        configuration: Further facts for the identity (the demo says that it is one).
        chosen: Names or numbers of the classes that are nodules; empty: their names decide.

    A radiograph is scaled by its longer side to the size the model was trained at and padded with grey to a multiple of
    the stride (RT-DETR: stretched to a square), as ultralytics does. It reaches the network as float32: no step goes
    through 8 bits.

    Raises:
        DetectorError: the file is missing or damaged, its head is not read, or its classes are not nodules.
    """

    only_reads_pixels = True
    rectangular = True
    """Pad to the smallest rectangle of the stride; an engine with a fixed input pads to a square."""

    def __init__(
        self,
        path: Path,
        *,
        device: str = "cpu",
        safe: bool = True,
        name: str = "",
        configuration: Mapping[str, object] | None = None,
        chosen: Sequence[str] = (),
    ) -> None:
        check_weights(path, "ultralytics", "yolo")
        self._path = path
        self._device = device
        self._safe = safe
        checkpoint = read_checkpoint(path)
        check_task(checkpoint.task, path)
        self._head = accepted_head(*checkpoint.head, path)
        self._classes = classes_of(checkpoint.names, chosen, path)
        self._count = len(checkpoint.names)
        size = checkpoint.image_size or UNTRAINED_IMAGE_SIZE
        self._size = size + -size % STRIDE  # ultralytics rounds sizes up to a multiple of it
        self._model: Any = None
        self.identity = Identity(
            name or path.name,
            version=f"ultralytics {version('ultralytics')}",
            sha256=sha256_of_file(path),
            configuration={
                "head": self._head.name,
                "fit": self._head.fit if self._head.rows or not self.rectangular else "rectangle",
                "image_size": self._size,
                "confidence": CONFIDENCE,
                "nms_iou": NMS_IOU,
                "max_findings": MAX_FINDINGS,
                "classes": [checkpoint.names[index] for index in self._classes],
                **(configuration or {}),
            },
        )

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, highest score first."""
        model = self._loaded()
        findings: list[list[Finding]] = []
        for start in range(0, len(radiographs), BATCH):
            findings += self._batch(model, radiographs[start : start + BATCH])
        return findings

    def _loaded(self) -> Any:
        if self._model is None:
            model = _load(self._path, self._safe).to(self._device)
            if sha256_of_file(self._path) != self.identity.sha256:
                raise replaced(self._path)
            self._model = model
            accepted_head(type(self._model.model[-1]).__name__, type(self._model.model[-1]).__module__, self._path)
            if channels_of(self._model) not in CHANNELS:
                raise DetectorError(f"{self._path}: wants {channels_of(self._model)} channels; radiographs have 1 or 3")
        return self._model

    def _batch(self, model: Any, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        framed = [self._framed(radiograph.pixels, model) for radiograph in radiographs]
        findings: list[list[Finding]] = []
        for _, group in groupby(framed, key=lambda one: one[0].shape):
            findings += self._same_shape(model, list(group))
        return findings

    def _framed(self, pixels: FloatArray, model: Any) -> tuple[FloatArray, Frame]:
        square = (self._size, self._size)
        if self._head.fit == "stretch":
            return Frame.stretch(pixels, square)
        if not self.rectangular:
            return Frame.letterbox(pixels, square)
        stride = max(int(model.stride.max()), STRIDE)
        scale = min(self._size / side for side in pixels.shape)
        sides = (max(round(side * scale), 1) for side in pixels.shape)
        height, width = (side + (self._size - side) % stride for side in sides)  # padded as a square, modulo the stride
        return Frame.letterbox(pixels, (height, width))

    def _same_shape(self, model: Any, framed: Sequence[tuple[FloatArray, Frame]]) -> list[list[Finding]]:
        import torch

        with torch.inference_mode():
            raw = self._forward(model, np.stack([picture for picture, _ in framed]))
            try:
                rows = self._rows(raw, bool(getattr(model, "end2end", False)))
            except DetectorError as error:
                raise DetectorError(f"{self._path}: {error.message}", hint=error.hint) from error
        return [findings_of(boxes, scores, frame) for (boxes, scores), (_, frame) in zip(rows, framed, strict=True)]

    def _rows(self, raw: Any, end2end: bool) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        """Return, per image, boxes as edges in pixels of the input and scores, highest first."""
        if not self._head.rows and not end2end:
            rows = [one.cpu().numpy() for one in _suppressed(raw, self._classes, self._count)]
            return [(row[:, :4], row[:, 4]) for row in rows]
        box, unit = ("cxcywh", "share") if self._head.rows else ("xyxy", "pixels")
        picked = []
        for one in raw.float().cpu().numpy():
            boxes, scores, _ = of_rows(one, self._classes, self._count)
            kept = np.argsort(-scores, kind="stable")[:MAX_FINDINGS]
            kept = kept[scores[kept] > CONFIDENCE]
            picked.append((edges_of(boxes[kept], box, unit, (self._size, self._size), sure=True), scores[kept]))
        return picked

    def _forward(self, model: Any, pictures: NDArray[np.float32]) -> Any:
        """Return the network's raw output, a tensor, for grey pictures (N, H, W) in 0..1."""
        import torch

        grey = torch.from_numpy(pictures)[:, None].to(self._device)
        raw = model(grey.expand(-1, channels_of(model), -1, -1))
        return raw[0] if isinstance(raw, (list, tuple)) else raw


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


def checkpoint_content(path: Path, *, safe: bool = True) -> dict[str, Any]:
    """Return what a checkpoint holds; ``safe``: loaded such that nothing in it can run."""
    quiet_ultralytics()
    tasks: Any = importlib.import_module("ultralytics.nn.tasks")
    content: dict[str, object] = tasks.torch_safe_load(str(path), safe_only=safe)[0]
    return content


def model_of(content: dict[str, Any]) -> Any:
    """Return the network of a checkpoint, averaged if it was averaged in training."""
    return content.get("ema") or content["model"]


def _load(path: Path, safe: bool) -> Any:
    """Return the model (float32, eval, fused). Anything that the restricted loader refuses is an error."""
    try:
        model = model_of(checkpoint_content(path, safe=safe)).float().eval()
    except Exception as error:
        raise DetectorError(
            f"{path} cannot be loaded: {' '.join(str(error).split())}",
            hint=f"if you trust the file, --detector 'unsafe:{path}' loads it without restrictions" if safe else "",
        ) from error
    _suppress_at_once()
    if isinstance(getattr(type(model), "end2end", None), property):
        # A network with two branches runs the one that wants suppression, as ultralytics' own predict does.
        model.end2end = False
    return model.fuse(verbose=False)


def _suppress_at_once() -> None:
    """Have ultralytics suppress boxes by torchvision's operator instead of one by one in Python.

    It does so where torchvision is loaded, which takes as long as loading torch, whose compiler it brings along; the
    operator alone is one library.
    """
    import torch

    operators: Any = torch.ops
    found = find_spec("torchvision")
    if found is None or found.origin is None:
        return
    try:
        own = importlib.import_module("ultralytics.utils.nms").TorchNMS
        (library,) = (one for one in Path(found.origin).parent.glob("_C*") if one.suffix in EXTENSION_SUFFIXES)
        operators.load_library(str(library))
        own.nms = staticmethod(operators.torchvision.nms)
    except (AttributeError, ImportError, OSError, ValueError):  # other versions lay theirs out in another way
        with suppress(ImportError, RuntimeError):  # the latter where torch is not the one that it was built for
            importlib.import_module("torchvision")


def channels_of(model: Any) -> int:
    """Return how many channels the network's input has."""
    return int(next(model.parameters()).shape[1])


def _suppressed(raw: Any, classes: list[int], count: int) -> Any:
    """Return, per image, rows ``x_min, y_min, x_max, y_max, score, class`` after ultralytics' own suppression.

    Raises:
        DetectorError: the output is no grid of so many classes, or its scores leave 0..1.
    """
    kept_of = importlib.import_module("ultralytics.utils.nms").non_max_suppression
    if raw.ndim != 3 or raw.shape[1] != 4 + count:
        raise DetectorError(f"its output is {tuple(raw.shape)}, not (N, {4 + count}, places) for {count} classes")
    check_scores(np.array([float(end) for end in raw[:, 4:].aminmax()]))
    options = {"conf_thres": CONFIDENCE, "iou_thres": NMS_IOU, "max_det": MAX_FINDINGS}
    # Without a generous limit ultralytics stops after two seconds and leaves the remaining images empty.
    return kept_of(raw, classes=classes, nc=count, max_time_img=3600.0, **options)


def _ultralytics(argument: str, options: Options, **more: Any) -> UltralyticsDetector:
    path, chosen = options.file(argument)
    return UltralyticsDetector(path, device=options.device, chosen=chosen, **more)


register_detector("ultralytics")(_ultralytics)
register_detector("unsafe")(partial(_ultralytics, safe=False, configuration={"safe_load": False}))


@register_detector("demo")
def _demo(argument: str, options: Options) -> UltralyticsDetector:
    if argument:
        raise DetectorError(f"detector 'demo' takes no argument, not {argument!r}")
    weights = shipped_model("detector/demo.pt")
    return UltralyticsDetector(weights, device=options.device, name="demo", configuration={"demonstration": True})
