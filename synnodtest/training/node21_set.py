"""The NODE21 layout as annotated radiographs."""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from synnodtest.backgrounds.node21 import node21_folder
from synnodtest.backgrounds.readers import read_radiograph
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Box, equal_area_diameter_mm
from synnodtest.radiograph import Radiograph, Truth
from synnodtest.training.annotated import Case

__all__ = ["Node21Set"]

COLUMNS = ("img_name", "label", "x", "y", "width", "height")


@dataclass(frozen=True)
class _Row:
    line: int
    name: str
    box: Box | None


class Node21Set:
    """Annotated radiographs of a NODE21 folder, or of a phantom set in that layout.

    A box is all that NODE21 knows of a nodule: the truth mask is the ellipse in the box, the diameter that of the disc
    of the same area. Where ``truth.csv`` lies beside ``metadata.csv`` (phantom sets write it) its diameters and
    contrasts are taken instead.

    Args:
        folder: The data set's folder, or one above it.

    Raises:
        BackgroundError: no NODE21 data set, a malformed ``metadata.csv``, or an image that it lists and that is not
            there; names file and line.
    """

    def __init__(self, folder: str | Path) -> None:
        root = Path(folder)
        images = node21_folder(root)
        if images is None:
            raise BackgroundError(
                f"{root}: no NODE21 data set", hint="expected metadata.csv beside a folder images/ of .mha files"
            )
        self._images = images
        self.name = root.name or "node21"
        table = images.parent / "metadata.csv"
        self._rows = _read_rows(table)
        self._measured = _read_truth(images.parent / "truth.csv")
        for rows in self._rows.values():
            if not (images / rows[0].name).is_file():
                raise BackgroundError(f"{table}:{rows[0].line}: {images / rows[0].name} is not there")

    @property
    def cases(self) -> Sequence[Case]:
        """One case per image; NODE21 does not say which images share a patient, so each is its own cluster."""
        return [Case(Path(name).stem, f"{self.name}/{Path(name).stem}") for name in self._rows]

    def load(self, case: Case) -> Radiograph:
        """Return the radiograph with its annotated nodules.

        Raises:
            BackgroundError: the image is truncated, or a box leaves it; names file and line.
        """
        name = next(name for name in self._rows if Path(name).stem == case.id)
        radiograph = read_radiograph(self._images / name)
        truths = [self._truth(row, radiograph) for row in self._rows[name] if row.box is not None]
        return replace(radiograph, background=case.id, patient=case.cluster, nodules=tuple(truths))

    def _truth(self, row: _Row, radiograph: Radiograph) -> Truth:
        assert row.box is not None
        x_min, y_min, x_max, y_max = (round(edge) for edge in row.box)
        height, width = radiograph.shape
        if x_max > width or y_max > height:
            raise BackgroundError(
                f"{self._images.parent / 'metadata.csv'}:{row.line}: the box {row.box} leaves {row.name}, which is "
                f"{width} x {height} pixels",
                hint="x, y are the top left corner, width and height the size, in pixels; is a column swapped?",
            )
        crop = _ellipse(y_max - y_min, x_max - x_min)
        diameter = equal_area_diameter_mm(float(math.pi / 4 * (x_max - x_min) * (y_max - y_min)), radiograph.spacing_mm)
        measured, contrast = self._measured.get((row.name, (x_min, y_min, x_max, y_max)), (diameter, math.nan))
        return Truth("nodule", crop, (y_min, x_min), measured, contrast)


def _ellipse(height: int, width: int) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    y = (np.arange(height) + 0.5) / height * 2 - 1
    x = (np.arange(width) + 0.5) / width * 2 - 1
    mask: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = y[:, None] ** 2 + x[None, :] ** 2 <= 1.0
    mask[height // 2, :] = True
    mask[:, width // 2] = True
    return mask


def _read_rows(table: Path) -> dict[str, list[_Row]]:
    """Return the rows of ``metadata.csv`` by image, in file order."""
    rows: dict[str, list[_Row]] = {}
    try:
        with table.open(newline="", encoding="utf-8-sig") as stream:
            reader = csv.DictReader(stream)
            missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
            if missing:
                raise BackgroundError(f"{table}: the column(s) {', '.join(missing)} are missing")
            for row in reader:
                made = _row(row, f"{table}:{reader.line_num}", reader.line_num)
                rows.setdefault(made.name, []).append(made)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise BackgroundError(f"{table}: cannot be read: {error}") from error
    if not rows:
        raise BackgroundError(f"{table}: lists no image")
    return rows


def _row(row: dict[str, str], where: str, line: int) -> _Row:
    name = (row["img_name"] or "").strip()
    if not name or "/" in name or "\\" in name:
        raise BackgroundError(f"{where}: img_name is {name!r}, not a file name")
    try:
        label, x, y, width, height = (float(row[column]) for column in ("label", "x", "y", "width", "height"))
    except (TypeError, ValueError) as error:
        raise BackgroundError(f"{where}: not a number: {error}") from error
    if label not in (0.0, 1.0):
        raise BackgroundError(f"{where}: label is {row['label']!r}, not 0 or 1")
    if label == 0:
        return _Row(line, name, None)
    if not (width > 0 and height > 0 and x >= 0 and y >= 0 and math.isfinite(x + y + width + height)):
        raise BackgroundError(f"{where}: a nodule with x {x:g}, y {y:g}, width {width:g}, height {height:g} cannot be")
    return _Row(line, name, (x, y, x + width, y + height))


def _read_truth(path: Path) -> dict[tuple[str, tuple[int, ...]], tuple[float, float]]:
    """Return diameter and contrast by image and rounded box, where a phantom set gives them."""
    if not path.is_file():
        return {}
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return {
                (row["img_name"], tuple(round(float(row[edge])) for edge in ("x_min", "y_min", "x_max", "y_max"))): (
                    float(row["diameter_mm"]),
                    float(row["contrast"]),
                )
                for row in csv.DictReader(stream)
            }
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise BackgroundError(f"{path}: not the truth of a phantom set: {error!r}") from error
