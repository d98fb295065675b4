"""Changes of brightness and sharpness; no pixel moves."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping

import numpy as np
from scipy import ndimage, sparse

from synnodtest.geometry import FloatArray

__all__ = ["INTENSITY"]

Change = Callable[[FloatArray, float, np.random.Generator], FloatArray]


def _gamma(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    return np.power(pixels, np.float32(value))


def _brightness(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    return pixels + np.float32(value)


def _contrast(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    mean = np.float32(pixels.mean(dtype=np.float64))
    return mean + (pixels - mean) * np.float32(value)


def _noise(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    return pixels + rng.standard_normal(pixels.shape, dtype=np.float32) * np.float32(value)


def _blur(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    blurred: FloatArray = ndimage.gaussian_filter(pixels, value, mode="nearest")
    return blurred


def _jpeg(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).save(buffer, format="JPEG", quality=round(value))
    with Image.open(buffer) as image:
        return np.asarray(image, dtype=np.float32) / np.float32(255)


def _downsample(pixels: FloatArray, value: float, rng: np.random.Generator) -> FloatArray:
    rows, columns = (_down_and_up(length, max(1, round(length / value))) for length in pixels.shape)
    coarse: FloatArray = (rows @ (columns @ pixels.T).T).astype(np.float32)
    return coarse


def _down_and_up(length: int, fewer: int) -> sparse.csr_array:
    """Return the matrix that averages ``length`` values to ``fewer`` by area and interpolates them back linearly."""
    step = length / fewer
    edges = np.arange(fewer + 1) * step
    pixel = np.arange(length)
    shared = np.minimum(edges[1:, None], pixel + 1) - np.maximum(edges[:-1, None], pixel)
    down = sparse.csr_array(np.maximum(shared, 0) / step)
    place = np.clip((pixel + 0.5) / step - 0.5, 0, fewer - 1)
    lower = np.minimum(place.astype(int), max(fewer - 2, 0))
    upper = np.minimum(lower + 1, fewer - 1)
    weights = np.concatenate([1 - (place - lower), place - lower])
    up = sparse.csr_array((weights, (np.tile(pixel, 2), np.concatenate([lower, upper]))), shape=(length, fewer))
    return sparse.csr_array(up @ down)


INTENSITY: Mapping[str, Change] = {
    "gamma": _gamma,
    "brightness": _brightness,
    "contrast": _contrast,
    "noise": _noise,
    "blur": _blur,
    "jpeg": _jpeg,
    "downsample": _downsample,
}
