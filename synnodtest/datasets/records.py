"""A data set of annotated radiographs before any pixel is read: the same few words for every layout."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.backgrounds.manifest import find_manifest
from synnodtest.backgrounds.named_images import plain_name
from synnodtest.backgrounds.reading import FILE_ALONE, Given
from synnodtest.csv_rows import AS_CSV, checked_rows, rows_of
from synnodtest.errors import BackgroundError
from synnodtest.geometry import Box

SCORES = ("score", "scores", "confidence", "conf", "probability", "prob")
"""Names of columns and keys, in small letters, in which detectors write how sure they are."""
EDGE_PX = 1.0
"""A box may pass the image's edge by this much (rounding)."""


@dataclass(frozen=True)
class AnnotatedBox:
    """One annotated nodule.

    Args:
        box: ``(x_min, y_min, x_max, y_max)``, edges, in pixels of the image.
        where: ``metadata.csv:12`` or the like, for messages.
        diameter_mm: Where it was measured and not taken from the box.
        contrast: Likewise (phantoms know it).
        annotation: Who annotated it, where a set joins several annotations; their boxes differ in margin.
    """

    box: Box
    where: str
    diameter_mm: float | None = None
    contrast: float | None = None
    annotation: str = ""


@dataclass(frozen=True)
class AnnotatedImage:
    """One image with its annotated nodules; none means that it shows none, if it is marked in full.

    Args:
        id: Unique within the set: the file's stem.
        path: The file.
        boxes: Its nodules.
        patient: The statistical cluster, or "".
        strata: Further facts (view, sex, age, ...).
        where: Where it is listed, for messages.
    """

    id: str
    path: Path
    boxes: tuple[AnnotatedBox, ...] = ()
    patient: str = ""
    strata: Mapping[str, str] = field(default_factory=dict)
    where: str = ""
    declared: tuple[int, int] | None = None
    """Height and width that the annotations give of it."""
    given: Given = FILE_ALONE
    """All that a manifest says of the pixels."""
    exhaustive: bool = True
    """True where every nodule of the image is marked, so that a finding elsewhere is a false positive."""

    @property
    def cluster(self) -> str:
        """The patient where known, else the image: never on both sides of a split."""
        return self.patient or self.id


@dataclass(frozen=True)
class Dataset:
    """An ordered set of annotated images.

    Args:
        name: The folder's name.
        layout: ``node21``, ``coco``, ``yolo``, ``csv`` or ``jsrt``.
        folder: Its folder.
        images: In a stable order.
        notes: What was left out, in plain words.
    """

    name: str
    layout: str
    folder: Path
    images: Sequence[AnnotatedImage]
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        if not self.images:
            raise BackgroundError(f"{self.folder}: lists no image")
        first: dict[str, Path] = {}
        listed: dict[Path, str] = {}
        for image in self.images:
            path = image.path.absolute()
            if path in listed:
                raise BackgroundError(
                    f"{image.where or image.path}: {image.path.name} is listed twice, first at {listed[path]}",
                    hint="list every image once, with all its boxes; move one of the two lists away",
                )
            listed[path] = image.where or str(image.path)
            if first.setdefault(image.id, image.path) != image.path:
                raise BackgroundError(
                    f"{image.path} and {first[image.id]} have the same name", hint="give every image a name of its own"
                )


class Facts:
    """Facts that a manifest beside the images knows of them: patient, spacing, bits, view, sex, age.

    A row that names a file which is not where it says is that of the image of its name, in whatever folder.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        manifest = find_manifest(folders)
        rows = manifest.rows if manifest else ()
        self._rows = {(row.folder / row.file).resolve(): row for row in rows}
        elsewhere = [row for row in rows if not (row.folder / row.file).is_file()]
        times = Counter(plain_name(row.file) for row in elsewhere)
        self._named = {name: row for row in elsewhere if times[name := plain_name(row.file)] == 1}

    def image(self, path: Path, boxes: Sequence[AnnotatedBox], where: str = "", stem: str = "") -> AnnotatedImage:
        """Return the image with what the manifest adds."""
        row = self._rows.get(path.resolve()) or self._named.get(plain_name(path.name))
        image = AnnotatedImage(stem or stem_of(path), path, tuple(boxes), where=where)
        return image if row is None else replace(image, patient=row.patient, strata=row.strata, given=row.given)


def columns_and_rows(table: Path) -> Iterator[tuple[Mapping[str, str], str]]:
    """Yield the columns of a table, each as its own cell, then its rows, with their places for messages.

    Raises:
        BackgroundError: it cannot be read; names it.
    """
    try:
        reader = rows_of(table.read_bytes())
        yield {name: name for name in reader.fieldnames or ()}, f"{table}:1"
        for row in checked_rows(reader):
            yield row, f"{table}:{reader.line_num}"
    except (OSError, ValueError, csv.Error) as error:
        raise BackgroundError(f"{table}: cannot be read: {error}", hint=AS_CSV) from error


def by_image(rows: Iterable[tuple[str, str, Sequence[AnnotatedBox]]]) -> dict[str, tuple[str, list[AnnotatedBox]]]:
    """Return where each image is listed first and all its boxes, in file order.

    Args:
        rows: Image, place and boxes of each.
    """
    images: dict[str, tuple[str, list[AnnotatedBox]]] = {}
    for name, where, boxes in rows:
        images.setdefault(name, (where, []))[1].extend(boxes)
    return images


def numbers(texts: Sequence[str | None], where: str) -> list[float]:
    """Return numbers from cells.

    Raises:
        BackgroundError: one of them is none; names the place.
    """
    try:
        return [float(text or "") for text in texts]
    except ValueError as error:
        raise BackgroundError(
            f"{where}: not a number: {str(error).rpartition(': ')[2]}",
            hint="write a number with a decimal point; a box of boxes.csv has all of its cells filled, or none",
        ) from error


def positive_box(x: float, y: float, width: float, height: float, where: str) -> Box:
    """Return the box with this top left corner and size, cut at the image's left and upper edge.

    Raises:
        BackgroundError: it is empty, infinite, or begins outside the image; names the place.
    """
    total = x + y + width + height
    if min(x, y) >= 0 and min(width, height) > 0 and max(x + width, y + height) <= 1:
        raise BackgroundError(
            f"{where}: a nodule with x {x:g}, y {y:g}, width {width:g}, height {height:g} lies within one pixel",
            hint="boxes are in pixels of the image; these look like shares of it",
        )
    lasting = min(width, height, x + width, y + height) > 0
    if not (lasting and min(x, y) >= -EDGE_PX and total < float("inf")):
        raise BackgroundError(
            f"{where}: a nodule with x {x:g}, y {y:g}, width {width:g}, height {height:g} cannot be",
            hint="an image without nodules has no box: empty cells in boxes.csv, label 0 in NODE21",
        )
    return max(x, 0.0), max(y, 0.0), x + width, y + height


def notes_on_scores(names: Iterable[str], where: str) -> list[str]:
    """Return a note where boxes come with scores: are they a detector's findings, and no annotations?"""
    column = next((name for name in names if name.lower() in SCORES), "")
    says = "boxes have scores, as a detector's findings do, and each counts as a nodule"
    return [f"{where}: {says} ({column})"] if column else []
