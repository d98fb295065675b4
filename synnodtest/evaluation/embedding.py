"""An image encoder of the user's (Inception, one for chest radiographs) in which nodules are compared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.detectors.files import sha256_of_files
from synnodtest.detectors.onnx import weights_beside
from synnodtest.errors import SynnodError, require
from synnodtest.factories import Loader
from synnodtest.geometry import Array, FloatArray

DARKEST, BRIGHTEST = -1.0, 1.5
"""Brightness about the surroundings, in lung ranges, that an encoder gets as 0 and as 1."""
BATCH = 32
"""Pictures per call of the encoder; nothing depends on it but memory and time."""


@dataclass(frozen=True)
class Embedding:
    """An encoder and where it comes from.

    Args:
        name: What the user named.
        sha256: Of the file, and of those that hold its weights.
        encode: Pictures (n, size, size) of 0..1 to vectors (n, d).
    """

    name: str
    sha256: str
    encode: Callable[[FloatArray], Any]

    def of(self, views: NDArray[Any]) -> Array:
        """Return the vectors (n, d) of views (n, size, size) in lung ranges about their surroundings.

        Raises:
            SynnodError: the encoder fails, or returns something else than one finite vector per view.
        """
        pictures = np.clip((views.astype(np.float32) - DARKEST) / (BRIGHTEST - DARKEST), 0, 1)
        parts = []
        for start in range(0, len(pictures), BATCH):
            some = pictures[start : start + BATCH]
            try:
                vectors = np.asarray(self.encode(some), dtype=np.float64).reshape(len(some), -1)
            except Exception as error:
                raise SynnodError(f"embedding {self.name}: {type(error).__name__}: {error}") from error
            if not np.isfinite(vectors).all():
                raise SynnodError(f"embedding {self.name} returned values that are not finite")
            parts.append(vectors)
        return np.concatenate(parts)


def load_embedding(text: str) -> Embedding:
    """Load an encoder: an ``.onnx`` file with one input (n, 1 or 3, h, w) of 0..1, or ``module:factory``.

    An ONNX model's own normalisation belongs into its graph; views are resized where it asks for another size. A
    factory returns a function that takes pictures (n, 96, 96) of 0..1, which are 67 mm wide, and returns (n, d).

    Raises:
        SynnodError: the file or factory is not there or is something else.
    """
    if ":" in text and not Path(text).exists():
        embedder, identity, _ = Loader(text, "embedding", SynnodError, Path.cwd()).make()
        if not callable(embedder):
            raise SynnodError(f"embedding {text!r}: the factory returned {type(embedder).__name__}, not a function")
        return Embedding(text, identity.sha256, embedder)
    path = Path(text)
    if path.suffix != ".onnx" or not path.is_file():
        raise SynnodError(
            f"embedding {text!r} is no .onnx file", hint="an .onnx file, or module:factory, file.py:factory"
        )
    return Embedding(path.name, sha256_of_files(path, weights_beside(path)), _onnx(path))


def _onnx(path: Path) -> Callable[[FloatArray], Any]:
    require("onnxruntime", "onnx", f"The embedding {path.name}")
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    except Exception as error:
        raise SynnodError(f"embedding {path}: onnxruntime cannot load it: {error}") from error
    inputs = session.get_inputs()
    if len(inputs) != 1 or len(inputs[0].shape) != 4 or inputs[0].shape[1] not in (1, 3):
        shapes = [list(one.shape) for one in inputs]
        raise SynnodError(f"embedding {path}: takes {shapes}", hint="one input of (n, 1 or 3, height, width)")
    name, (_, channels, height, width) = inputs[0].name, inputs[0].shape

    def encode(pictures: FloatArray) -> Any:
        from scipy import ndimage

        if isinstance(height, int) and isinstance(width, int):
            zoom = (1, height / pictures.shape[1], width / pictures.shape[2])
            pictures = ndimage.zoom(pictures, zoom, order=1, grid_mode=True, mode="nearest")
        fed = np.repeat(pictures[:, None], channels, axis=1).astype(np.float32)
        return session.run(None, {name: fed})[0]

    return encode
