"""Writing MetaImage (``.mha``) files as NODE21 has them: a text header and zlib-compressed pixels in one file."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from synnodtest.errors import BackgroundError
from synnodtest.files import write_atomic


def mha_bytes(pixels: NDArray[np.uint16], spacing_mm: tuple[float, float], *, comment: str = "") -> bytes:
    """Return the content of a two-dimensional, compressed ``.mha`` file.

    Args:
        pixels: (height, width), uint16.
        spacing_mm: ``(row, column)``; the header wants x first.
        comment: One line of ASCII for the header's ``Comment``.

    Raises:
        BackgroundError: the pixels are not two-dimensional uint16.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint16:
        raise BackgroundError(f"an .mha radiograph is two-dimensional uint16, not {pixels.ndim}-D {pixels.dtype}")
    data = zlib.compress(np.ascontiguousarray(pixels.astype("<u2")).tobytes(), level=4)
    height, width = pixels.shape
    header = {
        "ObjectType": "Image",
        **({"Comment": comment} if comment else {}),
        "NDims": "2",
        "BinaryData": "True",
        "BinaryDataByteOrderMSB": "False",
        "CompressedData": "True",
        "CompressedDataSize": str(len(data)),
        "TransformMatrix": "1 0 0 1",
        "Offset": "0 0",
        "CenterOfRotation": "0 0",
        "ElementSpacing": f"{spacing_mm[1]:.9g} {spacing_mm[0]:.9g}",
        "DimSize": f"{width} {height}",
        "ElementType": "MET_USHORT",
        "ElementDataFile": "LOCAL",
    }
    return "".join(f"{key} = {value}\n" for key, value in header.items()).encode("ascii") + data


def write_mha(path: Path, pixels: NDArray[np.uint16], spacing_mm: tuple[float, float]) -> None:
    """Write (or replace as a whole) one ``.mha`` file; see :func:`mha_bytes`."""
    write_atomic(path, mha_bytes(pixels, spacing_mm))
