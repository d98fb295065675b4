"""Small real ONNX models, written byte by byte, so that the tests need no package that exports them.

Each model finds what is bright: a convolution averages cells of 8 x 8 pixels over an input of 64 x 64, and the average
is the score of the cell's box.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np

FLOAT, INT64 = 1, 7
CELLS = 64


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number: int, value: int | bytes | str | float) -> bytes:
    if isinstance(value, float):
        return _varint(number << 3 | 5) + struct.pack("<f", value)
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _tensor(name: str, array: np.ndarray) -> bytes:
    kind = INT64 if array.dtype == np.int64 else FLOAT
    dims = b"".join(_field(1, int(n)) for n in array.shape)
    return dims + _field(2, kind) + _field(8, name) + _field(9, array.tobytes())


def _ints(name: str, values: list[int]) -> bytes:
    return _field(5, _field(1, name) + b"".join(_field(8, v) for v in values) + _field(20, 7))


def _int(name: str, value: int) -> bytes:
    return _field(5, _field(1, name) + _field(3, value) + _field(20, 2))


def _node(kind: str, inputs: list[str], outputs: list[str], attributes: bytes = b"") -> bytes:
    return (
        b"".join(_field(1, i) for i in inputs) + b"".join(_field(2, o) for o in outputs) + _field(4, kind) + attributes
    )


def _value(name: str, shape: list[int | str], kind: int = FLOAT) -> bytes:
    dims = b"".join(_field(1, _field(1, n) if isinstance(n, int) else _field(2, n)) for n in shape)
    return _field(1, name) + _field(2, _field(1, _field(1, kind) + _field(2, dims)))


def _model(
    nodes: list[bytes], weights: list[bytes], shape: list[int | str], outputs: list[bytes], meta: dict[str, str]
) -> bytes:
    graph = b"".join(_field(1, node) for node in nodes) + _field(2, "graph") + b"".join(_field(5, w) for w in weights)
    graph += _field(11, _value("images", shape)) + b"".join(_field(12, output) for output in outputs)
    extra = b"".join(_field(14, _field(1, key) + _field(2, value)) for key, value in meta.items())
    return _field(1, 8) + _field(7, graph) + _field(8, _field(1, "") + _field(2, 13)) + extra


def corners() -> np.ndarray:
    """Boxes (64, 4) of the cells, x_min, y_min, x_max, y_max in pixels of the input."""
    y, x = np.mgrid[:8, :8] * 8.0
    return np.stack([x, y, x + 8, y + 8], axis=-1).reshape(CELLS, 4).astype(np.float32)


def centres() -> np.ndarray:
    """The same as centre and size."""
    edges = corners()
    return np.concatenate([(edges[:, :2] + edges[:, 2:]) / 2, edges[:, 2:] - edges[:, :2]], axis=1)


def write_model(
    path: Path,
    decoder: str,
    *,
    batch: int | str = 1,
    channels: int = 3,
    meta: dict[str, str] | None = None,
    label: int = 1,
    side: int | str = 64,
) -> Path:
    """Write the model with the outputs that ``decoder`` reads; ``label`` is torchvision's."""
    weights = [
        _tensor("w", np.full((1, channels, 8, 8), 1 / (64 * channels), np.float32)),
        _tensor("to_row", np.array([0, 1, CELLS], np.int64)),
    ]
    nodes = [
        _node("Conv", ["images", "w"], ["cells"], _ints("strides", [8, 8]) + _ints("kernel_shape", [8, 8])),
        _node("Reshape", ["cells", "to_row"], ["row"]),
    ]
    if decoder == "yolo":
        weights.append(_tensor("boxes", centres().T[None].copy()))
        nodes.append(_node("Concat", ["boxes", "row"], ["output0"], _int("axis", 1)))
        outputs = [_value("output0", [batch, 5, CELLS])]
    elif decoder == "torchvision":
        weights += [
            _tensor("b", corners()),
            _tensor("l", np.full(CELLS, label, np.int64)),
            _tensor("flat", np.array([CELLS], np.int64)),
        ]
        nodes += [
            _node("Identity", ["b"], ["boxes"]),
            _node("Identity", ["l"], ["labels"]),
            _node("Reshape", ["row", "flat"], ["scores"]),
        ]
        outputs = [_value("boxes", [CELLS, 4]), _value("scores", [CELLS]), _value("labels", [CELLS], INT64)]
    else:
        weights += [_tensor("b", (centres() / 64)[None].copy()), _tensor("none", np.zeros((1, CELLS, 1), np.float32))]
        nodes += [
            _node("Identity", ["b"], ["pred_boxes"]),
            _node("Transpose", ["row"], ["column"], _ints("perm", [0, 2, 1])),
            _node("Concat", ["column", "none"], ["logits"], _int("axis", 2)),
        ]
        outputs = [_value("pred_boxes", [1, CELLS, 4]), _value("logits", [1, CELLS, 2])]
    path.write_bytes(_model(nodes, weights, [batch, channels, side, side], outputs, meta or {}))
    return path
