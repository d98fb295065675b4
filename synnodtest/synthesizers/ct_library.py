"""Segmented CT nodules on disk, in the layout of the NODE21 generation baseline."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from synnodtest.csv_rows import AS_CSV, rows_of
from synnodtest.errors import SynthesizerError
from synnodtest.files import sha256_with_names

WIDEST_ZOOM = 5.0
"""A nodule is enlarged at most so much, as in the published baseline."""
USUAL_ZOOM = 2.5
"""Nodules within this ratio of the requested size are preferred."""
LEAST_VOXELS = 20
"""Voxels of a nodule's segmentation; set by hand: at 1 mm a ball of 3.4 mm, smaller ones are specks that enlarging
would make blocks."""
MOST_UNEVEN = 0.05
"""Of the sides of a voxel: those of a CT are several times as high as wide."""


@dataclass(frozen=True)
class CtNodule:
    """One CT crop and its segmentation.

    Args:
        image: ``*_dcm_*.mha``, Hounsfield units, 1 mm.
        segmentation: The same name with ``seg``.
        diameter_mm: Of the ball with the segmentation's volume.
    """

    image: Path
    segmentation: Path
    diameter_mm: float

    @property
    def series(self) -> str:
        """The CT series the crop comes from: the statistical cluster."""
        return self.image.name.split("_dcm_")[0]

    def read(self) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
        """Return Hounsfield units and segmentation, (d, h, w) each.

        Raises:
            SynthesizerError: a file cannot be read or the two do not fit.
        """
        return _read(self.image, self.segmentation)


def _array(path: Path) -> NDArray[Any]:
    from synnodtest.backgrounds.mha import read_mha
    from synnodtest.errors import BackgroundError

    try:
        crop = read_mha(path, max_values=256**3)
    except BackgroundError as error:
        raise SynthesizerError(f"CT nodule {error.message}", hint=error.hint) from error
    if crop.spacing and max(crop.spacing) > (1 + MOST_UNEVEN) * min(crop.spacing):
        sides = " x ".join(f"{side:g}" for side in crop.spacing[::-1])
        raise SynthesizerError(
            f"{path}: voxels of {sides} mm, of which a nodule would be planted out of shape",
            hint="resample crop and segmentation to cubes of 1 mm, as those of NODE21 are",
        )
    return crop.array


@lru_cache(maxsize=512)
def _read(image: Path, segmentation: Path) -> tuple[NDArray[np.int16], NDArray[np.bool_]]:
    hounsfield, mask = _array(image), _array(segmentation) > 0
    if hounsfield.ndim != 3 or hounsfield.shape != mask.shape:
        raise SynthesizerError(
            f"{image}: a CT nodule of shape {hounsfield.shape} with a segmentation of shape {mask.shape}",
            hint="both must be three-dimensional and equal",
        )
    if hounsfield.min() >= 0:
        raise SynthesizerError(
            f"{image}: no value below 0 (from {hounsfield.min():g}): these are no Hounsfield units, of which lung has "
            "about -850",
            hint="apply the rescale of the CT (most often subtract 1024)",
        )
    return hounsfield.astype(np.int16), mask


class CtLibrary:
    """All usable nodules of a folder, in a stable order.

    Args:
        folder: Holds ``ct_nodules.csv`` and, anywhere below, the ``*_dcm_*.mha`` and ``*_seg_*.mha``.
        series: Keep nodules of these CT series only; None keeps all.

    Raises:
        SynthesizerError: nothing usable is there.
    """

    def __init__(self, folder: str | Path, *, series: Sequence[str] | None = None) -> None:
        self.folder = Path(folder)
        if not self.folder.is_dir():
            raise SynthesizerError(f"{self.folder}: no such folder of CT nodules")
        series_kept = None if series is None else set(series)
        listed = _listed(self.folder)
        paths = sorted(self.folder.rglob("*_dcm_*.mha"))
        nodules = []
        for image in paths:
            segmentation = image.with_name(image.name.replace("_dcm_", "_seg_"))
            if listed and image.name not in listed:
                continue
            if not segmentation.exists():
                raise SynthesizerError(f"{image}: its segmentation {segmentation.name} is missing")
            if series_kept is not None and image.name.split("_dcm_")[0] not in series_kept:
                continue
            voxels = int(_read(image, segmentation)[1].sum())
            if voxels >= LEAST_VOXELS:
                nodules.append(CtNodule(image, segmentation, 2 * (voxels * 0.75 / np.pi) ** (1 / 3)))
        if not nodules:
            raise SynthesizerError(
                f"{self.folder}: no CT nodule with a segmentation",
                hint="expected *_dcm_*.mha and *_seg_*.mha as in the ct_patches of NODE21",
            )
        self.nodules = tuple(nodules)

    def content_sha256(self) -> str:
        """Return the sha256 of names and bytes of all nodules."""
        paths = (path for nodule in self.nodules for path in (nodule.image, nodule.segmentation))
        return sha256_with_names((path.name, path) for path in paths)

    def fitting(self, diameter_mm: float) -> list[int]:
        """Return the indices of nodules that may be zoomed to a diameter, the usual ones if there are any.

        Raises:
            SynthesizerError: the folder has none.
        """
        diameters = np.array([nodule.diameter_mm for nodule in self.nodules])
        for ratio in (USUAL_ZOOM, WIDEST_ZOOM):
            near = (diameters > diameter_mm / ratio) & (diameters < diameter_mm * ratio)
            if near.any():
                return [int(i) for i in np.flatnonzero(near)]
        raise SynthesizerError(
            f"{self.folder}: no CT nodule can be zoomed to {diameter_mm:g} mm",
            hint=f"the folder has {diameters.min():.0f} to {diameters.max():.0f} mm; at most a factor {WIDEST_ZOOM:g}",
        )


def _listed(folder: Path) -> set[str]:
    table = next(iter(sorted(folder.rglob("ct_nodules.csv"))), None)
    if table is None:
        return set()
    try:
        return {row["img_name"] for row in rows_of(table.read_bytes())}
    except (OSError, KeyError, ValueError, csv.Error) as error:
        raise SynthesizerError(f"{table}: no table with a column 'img_name' ({error!r})", hint=AS_CSV) from error
