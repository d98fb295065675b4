"""``downsample``: down by this factor and up again."""

from __future__ import annotations

import numpy as np
import scipy

from synnodtest.geometry import FloatArray
from synnodtest.perturbations.kind import PerturbationKind, Span


def _downsample(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    rows, columns = (_down_and_up(length, max(1, round(length / value))) for length in pixels.shape)
    coarse: FloatArray = (rows @ (columns @ pixels.T).T).astype(np.float32)
    return coarse


def _down_and_up(length: int, fewer: int) -> scipy.sparse.csr_array:
    """Return the matrix that averages ``length`` values to ``fewer`` by area and interpolates them back linearly."""
    step = length / fewer
    edges = np.arange(fewer + 1) * step
    pixel = np.arange(length)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    down = scipy.sparse.csr_array(np.maximum(shared, 0) / step)
    place = np.clip((pixel + 0.5) / step - 0.5, 0, fewer - 1)
    lower = np.minimum(place.astype(int), max(fewer - 2, 0))
    upper = np.minimum(lower + 1, fewer - 1)
    weights = np.concatenate([1 - (place - lower), place - lower])
    up = scipy.sparse.csr_array((weights, (np.tile(pixel, 2), np.concatenate([lower, upper]))), shape=(length, fewer))
    return scipy.sparse.csr_array(up @ down)


KIND = PerturbationKind(
    name="downsample",
    about="Down by this factor and up again.",
    span=Span(1, 64),
    neutral=1.0,
    change=_downsample,
)
