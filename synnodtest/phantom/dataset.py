"""Writing phantoms to disk: the NODE21 layout, or a folder of PNGs with a manifest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypedDict

import numpy as np

from synnodtest.canonical import seed_sequence, sha256_of
from synnodtest.csv_rows import write_rows
from synnodtest.errors import BackgroundError, system_faults
from synnodtest.files import write_atomic
from synnodtest.phantom.anatomy import RENDERING, VERSION, sample_anatomy
from synnodtest.phantom.exposure import expose
from synnodtest.phantom.mha_writer import NODE21_COLUMNS, NODE21_FOLDER, NODE21_NOTHING, write_picture, write_png
from synnodtest.phantom.nodules import NODULE_VERSION
from synnodtest.phantom.planting import sample_nodules
from synnodtest.phantom.projection import project
from synnodtest.phantom.sets import seed_of
from synnodtest.radiograph import Radiograph, Truth

Layout = Literal["node21", "folder"]
_COLUMNS: dict[Layout, dict[str, tuple[str, ...]]] = {
    "folder": {
        "manifest.csv": ("file", "patient", "view", "sex", "age", "mm_per_px_x", "mm_per_px_y", "bits"),
    },
    "node21": {
        "metadata.csv": NODE21_COLUMNS,
        "phantoms.csv": ("img_name", "patient", "view", "sex", "age", "mm_per_px_x", "mm_per_px_y", "seed", "set"),
        "truth.csv": ("img_name", "name", "x_min", "y_min", "x_max", "y_max", "diameter_mm", "contrast", "requested"),
    },
}
"""Columns of the tables of a layout."""

Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class _Order:
    """Order of a data set to be written."""

    out: Path
    seed: int
    nodules: bool
    set_name: str
    layout: Layout
    size: int
    masks: bool

    @property
    def images(self) -> Path:
        """The folder of the radiographs."""
        return self.out / NODE21_FOLDER / "images" if self.layout == "node21" else self.out

    @property
    def finished(self) -> Path:
        """The folder of the notes that say what is done."""
        return self.out / ".phantom"

    def with_nodules(self, index: int) -> bool:
        """Every second radiograph shows nodules, where any are wanted."""
        return self.nodules and index % 2 == 0

    def stem(self, index: int) -> str:
        """NODE21's names count the two kinds apart; a folder's names are the phantoms' identifiers."""
        if self.layout == "folder":
            return f"phantom-{self.set_name}-{index:04d}"
        number = index // 2 + 1 if self.nodules else index + 1
        return f"{'n' if self.with_nodules(index) else 'c'}{number:04d}"

    def key(self, index: int) -> str:
        """Stand for everything that decides the files of one radiograph."""
        settings = [self.seed, self.nodules, self.set_name, self.layout, self.size, self.masks]
        return sha256_of(["phantom-file-2", VERSION, RENDERING, NODULE_VERSION, *settings, index])


def write_dataset(
    out: Path,
    *,
    count: int,
    seed: int = 0,
    nodules: bool = False,
    pneumothorax: bool = False,
    layout: Layout = "node21",
    size: int = 1024,
    masks: bool = True,
    progress: Progress = iter,
) -> Path:
    """Write phantoms as a data set; what an earlier, interrupted call has finished is kept, what another one left goes.

    ``node21``: ``cxr_images/proccessed_data/images/c0001.mha`` (16-bit, 0..4095, compressed, spacing in mm) with
    ``metadata.csv`` in NODE21's columns; beside it ``phantoms.csv`` (sex, age, seed) and ``truth.csv`` (diameter and
    contrast of each nodule). With ``nodules`` every second radiograph is ``n0001.mha`` and so on, with one to three.
    ``folder``: ``phantom-normal-0000.png`` (16-bit, 0..65535) and ``manifest.csv``, as ``--backgrounds`` reads it.

    Args:
        out: Folder to write into; made if need be.
        count: How many radiographs.
        seed: Master seed; the same persons as ``PhantomSet(name, count, seed)``.
        nodules: Plant nodules (``node21`` only: a folder of backgrounds shows none).
        pneumothorax: Let one lung of each partially collapse.
        layout: ``node21`` or ``folder``.
        size: Pixels along each side.
        masks: Also write every region as ``<stem>.<region>.png``.
        progress: Wraps the iteration over indices.

    Returns:
        The folder of the radiographs.

    Raises:
        BackgroundError: the request is impossible, or the folder cannot be written.
    """
    if layout not in ("node21", "folder"):
        raise BackgroundError(f"there is no layout {layout!r}", hint="node21 or folder")
    if nodules and layout == "folder":
        raise BackgroundError(
            "a folder of backgrounds shows no nodules", hint="layout node21 holds radiographs with nodules"
        )
    if count < 1:
        raise BackgroundError(f"{count} radiographs cannot be written", hint="ask for one or more")
    order = _Order(out, seed, nodules, "pneumothorax" if pneumothorax else "normal", layout, size, masks)
    with system_faults(out, BackgroundError, "written"):
        order.images.mkdir(parents=True, exist_ok=True)
        order.finished.mkdir(parents=True, exist_ok=True)
        notes = [_finish(order, index) for index in progress(range(count))]
        _drop_others(order, {order.stem(index) for index in range(count)})
        _write_tables(order, notes)
    return order.images


class _Note(TypedDict):
    """Note of a finished radiograph: its key in the order, its files, and its rows of each table."""

    key: str
    files: list[str]
    rows: dict[str, list[dict[str, object]]]


def _finish(order: _Order, index: int) -> _Note:
    """Return the note of one radiograph, writing its files unless they are there."""
    path = order.finished / f"{order.stem(index)}.json"
    earlier = _note(path)
    mine = earlier is not None and earlier["key"] == order.key(index)
    if earlier is not None and mine and all((order.images / name).is_file() for name in earlier["files"]):
        return earlier
    _drop(order, earlier)
    note = _write(order, index, _make(order, index))
    write_atomic(path, json.dumps(note, indent=1))
    return note


def _drop(order: _Order, known: _Note | None) -> None:
    """Remove the files of an earlier order: masks that are no longer wanted would lie beside another person."""
    for name in known["files"] if known else ():
        (order.images / name).unlink(missing_ok=True)


def _drop_others(order: _Order, stems: set[str]) -> None:
    """Remove radiographs of an earlier, longer order: a table that does not list them tells of no nodule in them."""
    for path in order.finished.glob("[cn]*.json") if order.layout == "node21" else ():
        if path.stem not in stems:
            _drop(order, _note(path))
            path.unlink()


def _note(path: Path) -> _Note | None:
    try:
        note: _Note = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return note if isinstance(note, dict) and isinstance(note.get("files"), list) and "key" in note else None


def _make(order: _Order, index: int) -> Radiograph:
    person = seed_of(order.set_name, order.seed, index)
    projection = project(sample_anatomy(person, pneumothorax=order.set_name == "pneumothorax"), order.size)
    planted = []
    if order.with_nodules(index):
        rng = np.random.default_rng(seed_sequence("phantom-count", order.seed, index))
        planted = sample_nodules(projection, int(rng.choice([1, 2, 3], p=[0.7, 0.22, 0.08])), order.seed)
    background = f"phantom-{order.set_name}-{index:04d}"
    return expose(projection, planted, name=order.set_name, background=background)


def remade(count: int, *, seed: int, nodules: bool, set_name: str, size: int) -> list[Radiograph]:
    """Return the first radiographs of a data set without writing them, for a contact sheet.

    Nodules are drawn on the grid of ``size``, so that they are those of the files only at the same size.
    """
    order = _Order(Path(), seed, nodules, set_name, "node21", size, False)
    return [_make(order, index) for index in range(count)]


def _write(order: _Order, index: int, radiograph: Radiograph) -> _Note:
    stem = order.stem(index)
    name = f"{stem}.mha" if order.layout == "node21" else f"{stem}.png"
    write_picture(order.images / name, radiograph.pixels, radiograph.spacing_mm)
    files = [name]
    for region, mask in radiograph.regions.items() if order.masks else ():
        files.append(f"{stem}.{region}.png")
        write_png(order.images / files[-1], mask)
    rows = _rows(order, index, radiograph)
    named = {table: [{"img_name": name, "file": name, **row} for row in some] for table, some in rows.items()}
    return {"key": order.key(index), "files": files, "rows": named}


def _write_tables(order: _Order, notes: list[_Note]) -> None:
    folder = order.out / NODE21_FOLDER if order.layout == "node21" else order.out
    for table, columns in _COLUMNS[order.layout].items():
        rows = [row for note in notes for row in note["rows"][table]]
        write_rows(folder / table, columns, ({"": number, **row} for number, row in enumerate(rows)))


def _rows(order: _Order, index: int, radiograph: Radiograph) -> dict[str, list[dict[str, object]]]:
    """Return the rows of one radiograph in each table of the layout, without its name."""
    row_mm, column_mm = radiograph.spacing_mm
    own = {"patient": radiograph.patient, "mm_per_px_x": column_mm, "mm_per_px_y": row_mm, **radiograph.strata}
    if order.layout == "folder":
        return {"manifest.csv": [{**own, "bits": 16}]}
    seed = seed_of(order.set_name, order.seed, index)
    marked = [truth for truth in radiograph.nodules if truth.crop.any()]
    return {
        "metadata.csv": [_box_row(truth) for truth in marked] or [{**NODE21_NOTHING}],
        "phantoms.csv": [{**own, "seed": seed, "set": order.set_name}],
        "truth.csv": [_truth_row(truth) for truth in marked],
    }


def _box_row(truth: Truth) -> dict[str, object]:
    x_min, y_min, x_max, y_max = (round(value) for value in truth.box)
    return {"height": y_max - y_min, "width": x_max - x_min, "x": x_min, "y": y_min, "label": 1}


def _truth_row(truth: Truth) -> dict[str, object]:
    return {
        **dict(zip(("x_min", "y_min", "x_max", "y_max"), truth.box, strict=True)),
        "name": truth.name,
        "diameter_mm": round(truth.diameter_mm, 3),
        "contrast": round(truth.contrast, 5),
        "requested": json.dumps(truth.requested, sort_keys=True),
    }
