"""The layouts of annotated data sets, and how a folder tells which one it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from synnodtest.backgrounds.dicom import is_dicom, read_dicom_facts
from synnodtest.backgrounds.folder_files import node21_folder, radiographs_in
from synnodtest.backgrounds.other_annotations import places_of
from synnodtest.backgrounds.patients import patients_of_headers, settled
from synnodtest.backgrounds.tables import read_tables
from synnodtest.counted import counted
from synnodtest.datasets.coco import coco_files, read_coco
from synnodtest.datasets.jsrt import jsrt_table, read_jsrt_set
from synnodtest.datasets.node21 import read_node21
from synnodtest.datasets.pixels import notes_on_resized, notes_on_twins
from synnodtest.datasets.records import AnnotatedImage, Dataset
from synnodtest.datasets.table import TABLE, read_table
from synnodtest.datasets.yolo import read_yolo, yolo_description
from synnodtest.errors import BackgroundError

LAYOUTS: dict[str, Callable[[Path], Dataset]] = {
    "node21": read_node21,
    "coco": read_coco,
    "yolo": read_yolo,
    "csv": read_table,
    "jsrt": read_jsrt_set,
}

_SIGNS: dict[str, Callable[[Path], object]] = {
    "node21": node21_folder,
    "yolo": yolo_description,
    "csv": lambda folder: (folder / TABLE).is_file(),
    "coco": coco_files,
}
"""Layout -> its sign in a folder, if it is there; JSRT's counts where there is no other."""


def find_layout(folder: Path) -> str | None:
    """Return the layout of a folder, or None if it has none of them.

    Raises:
        BackgroundError: it has the signs of two.
    """
    layouts = [layout for layout, sign in _SIGNS.items() if sign(folder)]
    if len(layouts) > 1:
        raise BackgroundError(
            f"{folder}: may be read as {' and as '.join(layouts)}", hint=f"say which: --from {layouts[0]}"
        )
    if not layouts and jsrt_table(folder):
        return "jsrt"
    return layouts[0] if layouts else None


def read_dataset(folder: str | Path, layout: str = "") -> Dataset:
    """Return an annotated data set.

    Args:
        folder: Its folder.
        layout: ``node21``, ``coco``, ``yolo``, ``csv`` or ``jsrt``; found out by default.

    Raises:
        BackgroundError: no such folder or layout, or the set is malformed; names file and line.
    """
    root = Path(folder)
    if not root.is_dir():
        raise BackgroundError(f"{root}: no such folder")
    chosen = layout or find_layout(root)
    if chosen is None:
        raise BackgroundError(
            f"{root}: no annotated data set",
            hint="NODE21 (metadata.csv beside images/), COCO (a JSON with images and annotations), YOLO (data.yaml, "
            "images/, labels/), boxes.csv beside the radiographs, or JSRT (CLNDAT_EN.txt and .IMG files)",
        )
    if chosen not in LAYOUTS:
        raise BackgroundError(f"there is no layout {chosen!r}", hint=", ".join(LAYOUTS))
    dataset = LAYOUTS[chosen](root)
    dataset = replace(dataset, images=_with_headers(dataset.images))
    in_tables = _in_tables(root, [image.path for image in dataset.images if not image.patient])
    patients, said = settled({one.id: (one.path, one.patient) for one in dataset.images}, root, in_tables)
    images = [replace(image, patient=patients.get(image.id, image.patient)) for image in dataset.images]
    notes = [*dataset.notes, *_unlisted(images), *said, *notes_on_twins(images), *notes_on_resized(images)]
    return replace(dataset, images=images, notes=notes)


def _unlisted(images: Sequence[AnnotatedImage]) -> list[str]:
    """Return a note on radiographs beside those of a set that its annotations do not list."""
    listed = {image.path.resolve() for image in images}
    beside = [path for folder in {path.parent for path in listed} for path in radiographs_in(folder)]
    count = sum(path.resolve() not in listed for path in beside)
    if not count:
        return []
    return [f"{counted(count, 'radiograph')} beside them that the annotations do not list: left out"]


def _in_tables(root: Path, films: Sequence[Path]) -> dict[Path, str]:
    """Return whose films are by tables that lie where annotations do."""
    images = dict.fromkeys([root, *(path.parent for path in films)])
    patients: dict[Path, str] = {}
    for folder in dict.fromkeys(place for one in images for place in places_of(one)):
        for table in read_tables(folder, films, judged=False):
            patients = table.patients | patients
    return patients


def _with_headers(images: Sequence[AnnotatedImage]) -> list[AnnotatedImage]:
    """Complete DICOM files from their headers; a patient's identifier never leaves them."""
    headers = [read_dicom_facts(one.path) if is_dicom(one.path) else None for one in images]
    names = [(one.patient, header.patient if header else "") for one, header in zip(images, headers, strict=True)]
    completed = []
    for image, header, patient in zip(images, headers, patients_of_headers(names, lasting=True), strict=True):
        strata = {**(header.strata if header else {}), **image.strata}
        completed.append(replace(image, patient=patient, strata=strata))
    return completed
