"""A radiograph from a MetaImage: one grey picture in mm, its header's other claims obeyed, noted or refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.backgrounds.depth import by_bits
from synnodtest.backgrounds.mha import MetaImage, read_mha
from synnodtest.backgrounds.reading import FILE_ALONE, Given, Stored
from synnodtest.errors import BackgroundError

MODALITIES = ("", "MET_MOD_OTHER", "MET_MOD_UNKNOWN", "MET_MOD_XR", "MET_MOD_CR", "MET_MOD_DX")
"""What the header's ``Modality`` may say; CT, MR, NM and US are no radiographs."""
UNITS = ("", "mm", "?", "millimeter", "millimetre")


def read_metaimage(path: Path, max_pixels: int, given: Given = FILE_ALONE) -> Stored:
    """Return the radiograph in a ``.mha`` or ``.mhd``.

    Raises:
        BackgroundError: a volume, in colour, of another modality, in other units, or damaged; names the file.
    """
    image = read_mha(path, max_values=max_pixels)
    notes = _claims(path, image.header)
    stored = by_bits(path, flat(path, image.array), given)
    spacing = _in_plane(image) if image.spacing else None
    return Stored(stored.pixels, spacing, (*notes, *stored.notes))


def _in_plane(image: MetaImage) -> tuple[float, float]:
    """Return the spacings of the two axes of a picture, whichever axis of a volume has one slice alone."""
    assert image.spacing is not None
    axes = [axis for axis, side in enumerate(image.array.shape[: len(image.spacing)]) if side > 1]
    row, column = (image.spacing[axis] for axis in (axes if len(axes) == 2 else (-2, -1)))
    return row, column


def _claims(path: Path, header: Mapping[str, str]) -> list[str]:
    """Refuse what a header claims and is not obeyed here; return notes."""
    modality = header.get("Modality", "").strip().upper()
    if modality not in MODALITIES:
        raise BackgroundError(f"{path}: Modality {modality}, not a radiograph", hint="keep only radiographs here")
    units = header.get("DistanceUnits", "").strip().lower()
    if units not in UNITS:
        raise BackgroundError(f"{path}: DistanceUnits {units!r}: only mm are read", hint="write the spacing in mm")
    function = [
        header.get(f"ElementToIntensityFunction{end}", usual) for end, usual in (("Slope", "1"), ("Offset", "0"))
    ]
    if function not in (["1", "0"], ["1.0", "0.0"], ["1", "0.0"], ["1.0", "0"]):
        raise BackgroundError(
            f"{path}: ElementToIntensityFunction {' '.join(function)} is not applied here",
            hint="export the radiograph with it applied",
        )
    matrix = header.get("TransformMatrix", header.get("Rotation", header.get("Orientation", ""))).split()
    side = round(len(matrix) ** 0.5)
    try:
        straight = not matrix or np.array_equal(np.array(matrix, dtype=float).reshape(side, side), np.eye(side))
    except ValueError:
        straight = False
    return [] if straight else ["TransformMatrix is not the identity, and is not applied"]


def flat(path: Path, array: NDArray[Any]) -> NDArray[Any]:
    """Drop axes of length 1; refuse volumes and colour."""
    grey = array
    if grey.ndim == 3 and grey.shape[-1] in (3, 4) and grey.shape[0] > 4:
        if (grey[..., :1] != grey[..., 1:3]).any():
            raise BackgroundError(f"{path}: a colour picture, not a radiograph", hint="save it as greyscale")
        grey = grey[..., 0]
    while grey.ndim > 2 and 1 in (grey.shape[0], grey.shape[-1]):
        grey = grey[0] if grey.shape[0] == 1 else grey[..., 0]
    if grey.ndim != 2:
        raise BackgroundError(
            f"{path}: a volume of {' x '.join(str(n) for n in array.shape)}, not one radiograph",
            hint="give a single 2-D image per file",
        )
    return grey
