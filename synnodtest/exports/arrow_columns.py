"""Arrow columns from Python values, put together from their buffers.

``pyarrow.array`` would load pandas, where it is installed, to ask whether a plain list is one of its series: that takes
longer than all else in writing a table.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray


def column(values: Sequence[Any], kind: Any) -> Any:
    """Return an array of text, float64, bool, lists of these, or maps (given as lists of pairs); None is null.

    Args:
        values: One per row.
        kind: The ``pyarrow.DataType``.

    Raises:
        NotImplementedError: of another type.
    """
    import pyarrow as pa

    valid = None if None not in values else _bits(value is not None for value in values)
    if pa.types.is_list(kind):
        inner = column(list(chain.from_iterable(value or () for value in values)), kind.value_type)
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(values)], children=[inner])
    if pa.types.is_map(kind):
        pairs = list(chain.from_iterable(value or () for value in values))
        sides = [column([key for key, _ in pairs], kind.key_type), column([item for _, item in pairs], kind.item_type)]
        entries = pa.StructArray.from_arrays(sides, fields=[kind.key_field, kind.item_field])
        return pa.Array.from_buffers(kind, len(values), [valid, _offsets(values)], children=[entries])
    return pa.Array.from_buffers(kind, len(values), [valid, *_leaf(values, kind)])


def _leaf(values: Sequence[Any], kind: Any) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_string(kind):
        texts = [(value or "").encode(errors="backslashreplace") for value in values]
        return [_offsets(texts), pa.py_buffer(b"".join(texts))]
    if pa.types.is_float64(kind):
        return [_buffer(np.array([0.0 if value is None else value for value in values], dtype=np.float64))]
    if pa.types.is_boolean(kind):
        return [_bits(map(bool, values))]
    raise NotImplementedError(f"a column of {kind}")


def _offsets(values: Iterable[Any]) -> Any:
    """Return where each list or text begins in the sequence of all their parts, and where the last one ends."""
    return _buffer(np.cumsum([0, *(len(value or ()) for value in values)], dtype=np.int32))


def _bits(flags: Iterable[bool]) -> Any:
    return _buffer(np.packbits(np.array(list(flags), dtype=np.bool_), bitorder="little"))


def _buffer(array: NDArray[Any]) -> Any:
    import pyarrow as pa

    return pa.py_buffer(array.tobytes())
