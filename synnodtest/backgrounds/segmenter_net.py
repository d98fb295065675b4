"""The segmenter's network, evaluated in NumPy: the same masks whether or not torch is installed.

A U-Net over a square folded 2 x 2 into channels. Every block is two 3 x 3 convolutions with ReLU; batch
normalisation has been folded into them. Weights are a safetensors file in half precision, layer by layer.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from synnodtest.errors import BackgroundError
from synnodtest.geometry import FloatArray

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
