"""Folders of radiographs with ``boxes.csv``: PNG, JPEG, MHA or DICOM files and one row per nodule."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.backgrounds.named_images import file_named
from synnodtest.datasets.classes import class_column, names_of_nodules
from synnodtest.datasets.pixels import refuse_corners
from synnodtest.datasets.records import (
    EDGE_PX,
    AnnotatedBox,
    Dataset,
    Facts,
    by_image,
    columns_and_rows,
    notes_on_scores,
    numbers,
    positive_box,
)
from synnodtest.errors import BackgroundError

TABLE = "boxes.csv"
_EDGES, _SIZES = ("x_min", "y_min", "x_max", "y_max"), ("x", "y", "width", "height")
_SIDES = (("image_height", "image_width"), ("height", "width"))
"""Columns that may tell how many pixels were annotated; beside edges the last may be those of the box instead."""
_OTHER_UNITS = re.compile(r"mm|cm|(milli|centi)met(er|re)s?|normali[sz]ed|relative|percent|%|fractions?|shares?", re.I)


def read_table(folder: Path) -> Dataset:
    """Return the images that ``boxes.csv`` lists.

    Columns: ``file`` (relative to the folder) and ``x_min, y_min, x_max, y_max`` or ``x, y, width, height`` in pixels;
    optional ``patient``, ``diameter_mm``, ``contrast``, ``image_width`` and ``image_height``, a class (``class_name``,
    ``label``, ...), of which only nodules count, ``annotation`` (who drew the box) and ``exhaustive`` (``no`` where
    further nodules of the film may be unmarked; ``yes`` without it). A row with empty cells is an image without
    nodules. Spacing, view, sex and age come from ``manifest.csv``, patients of DICOM files from their headers, as
    pseudonyms.

    Raises:
        BackgroundError: the table is missing or malformed, or a file that it lists is not there; names file and line.
    """
    table = folder / TABLE
    told = columns_and_rows(table)
    given = list(next(told)[0])
    columns, rows = _columns(table, given), list(told)
    drawn = _of_nodules(table, rows, class_column(given), columns)
    named = [(_path_of(folder, row, where), row, where) for row, where in rows]
    patients: dict[str, str] = {}
    for name, row, _ in named:
        patients[name] = (row.get("patient") or patients.get(name, "")).strip()
    listed = by_image((name, where, _box(row, columns, where) if drawn(row) else []) for name, row, where in named)
    partly = {name for name, row, where in named if not _exhaustive(row, where)}
    if columns is _SIZES:
        refuse_corners({folder / name: own for name, (_, own) in listed.items()}, str(table))
    declared = {name: sides for name, row, where in named if (sides := _sides(row, columns, where))}
    facts = Facts([folder, folder.parent])
    stems = Counter(map(_stem, listed))
    images = []
    for name, (where, own) in listed.items():
        stem = _flat(name) if stems[_stem(name)] > 1 else ""
        image = facts.image(folder / name, own, where, stem)
        patient, full = patients[name] or image.patient, name not in partly
        images.append(replace(image, patient=patient, exhaustive=full, declared=declared.get(name)))
    return Dataset(folder.resolve().name, "csv", folder, images, notes_on_scores(given, table.name))


def _path_of(folder: Path, row: Mapping[str, str], where: str) -> str:
    """Return the path of a row's file within a folder as it is written there."""
    name = (row["file"] or "").strip()
    path = file_named(folder, name)
    if not name or not path.is_file():
        raise BackgroundError(
            f"{where}: {path if name else 'no file name'} is not there",
            hint=f"names are those of files in {folder}, suffix included",
        )
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else name


def _flat(name: str) -> str:
    """Return a name for one of several files of the same stem in different folders."""
    return str(PurePosixPath(name).with_name(_stem(name))).replace("/", "_")


def _stem(name: str) -> str:
    return stem_of(PurePosixPath(name))


def _columns(table: Path, given: Sequence[str]) -> Sequence[str]:
    for names in (_EDGES, _SIZES):
        if {"file", *names} <= set(given):
            return names
    raise BackgroundError(
        f"{table}:1: the columns are {', '.join(given)}",
        hint="file, x_min, y_min, x_max, y_max (or file, x, y, width, height)",
    )


def _of_nodules(
    table: Path, rows: Sequence[tuple[Mapping[str, str], str]], column: str | None, edges: Sequence[str]
) -> Callable[[Mapping[str, str]], bool]:
    """Return whether a row's class is a nodule; every row's is where the table has no class column."""
    boxed = [(row, where) for row, where in rows if any(_filled(row[name]) for name in edges)]
    if column is None or not boxed:
        return lambda row: True
    if where := next((where for row, where in boxed if not (row[column] or "").strip()), ""):
        raise BackgroundError(f"{where}: a box without a class in the column {column!r}", hint="write its class there")
    known = {(row[column] or "").strip() for row, _ in rows} - {""}
    nodules = names_of_nodules(known, f"{table}, column {column!r}", table.parent)
    return lambda row: (row[column] or "").strip() in nodules


def _filled(cell: str | None) -> str:
    """Return a cell, or "" where a program wrote that it is empty."""
    text = (cell or "").strip()
    return "" if text.lower() in ("nan", "na", "n/a", "none", "null") else text


def _box(row: Mapping[str, str], columns: Sequence[str], where: str) -> list[AnnotatedBox]:
    cells = [_filled(row[name]) for name in columns]
    if not any(cells):
        return []
    unit = next((_filled(row.get(name)) for name in row if name.lower() in ("unit", "units")), "")
    if _OTHER_UNITS.fullmatch(unit):
        raise BackgroundError(f"{where}: a box in {unit}", hint="write boxes in pixels of the image")
    first, second, third, fourth = numbers(cells, where)
    if columns is _EDGES:
        third, fourth = third - first, fourth - second
    diameter, contrast = (numbers([row[n]], where)[0] if row.get(n) else None for n in ("diameter_mm", "contrast"))
    box = positive_box(first, second, third, fourth, where)
    annotation = (row.get("annotation") or "").strip()
    return [AnnotatedBox(box, where, diameter, contrast, annotation=annotation)]


def _sides(row: Mapping[str, str], columns: Sequence[str], where: str) -> tuple[int, int] | None:
    """Return height and width of the annotated image, where a row tells them; width and height may be the box's."""
    told = _SIDES if columns is _EDGES else _SIDES[:1]
    names = next((names for names in told if all(_filled(row.get(name)) for name in names)), ())
    if not names:
        return None
    height, width = numbers([row[name] for name in names], where)
    edges = [_filled(row[name]) for name in columns]
    if names == _SIDES[1] and all(edges):
        left, top, right, bottom = numbers(edges, where)
        if abs(bottom - top - height) <= EDGE_PX and abs(right - left - width) <= EDGE_PX:
            return None
    return round(height), round(width)


def _exhaustive(row: Mapping[str, str], where: str) -> bool:
    word = (row.get("exhaustive") or "yes").strip().lower()
    if word not in ("yes", "no"):
        raise BackgroundError(
            f"{where}: exhaustive is {word!r}", hint="yes: every nodule of the film is marked; no: others may be there"
        )
    return word == "yes"
