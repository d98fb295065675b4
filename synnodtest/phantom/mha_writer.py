"""Writing pictures as data sets have them: 16-bit PNG, and MetaImage (``.mha``) as NODE21 does.

A MetaImage is a text header and zlib-compressed pixels in one file.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synnodtest.files import replacing, write_atomic
from synnodtest.geometry import BoolArray, FloatArray

NODE21_FOLDER = Path("cxr_images") / "proccessed_data"
"""The spelling is NODE21's."""
NODE21_COLUMNS = ("", "height", "img_name", "label", "width", "x", "y")
"""Of its ``metadata.csv``; the first one, without a name, counts the rows from 0."""
NODE21_NOTHING = {"height": 0, "width": 0, "x": 0, "y": 0, "label": 0}
"""The row of a radiograph without nodules, but for its name."""


def mha_bytes(pixels: NDArray[np.uint16], spacing_mm: tuple[float, float], *, comment: str = "") -> bytes:
    """Return the content of a two-dimensional, compressed ``.mha`` file.

    Args:
        pixels: (height, width), uint16.
        spacing_mm: ``(row, column)``; the header wants x first.
        comment: One line of ASCII for the header's ``Comment``.
    """
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


def write_picture(path: Path, pixels: FloatArray, spacing_mm: tuple[float, float]) -> int:
    """Write (or replace as a whole) pixels of 0..1 as PNG of 16 bits or MHA of 12, by the suffix; return the bits."""
    bits = 16 if path.suffix == ".png" else 12
    values = np.rint(np.clip(pixels, 0, 1) * (2**bits - 1)).astype(np.uint16)
    if bits == 16:
        write_png(path, values)
    else:
        write_atomic(path, mha_bytes(values, spacing_mm))
    return bits


def write_png(path: Path, values: NDArray[np.uint16] | BoolArray) -> None:
    """Write (or replace as a whole) a grey PNG, or one of black and white."""
    with replacing(path) as temporary:
        Image.fromarray(values).save(temporary, format="PNG", compress_level=4)
