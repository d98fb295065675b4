"""Raw radiographs of the JSRT database: 2048 x 2048 values of 12 bits in big-endian words, without a header."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from synnodtest.backgrounds.reading import Stored
from synnodtest.errors import BackgroundError, system_faults
from synnodtest.geometry import FloatArray

SIDE_PX = 2048
"""Side in pixels, as the database states it with the two below (Shiraishi et al. 2000); its files have no header to say
so."""
SPACING_MM = 0.175
"""Distance between pixels, in mm, of the database's scanner."""
LARGEST = 4095
"""Largest value of its 12 bits; 0 is white."""


def read_jsrt(path: Path) -> Stored:
    """Return the pixels (2048 x 2048, 0..1, air dark) and the spacing in mm.

    The file counts optical density: a large value is a dark place of the film.

    Raises:
        BackgroundError: the file has another size, or values above 12 bits; names it.
    """
    length = 2 * SIDE_PX * SIDE_PX
    with system_faults(path, BackgroundError):
        size = path.stat().st_size
        data = path.read_bytes() if size == length else b""
    if len(data) != length:
        raise BackgroundError(
            f"{path}: {size} bytes, and a raw JSRT radiograph has {length} (2048 x 2048 big-endian words)",
            hint="copy the file again from its source",
        )
    stored = np.frombuffer(data, dtype=">u2").reshape(SIDE_PX, SIDE_PX)
    if int(stored.max()) > LARGEST:
        raise BackgroundError(f"{path}: values up to {int(stored.max())} exceed 12 bits", hint="is it big-endian?")
    pixels: FloatArray = (np.float32(1) - stored.astype(np.float32) / np.float32(LARGEST)).astype(np.float32)
    return Stored(pixels, (SPACING_MM, SPACING_MM))
