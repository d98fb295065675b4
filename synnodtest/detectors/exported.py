"""Exported networks: what is common to onnxruntime and OpenVINO, from a radiograph to findings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.canonical import sha256_of
from synnodtest.counted import counted
from synnodtest.detectors.export_metadata import CHANNELS, Export, export_of
from synnodtest.detectors.frames import MAX_FINDINGS, Frame, findings_of, suppress
from synnodtest.detectors.heads import WRAP
from synnodtest.detectors.label_rule import classes_of
from synnodtest.detectors.network_outputs import SAY_WHICH
from synnodtest.detectors.onnx_decoders import decode
from synnodtest.detectors.onnx_settings import OnnxSettings, activation_beside, settings_of, yaml_of
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.geometry import Indices
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

BATCH = 16
"""Radiographs per call where the model leaves their number open; nothing depends on it but memory and time."""
ONE_INPUT = f"export it with one input, pictures (N, channels, height, width), and sizes and masks fixed; {WRAP}"
FOREIGN_KEYS = {"backbone", "head", "nc", "names", "train", "val", "task", "model", "imgsz", "scales"}
"""Top-level keys of ultralytics' own YAML files (architecture, data, arguments), none of which settings have."""


@dataclass(frozen=True)
class Network:
    """A loaded network.

    Args:
        path: Its file.
        engine: Name and version of what runs it.
        sha256: Of all files that hold it.
        shape: Declared shape of the input: int per axis, anything else where it is free.
        kind: dtype of the input.
        outputs: Output name -> declared shape.
        metadata: Written into the model, or beside it.
        run: Input -> output by name.
    """

    path: Path
    engine: str
    sha256: str
    shape: Sequence[Any]
    kind: Any
    outputs: Mapping[str, Sequence[Any]]
    metadata: Mapping[str, object]
    run: Callable[[NDArray[Any]], dict[str, NDArray[Any]]]


class ExportedDetector:
    """An exported network, from a radiograph to findings.

    Args:
        network: As onnxruntime or OpenVINO has loaded it.
        chosen: Names or numbers of the classes that are nodules; empty: their names decide.

    Raises:
        DetectorError: nothing says how to read its outputs, or what says it does not fit.
    """

    only_reads_pixels = True

    def __init__(self, network: Network, chosen: Sequence[str] = ()) -> None:
        self._network = network
        self._path = network.path
        export = export_of(network.metadata, network.path)
        self._settings = self._with_classes(self._found_settings(export), export, chosen)
        self._bare = self._settings.decoder == "torchvision" and len(network.shape) == 3  # a list of pictures, traced
        self._shape = [1, *network.shape] if self._bare else network.shape
        if len(self._shape) != 4:
            raise DetectorError(
                f"{self._path}: its input has the shape {list(network.shape)}, not four axes", hint=ONE_INPUT
            )
        self._settings = self._with_channels(export)
        if network.kind is np.uint8 and self._settings.input.white <= 1:
            raise DetectorError(
                f"{self._path}: its input are whole numbers (uint8), in which a brightest pixel of 1 leaves no picture",
                hint="write 'input: {white: 255}' into the YAML beside it",
            )
        self._size = self._chosen_size()
        self._check_outputs()
        decoder, settings = self._settings.decoder, sha256_of(asdict(self._settings))
        configuration = {"size": list(self._size or ()), "settings": settings, "decoder": decoder}
        self.identity = Identity(self._path.name, network.engine, network.sha256, configuration)
        self.leaves_out_to = self._settings.confidence

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, highest score first."""
        suppressed = self._settings.nms_iou is None and self._settings.decoder != "detr"
        step = self._fixed(0) or (1 if suppressed else BATCH)  # traced with one picture it leaves others empty
        step = 1 if self._settings.decoder == "torchvision" else step
        findings: list[list[Finding]] = []
        for start in range(0, len(radiographs), step):
            findings += self._batch(radiographs[start : start + step])
        return findings

    def _batch(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        fit = Frame.letterbox if self._settings.input.fit == "letterbox" else Frame.stretch
        size = self._size or radiographs[0].shape
        framed = [fit(radiograph.pixels, size) for radiograph in radiographs]
        batch = self._prepared(np.stack([picture for picture, _ in framed]))
        missing = (self._fixed(0) or len(batch)) - len(batch)
        if missing:
            batch = np.concatenate([batch, np.repeat(batch[-1:], missing, axis=0)])
        try:
            outputs = self._network.run(batch[0] if self._bare else batch)
            decoded = decode(outputs, self._settings, size, sure=self._sure)[: len(radiographs)]
        except DetectorError as error:
            raise DetectorError(f"{self._path}: {error.message}", hint=error.hint) from error
        if len(decoded) != len(radiographs):
            raise DetectorError(
                f"{self._path}: {counted(len(decoded), 'result')} for {counted(len(radiographs), 'radiograph')}"
            )
        return [self._findings(*decoded_one, frame) for decoded_one, (_, frame) in zip(decoded, framed, strict=True)]

    def _findings(self, boxes: NDArray[Any], scores: NDArray[Any], kinds: Indices, frame: Frame) -> list[Finding]:
        if self._settings.nms_iou is not None:
            kept = suppress(boxes, scores, self._settings.nms_iou, MAX_FINDINGS, kinds)
        else:
            kept = np.argsort(-scores, kind="stable")[:MAX_FINDINGS]
        return findings_of(boxes[kept], scores[kept], frame)

    def _prepared(self, pictures: NDArray[np.float32]) -> NDArray[Any]:
        """Return (N, H, W) in 0..1 as the model wants it."""
        settings, count = self._settings.input, self._settings.input.channels or 3
        channels = np.repeat(pictures[:, None] * np.float32(settings.white), count, axis=1)
        mean, std = (
            np.broadcast_to(np.array(one, np.float32), count)[:, None, None] for one in (settings.mean, settings.std)
        )
        prepared = (channels - mean) / std
        if settings.layout == "NHWC":
            prepared = np.moveaxis(prepared, 1, 3)
        kind = self._network.kind
        return np.ascontiguousarray(np.rint(prepared) if kind is np.uint8 else prepared, dtype=kind)

    def _found_settings(self, export: Export | None) -> OnnxSettings:
        self._sure = False
        files = self._path.with_name(self._path.name + ".yaml"), self._path.with_suffix(".yaml")  # ultralytics' too
        beside = next(filter(Path.is_file, files), None)
        content = None if beside is None else yaml_of(beside)
        foreign = sorted(FOREIGN_KEYS & set(content)) if isinstance(content, dict) and "decoder" not in content else []
        if beside is not None and not foreign:
            settings = settings_of(content, beside)
            activation = settings.output.activation or activation_beside(self._path)
            return replace(settings, output=replace(settings.output, activation=activation))
        if export is None:
            name = files[0 if foreign else 1].name
            why = f"; {beside.name} holds {', '.join(foreign)}: not settings" if beside is not None else ""
            raise DetectorError(
                f"nothing says how to read the outputs of {self._path}{why}",
                hint=f"write {name} beside it: 'decoder: yolo', rows, torchvision or detr; see docs/detectors.md",
            )
        self._sure = True
        return export[1]

    def _with_classes(self, settings: OnnxSettings, export: Export | None, chosen: Sequence[str]) -> OnnxSettings:
        """Return settings with the classes chosen, else their own, else those of the metadata, or one.

        Raises:
            DetectorError: there are several and none is named.
        """
        output, count = settings.output, settings.output.class_count
        if output.classes and not chosen:
            return settings
        if export is not None:
            classes = classes_of(export[0], chosen, self._path)
            count = count if chosen else count or len(export[0])
        elif not all(one.isdecimal() for one in chosen):
            raise DetectorError(f"{self._path} does not name its classes", hint=f"{self._path.name}#0 gives a number")
        elif not chosen and (count or 1) > 1:
            raise DetectorError(f"{self._path} has {count} classes, and none is named", hint=SAY_WHICH)
        else:
            classes = [int(one) for one in chosen] or [1 if settings.decoder == "torchvision" else 0]
            count = count if chosen else 1
        return replace(settings, output=replace(output, classes=tuple(classes), class_count=count))

    def _with_channels(self, export: Export | None) -> OnnxSettings:
        """Return the settings with the channels that the model declares; what contradicts it is refused."""
        settings = self._settings.input
        declared = self._fixed(1 if settings.layout == "NCHW" else 3)
        counts = {"its metadata": export[1].input.channels if export else None, "the YAML": settings.channels}
        for source, channels in counts.items():
            if None not in (declared, channels) and channels != declared:
                raise DetectorError(f"{self._path} declares an input of {declared} channels, and {source} {channels}")
        channels = declared or settings.channels or counts["its metadata"] or 3
        if channels not in CHANNELS:
            raise DetectorError(
                f"{self._path}: wants {channels} channels; radiographs have 1, or 3 equal ones",
                hint="'input: {layout: NHWC}' in the YAML beside it if the channels come last",
            )
        return replace(self._settings, input=replace(settings, channels=channels))

    def _chosen_size(self) -> tuple[int, int] | None:
        """Return the size of the input; None for torchvision's networks, which scale every picture themselves."""
        first = 2 if self._settings.input.layout == "NCHW" else 1
        height, width = self._fixed(first), self._fixed(first + 1)
        size = self._settings.input.size
        if size is not None and (height or size[0], width or size[1]) != size:
            raise DetectorError(
                f"{self._path} declares an input of {height} x {width} (height x width), and its settings or metadata "
                f"say {size[0]} x {size[1]}",
                hint="one of the two is of another model",
            )
        if size is None and not (height and width) and self._settings.decoder != "torchvision":
            raise DetectorError(
                f"{self._path} takes pictures of any size, and nothing says at which it finds nodules",
                hint="write 'input: {size: [640, 640]}' (height, width), as it was trained, into the YAML beside it",
            )
        return size or ((height, width) if height and width else None)

    def _check_outputs(self) -> None:
        """Refuse at once what the settings or the declared shapes already show to be another form."""
        output, from_one = self._settings.output, self._settings.decoder == "torchvision"
        if output.class_count is not None and max(output.classes) >= output.class_count + from_one:
            last = output.class_count - (not from_one)
            raise DetectorError(
                f"{self._path}: its nodules are class {max(output.classes)}, and its last class is {last}",
                hint=SAY_WHICH,
            )
        if self._settings.decoder not in ("yolo", "rows"):
            return
        shapes = [list(shape) for shape in self._network.outputs.values()]
        if len(shapes) != 1 or len(shapes[0]) != 3:
            raise DetectorError(
                f"{self._path}: its outputs are {dict(self._network.outputs)}, not one of three axes",
                hint=f"docs/detectors.md names the outputs that each decoder reads; {WRAP}",
            )
        count, (_, second, third) = self._settings.output.class_count, shapes[0]
        if self._settings.decoder == "rows" and isinstance(third, int) and third != 6:
            raise DetectorError(
                f"{self._path}: its output is {shapes[0]}, and rows of 6 numbers are announced", hint=WRAP
            )
        if self._settings.decoder == "yolo" and count is not None and isinstance(second, int) and second != 4 + count:
            raise DetectorError(
                f"{self._path}: its output is {shapes[0]}, not (N, {4 + count}, places) for {count} classes",
                hint=f"{SAY_WHICH}; an older export of RT-DETR looks like this too, or one with suppression inside, or "
                "with a score of its own for 'there is something' as YOLOv5's, which is not read",
            )

    def _fixed(self, axis: int) -> int | None:
        side = self._shape[axis]
        return side if isinstance(side, int) and side > 0 else None
