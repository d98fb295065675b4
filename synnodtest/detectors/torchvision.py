"""Detection models of torchvision: ``--detector torchvision:fasterrcnn_resnet50_fpn:weights.pth``.

The file holds a state dict, which is loaded with ``weights_only``: nothing in it can run. In Python any module with
torchvision's interface (a list of pictures in, a list of ``boxes``, ``labels``, ``scores`` out) becomes a detector:

    def factory():
        return TorchvisionDetector(my_model(), "mine", labels=(1,))
"""

from __future__ import annotations

import importlib
from argparse import Namespace
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from synnodtest.decoding import JsonObject
from synnodtest.detectors.exchange import finding_of
from synnodtest.detectors.files import check_weights, unreplaced
from synnodtest.detectors.network_outputs import check_scores, refuse_background
from synnodtest.detectors.registry import Options, register_detector
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph

BATCH = 4
"""Radiographs per call; set by hand, a quarter of what one-stage networks get, since two-stage ones take more memory
each. Nothing else depends on it."""
LEAST_SCORE = 0.001
"""Least score reported, as YOLO's: torchvision's own 0.05 would cut low scores off every curve."""
_REFUSED = "WeightsUnpickler error"
"""Begins what torch says of a file that holds more than weights, behind its advice to load it unsafely."""
_FROM_ZERO = "if 0 is its nodule, wrap it in Python: TorchvisionDetector(model, name, labels=(0,))"


class TorchvisionDetector:
    """A module with the interface of torchvision's detection models.

    Args:
        model: Takes a list of pictures (3, H, W) float32 in 0..1, each of its own size, and returns a list of mappings
            with ``boxes`` (n, 4) as x_min, y_min, x_max, y_max in pixels, ``labels`` (n) and ``scores`` (n).
        name: How reports call it.
        labels: Which labels are nodules.
        version: Of the model.
        sha256: Of its weights.
        device: ``cpu`` or ``cuda``.
        configuration: Further facts for the identity.

    The picture reaches the model as float32: no step goes through 8 bits.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        *,
        labels: Sequence[int] = (1,),
        version: str = "",
        sha256: str = "",
        device: str = "cpu",
        configuration: JsonObject | None = None,
    ) -> None:
        self._model = model.to(device).eval()
        self._device = device
        self._labels = tuple(labels)
        self.identity = Identity(name, version, sha256, {"labels": list(self._labels), **(configuration or {})})

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one list of findings per radiograph, highest score first."""
        import torch

        findings: list[list[Finding]] = []
        with torch.inference_mode():
            for _, group in groupby(radiographs, key=lambda one: one.shape):  # of several shapes all are padded to one
                grey = [torch.from_numpy(one.pixels).to(self._device)[None].expand(3, -1, -1) for one in group]
                for start in range(0, len(grey), BATCH):
                    findings += [self._findings(answer) for answer in self._model(grey[start : start + BATCH])]
        return findings

    def _findings(self, answer: Mapping[str, Any]) -> list[Finding]:
        try:
            boxes, labels, scores = (answer[key].detach().cpu().numpy() for key in ("boxes", "labels", "scores"))
        except (KeyError, TypeError, AttributeError) as error:
            raise DetectorError(
                f"the model answered {type(answer).__name__}, not tensors boxes, labels and scores: {error!r}"
            ) from error
        check_scores(scores)
        refuse_background(labels, scores, self._labels, _FROM_ZERO)
        empty = (boxes[:, 2:] == boxes[:, :2]).any(axis=1)  # clipped at an edge; what is inverted or NaN is an error
        kept = np.isin(labels, self._labels) & ~empty
        order = np.argsort(-scores, kind="stable")
        return [finding_of(boxes[index].tolist(), scores[index]) for index in order if kept[index]]


def load_torchvision(architecture: str, weights: Path, device: str = "cpu") -> TorchvisionDetector:
    """Return a detection model of torchvision with the weights in a file.

    Args:
        architecture: A builder of ``torchvision.models.detection`` such as ``fasterrcnn_resnet50_fpn``.
        weights: State dict (``.pth``), or a mapping that holds one and no second, under any key. It must have two
            classes, background and nodule; it is never downloaded.
        device: ``cpu`` or ``cuda``.

    Raises:
        DetectorError: no such architecture, or weights that are missing, hostile or do not fit.
    """
    check_weights(weights, "torchvision", "yolo")
    import torch

    detection: Any = importlib.import_module("torchvision.models.detection")
    builder = getattr(detection, architecture, None)
    if not callable(builder) or architecture.startswith("_") or not architecture.islower():
        known = sorted(n for n in dir(detection) if "_" in n and n.islower() and callable(getattr(detection, n)))
        raise DetectorError(f"torchvision has no detection model {architecture!r}", hint=", ".join(known))
    try:
        torch.serialization.add_safe_globals([Namespace])  # the arguments that torchvision's own training keeps
        with unreplaced(weights) as digest:
            content = torch.load(weights, map_location="cpu", weights_only=True)
        state = _weights_in(weights, content)
        model = builder(weights=None, weights_backbone=None, num_classes=2)
        judge = getattr(model, "roi_heads", model)
        if hasattr(judge, "score_thresh"):
            judge.score_thresh = LEAST_SCORE
        model.load_state_dict(state)
    except DetectorError:
        raise
    except Exception as error:
        text = " ".join(str(error).split())
        says = text[max(text.find(_REFUSED), 0) :][:300]
        raise DetectorError(
            f"{weights} cannot be loaded as {architecture} with two classes: {says}",
            hint="torch.save(model.state_dict(), ...) of background and nodule is wanted; a model of another make can "
            "be wrapped in Python by TorchvisionDetector(model, name, labels=...)",
        ) from error
    return TorchvisionDetector(
        model,
        weights.name,
        version=f"torchvision {version('torchvision')}",
        sha256=digest,
        device=device,
        configuration={"architecture": architecture},  # that of 320 pixels takes the weights of that of 800
    )


def _weights_in(weights: Path, content: JsonObject) -> JsonObject:
    """Return the state dict in a checkpoint, without what training programs put before its names.

    Raises:
        DetectorError: there are several: an average beside the weights, or several networks.
    """
    import torch

    inside = {
        key: value
        for key, value in content.items()
        if isinstance(value, Mapping) and value and all(isinstance(one, torch.Tensor) for one in value.values())
    }
    if len(inside) > 1:
        raise DetectorError(
            f"{weights} holds several sets of weights: {', '.join(inside)}",
            hint="save the one that is used in a file of its own",
        )
    state = next(iter(inside.values()), content)
    for prefix in ("_orig_mod.", "module.", "model."):
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


@register_detector("torchvision")
def _torchvision(argument: str, options: Options) -> TorchvisionDetector:
    architecture, _, path = argument.partition(":")
    if not path:
        raise DetectorError(
            f"torchvision:{argument} names no weights", hint="torchvision:fasterrcnn_resnet50_fpn:weights.pth"
        )
    return load_torchvision(architecture, options.path(path), options.device)
