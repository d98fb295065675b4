"""The segmenter: lungs, heart, mediastinum, abdomen and clavicles of a frontal radiograph, from its picture alone.

It sees a small square of two channels: brightness overall, and brightness against its surroundings.

Its network is evaluated in NumPy: the same masks whether or not torch is installed. It is a U-Net over the square
folded 2 x 2 into channels. Every block is two 3 x 3 convolutions with ReLU; batch normalisation has been folded into
them. Weights are a safetensors file in half precision, layer by layer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
import scipy
from PIL import Image

from synnodtest.errors import BackgroundError, SynnodError
from synnodtest.files import sha256_of_file
from synnodtest.geometry import BoolArray, FloatArray
from synnodtest.shipped import shipped_model

STRUCTURES = ("left_lung", "right_lung", "heart", "mediastinum", "abdomen", "clavicle")
"""Outlines that the network finds, in the order of its outputs: whole silhouettes, whatever lies before or behind."""
WEIGHTS_FILE = "segmenter.safetensors"

_PARTS = {"left_lung": 1, "right_lung": 1, "heart": 1, "mediastinum": 1, "abdomen": 2, "clavicle": 2}
_LEAST_LUNG = 0.02
"""Share of the radiograph that either lung must fill; set by hand: specks make no pair of lungs, and more would turn
collapsed ones away."""


@dataclass(frozen=True, eq=False)
class Segmented:
    """Outlines of one film.

    Args:
        masks: H x W masks by name of :data:`STRUCTURES`; the two lungs share no pixel.
        certainty: Mean of ``|2 p - 1|`` over the lungs and their surroundings: 1 where nothing was in doubt.
    """

    masks: Mapping[str, BoolArray]
    certainty: float


def segment(pixels: FloatArray, spacing_mm: tuple[float, float], weights: Path) -> Segmented | None:
    """Return the structures of a radiograph; None where the network sees no pair of lungs.

    Args:
        pixels: float32, H x W, 0..1, air dark, patient upright, the patient's left on the right.
        spacing_mm: Distance between pixels, ``(row, column)``; only their ratio matters.
        weights: File of weights, such as :func:`shipped_weights`.

    Raises:
        BackgroundError: the weights are broken.
    """
    frame = framed(pixels, spacing_mm)
    planes = dict(zip(STRUCTURES, forward(_layers(weights), frame.channels), strict=True))
    left, right = planes["left_lung"], planes["right_lung"]
    planes["left_lung"], planes["right_lung"] = np.where(left >= right, left, 0), np.where(right > left, right, 0)
    planes = {name: _tidied(plane, _PARTS[name]) for name, plane in planes.items()}
    inside = planes["left_lung"] + planes["right_lung"]
    least = _LEAST_LUNG * (frame.rows.stop - frame.rows.start) * (frame.columns.stop - frame.columns.start)
    if min(np.count_nonzero(planes[name] > 0.5) for name in ("left_lung", "right_lung")) < least:
        return None
    near = scipy.ndimage.binary_dilation(inside > 0.5, iterations=6)
    certainty = float(np.abs(2 * np.maximum(left, right)[near] - 1).mean())
    shape = (int(pixels.shape[0]), int(pixels.shape[1]))
    masks = {name: frame.back(plane, shape) > 0.5 for name, plane in planes.items()}
    masks["right_lung"] &= ~masks["left_lung"]
    return Segmented(masks, certainty)


def shipped_weights() -> Path | None:
    """Return the file of the shipped weights; None where this installation has none."""
    try:
        return shipped_model("segmenter") / WEIGHTS_FILE
    except SynnodError:
        return None


@lru_cache(maxsize=2)
def weights_sha256(path: Path) -> str:
    """Return the sha256 of a file of weights, which is part of the identity of every estimate made with it."""
    return sha256_of_file(path)


def _tidied(plane: FloatArray, parts: int) -> FloatArray:
    """Return the probabilities with the largest ``parts`` pieces only, and without holes."""
    labels, count = scipy.ndimage.label(plane > 0.5)
    if not count:
        return plane
    sizes = np.bincount(labels.ravel())[1:]
    kept = np.argsort(sizes)[::-1][:parts] + 1
    whole = scipy.ndimage.binary_fill_holes(np.isin(labels, kept[sizes[kept - 1] >= 0.1 * sizes.max()]))
    near = scipy.ndimage.binary_dilation(whole)
    return np.asarray(np.where(whole, np.maximum(plane, 0.501), np.where(near, np.minimum(plane, 0.5), 0)), np.float32)


SIDE = 160
"""Pixels a side, that the shipped weights were trained at (models/segmenter/README.md): other sides need other weights.
2.7 mm on an adult's film."""
_LOCAL_PX = 19
"""Width of the mean that stands for the surroundings, in pixels, taken twice; the weights were trained with it. Set by
hand: about 5 cm, wider than ribs."""


@dataclass(frozen=True, eq=False)
class Framed:
    """A radiograph in the segmenter's square, and where it lies there.

    Args:
        channels: float32, 2 x SIDE x SIDE; 0 beside the radiograph.
        rows: Rows of the square that the radiograph fills; ``columns`` likewise.
    """

    channels: FloatArray
    rows: slice
    columns: slice

    def back(self, plane: FloatArray, shape: tuple[int, int]) -> FloatArray:
        """Return a plane of the square (SIDE x SIDE) on the radiograph's own pixels, ``shape``."""
        cut = Image.fromarray(np.ascontiguousarray(plane[self.rows, self.columns], dtype=np.float32))
        return np.asarray(cut.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), dtype=np.float32)


def framed(pixels: FloatArray, spacing_mm: tuple[float, float]) -> Framed:
    """Scale a radiograph (H x W, 0..1, spacing row, column) to fill the square with its longer side, centred."""
    height, width = pixels.shape[0] * spacing_mm[0], pixels.shape[1] * spacing_mm[1]
    scale = SIDE / max(height, width)
    size = (max(round(width * scale), 8), max(round(height * scale), 8))
    small = np.asarray(Image.fromarray(pixels.astype(np.float32)).resize(size, Image.Resampling.BOX))
    top, left = (SIDE - small.shape[0]) // 2, (SIDE - small.shape[1]) // 2
    rows, columns = slice(top, top + small.shape[0]), slice(left, left + small.shape[1])
    square = np.zeros((2, SIDE, SIDE), dtype=np.float32)
    square[:, rows, columns] = channels(small)
    return Framed(square, rows, columns)


def channels(small: FloatArray) -> FloatArray:
    """Return the two channels (2 x h x w, about -1..1) of a small picture; neither knows its exposure."""
    low, high = np.percentile(small, [1, 99])
    overall = np.clip((small - low) / max(float(high - low), 1e-6), 0, 1)
    mean = _around(overall)
    spread = np.sqrt(np.maximum(_around(overall**2) - mean**2, 0))
    local = np.clip((overall - mean) / (spread + 0.02) / 2, -1.5, 1.5)
    return np.stack([2 * overall - 1, local]).astype(np.float32)


def _around(image: FloatArray) -> FloatArray:
    """Return the mean of every pixel's surroundings, weighted like a tent."""
    once = scipy.ndimage.uniform_filter(image, _LOCAL_PX, mode="nearest")
    return np.asarray(scipy.ndimage.uniform_filter(once, _LOCAL_PX, mode="nearest"), dtype=np.float32)


CHANNELS = (24, 48, 80, 112, 128)
"""Channels of the five levels, from half the square's resolution downwards."""

Layers = list[tuple[FloatArray, FloatArray]]


def read_safetensors(path: Path) -> Layers:
    """Return the layers ``(weight, bias)`` of a file that ``synnodtest train segmenter`` wrote, in order.

    Raises:
        BackgroundError: the file is missing, cut off, or of another network; names it.
    """
    try:
        raw = path.read_bytes()
        start = 8 + int.from_bytes(raw[:8], "little")
        header = json.loads(raw[8:start])
        arrays = {}
        for name, entry in header.items():
            if name != "__metadata__":
                first, last = entry["data_offsets"]
                values = np.frombuffer(raw[start + first : start + last], dtype=np.float16)
                arrays[name] = values.reshape(entry["shape"]).astype(np.float32)
        count = 4 * len(CHANNELS) - 1
        return [(arrays[f"{index:02d}.weight"], arrays[f"{index:02d}.bias"]) for index in range(count)]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BackgroundError(
            f"{path}: these are no weights of the segmenter ({error})", hint="synnodtest train segmenter writes them"
        ) from error


_layers = lru_cache(maxsize=2)(read_safetensors)


def forward(layers: Layers, square: FloatArray) -> FloatArray:
    """Return the probabilities (structures x S x S) for a picture (channels x S x S); S is a multiple of 32."""
    blocks = iter(layers)
    x = _folded(square)
    skipped = []
    for level in range(len(CHANNELS)):
        x = _block(blocks, x if level == 0 else _halved(x))
        skipped.append(x)
    skipped.pop()
    while skipped:
        x = _block(blocks, np.concatenate([x.repeat(2, axis=1).repeat(2, axis=2), skipped.pop()]))
    weight, bias = next(blocks)
    logits = _unfolded(_product(weight, x) + bias[:, None, None])
    return np.asarray(1 / (1 + np.exp(-logits)), dtype=np.float32)


def _block(blocks: Iterator[tuple[FloatArray, FloatArray]], x: FloatArray) -> FloatArray:
    for _ in range(2):
        weight, bias = next(blocks)
        x = _convolved(weight, x)
        x += bias[:, None, None]
        np.maximum(x, 0, out=x)
    return x


def _convolved(weight: FloatArray, x: FloatArray) -> FloatArray:
    """Return a 3 x 3 convolution with a border of zeros."""
    channels, height, width = x.shape
    padded = np.zeros((channels, height + 2, width + 2), x.dtype)
    padded[:, 1:-1, 1:-1] = x
    columns = np.empty((channels, 9, height, width), x.dtype)
    for tap in range(9):
        row, column = divmod(tap, 3)
        columns[:, tap] = padded[:, row : row + height, column : column + width]
    return _product(weight, columns.reshape(channels * 9, height, width))


def _product(weight: FloatArray, x: FloatArray) -> FloatArray:
    flat = weight.reshape(weight.shape[0], -1) @ x.reshape(x.shape[0], -1)
    return np.asarray(flat.reshape(-1, *x.shape[1:]))


def _halved(x: FloatArray) -> FloatArray:
    rows = np.maximum(x[:, ::2], x[:, 1::2])
    return np.asarray(np.maximum(rows[:, :, ::2], rows[:, :, 1::2]))


def _folded(x: FloatArray) -> FloatArray:
    channels, height, width = x.shape
    parts = x.reshape(channels, height // 2, 2, width // 2, 2).transpose(0, 2, 4, 1, 3)
    return np.ascontiguousarray(parts.reshape(4 * channels, height // 2, width // 2))


def _unfolded(x: FloatArray) -> FloatArray:
    channels, height, width = x.shape
    parts = x.reshape(channels // 4, 2, 2, height, width).transpose(0, 3, 1, 4, 2)
    return np.asarray(parts.reshape(channels // 4, 2 * height, 2 * width))
