"""The NODE21 layout: ``metadata.csv`` beside a folder ``images`` of ``.mha`` files, in either spelling."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from synnodtest.backgrounds.folder_files import node21_folder
from synnodtest.datasets.pixels import refuse_corners
from synnodtest.datasets.records import AnnotatedBox, Dataset, Facts, by_image, columns_and_rows, numbers, positive_box
from synnodtest.errors import BackgroundError

COLUMNS = ("img_name", "label", "x", "y", "width", "height")
_Measured = Mapping[tuple[str, tuple[int, ...]], tuple[float, float]]


def read_node21(folder: Path) -> Dataset:
    """Return the images of a NODE21 folder, or of a phantom set in that layout.

    Phantom sets write diameters and contrasts (``truth.csv``) and persons (``phantoms.csv``) beside ``metadata.csv``;
    a ``manifest.csv`` at the top or beside the images adds patients.

    Raises:
        BackgroundError: no NODE21 data set, a malformed table, or an image that it lists and that is not there; names
            file and line.
    """
    images = node21_folder(folder)
    if images is None:
        raise BackgroundError(
            f"{folder}: no NODE21 data set", hint="expected metadata.csv beside a folder images/ of .mha files"
        )
    table = images.parent / "metadata.csv"
    listed = _listed(table, _measured(images.parent / "truth.csv"))
    refuse_corners({images / name: own for name, (_, own) in listed.items()}, str(table))
    patients = _patients(images.parent / "phantoms.csv")
    facts = Facts([folder, images.parent, images])
    records = []
    for name, (where, own) in listed.items():
        if not (images / name).is_file():
            raise BackgroundError(
                f"{where}: {images / name} is not there",
                hint="write the files' own names, suffix included, into img_name",
            )
        image = facts.image(images / name, own, where)
        records.append(image if image.patient else replace(image, patient=patients.get(name, "")))
    return Dataset(folder.resolve().name or "node21", "node21", folder, records)


def _listed(table: Path, measured: _Measured) -> dict[str, tuple[str, list[AnnotatedBox]]]:
    """Return of each image where it is listed first and its boxes."""
    rows = columns_and_rows(table)
    columns, _ = next(rows)
    if missing := [name for name in COLUMNS if name not in columns]:
        raise BackgroundError(f"{table}:1: the column(s) {', '.join(missing)} are missing")
    return by_image(_row(row, where, measured) for row, where in rows)


def _row(row: Mapping[str, str], where: str, measured: _Measured) -> tuple[str, str, list[AnnotatedBox]]:
    """Return image, place and boxes of a row."""
    name = (row["img_name"] or "").strip()
    if not name or "/" in name or "\\" in name:
        raise BackgroundError(f"{where}: img_name is {name!r}, not a file name")
    label, x, y, width, height = numbers([row[column] for column in ("label", "x", "y", "width", "height")], where)
    if label not in (0.0, 1.0):
        raise BackgroundError(f"{where}: label is {row['label']!r}, not 0 or 1")
    if label == 0:
        if any((x, y, width, height)):
            raise BackgroundError(
                f"{where}: label 0 with a box ({x:g}, {y:g}, {width:g}, {height:g})", hint="is a column swapped?"
            )
        return name, where, []
    box = positive_box(x, y, width, height, where)
    diameter, contrast = measured.get((name, tuple(round(edge) for edge in box)), (None, None))
    return name, where, [AnnotatedBox(box, where, diameter, contrast)]


def _measured(path: Path) -> _Measured:
    """Return diameter and contrast by image and rounded box, where a phantom set gives them."""
    edges = ("x_min", "y_min", "x_max", "y_max")

    def told(row: Mapping[str, str]) -> tuple[tuple[str, tuple[int, ...]], tuple[float, float]]:
        place = row["img_name"], tuple(round(float(row[edge])) for edge in edges)
        return place, (float(row["diameter_mm"]), float(row["contrast"]))

    return _of_phantoms(path, told)


def _patients(path: Path) -> dict[str, str]:
    return _of_phantoms(path, lambda row: (row["img_name"], row["patient"] or ""))


def _of_phantoms(path: Path, told: Callable[[Mapping[str, str]], tuple[Any, Any]]) -> dict[Any, Any]:
    """Return what the rows of a table of a phantom set tell; nothing where there is none."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            return dict(map(told, csv.DictReader(stream)))
    except FileNotFoundError:
        return {}
    except (OSError, KeyError, TypeError, ValueError, csv.Error) as error:
        raise BackgroundError(f"{path}: not a table of a phantom set: {error!r}", hint="write the set again") from error
