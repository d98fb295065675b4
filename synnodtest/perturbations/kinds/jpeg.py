"""``jpeg``: JPEG quality, 1 to 100."""

from __future__ import annotations

import io

import numpy as np

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span


def _jpeg(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(buffer, format="JPEG", quality=round(value))
    with Image.open(buffer) as image:
        return np.asarray(image, dtype=np.float32) / np.float32(255)


KIND = PerturbationKind(
    name="jpeg",
    about="JPEG quality, 1 to 100.",
    span=Span(1, 100),
    easy=100.0,
    change=_jpeg,
)
