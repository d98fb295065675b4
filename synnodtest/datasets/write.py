"""Writing an annotated data set in another layout; boxes stay what they are, to the last digit."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.csv_rows import write_rows
from synnodtest.datasets.pixels import load_image
from synnodtest.datasets.records import AnnotatedImage, Dataset
from synnodtest.datasets.split import is_held_out
from synnodtest.datasets.yolo import label_lines
from synnodtest.errors import BackgroundError, system_faults
from synnodtest.files import sweep, write_atomic
from synnodtest.phantom.mha_writer import NODE21_COLUMNS, NODE21_FOLDER, NODE21_NOTHING, write_picture
from synnodtest.radiograph import Radiograph

Progress = Callable[[Iterable[AnnotatedImage]], Iterable[AnnotatedImage]]
_FACTS = ("file", "patient", "mm_per_px_x", "mm_per_px_y", "bits")


@dataclass(frozen=True)
class _Written:
    """One image as it now lies in the new set."""

    image: AnnotatedImage
    path: Path
    radiograph: Radiograph
    bits: int | None

    @property
    def facts(self) -> dict[str, object]:
        row, column = self.radiograph.spacing_mm
        own = {"patient": self.image.patient, "mm_per_px_x": column, "mm_per_px_y": row, "bits": self.bits or ""}
        waived = " ".join(sorted(self.image.given.accept))
        return {**own, **({"accept": waived} if waived else {}), **self.image.strata}


@dataclass(frozen=True)
class _Writer:
    """Writer of one layout.

    Args:
        folder: Image -> folder of its file, relative to the set.
        kept: Suffixes of files that are copied as they are; all others become the first: ``.png`` (16 bits) or ``.mha``
            (0..4095).
        masks: Whether region masks may lie beside the images.
        table: Writes the annotations.
    """

    folder: Callable[[AnnotatedImage], Path]
    kept: tuple[str, ...]
    masks: bool
    table: Callable[[Path, Sequence[_Written]], None]


def convert(dataset: Dataset, out: Path, layout: str, *, progress: Progress = lambda images: images) -> tuple[int, int]:
    """Write a data set in another layout; return the numbers of images and of boxes.

    Files of a type that the layout knows are copied as they are; others become 16-bit PNG, or for NODE21 MHA with 12
    bits. ``manifest.csv`` keeps patient, spacing and bits.

    Args:
        dataset: From :func:`synnodtest.datasets.read_dataset`.
        out: Folder to write; must be empty or new.
        layout: ``node21``, ``coco``, ``yolo`` or ``csv``.
        progress: Wraps the iteration over images.

    Raises:
        BackgroundError: an image is missing, truncated or left by a box (file and line are named), or ``out`` is not
            empty.
    """
    if layout not in WRITERS:
        raise BackgroundError(f"the layout {layout!r} is not written", hint=f"one of {', '.join(WRITERS)}")
    if out.exists() and any(out.iterdir()):
        raise BackgroundError(f"{out}: is not empty", hint="name a new folder")
    writer = WRITERS[layout]
    with system_faults(out, BackgroundError, "written"), _whole(out) as made:
        written = [_write_image(image, made, writer) for image in progress(dataset.images)]
        writer.table(made, written)
        _write_manifest(made, written)
    return len(written), sum(len(one.image.boxes) for one in written)


@contextmanager
def _whole(out: Path) -> Iterator[Path]:
    """Yield a folder that takes the place of ``out`` when done: films without their table would be negative ones."""
    out.parent.mkdir(parents=True, exist_ok=True)
    sweep(out)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}.", dir=out.parent) as beside:
        made = Path(beside) / out.name
        made.mkdir()
        yield made
        if out.exists():
            out.rmdir()
        made.rename(out)


def _write_image(image: AnnotatedImage, out: Path, writer: _Writer) -> _Written:
    radiograph = load_image(image)
    folder = out / writer.folder(image)
    folder.mkdir(parents=True, exist_ok=True)
    own = image.path.suffix.lower()
    bits, facts = image.given.bits, image.given
    if own in writer.kept and not facts.rotate_deg and facts.polarity != "inverted":
        target = folder / f"{image.id}{own}"
        shutil.copyfile(image.path, target)
    else:
        target = folder / f"{image.id}{writer.kept[0]}"
        bits = write_picture(target, radiograph.pixels, radiograph.spacing_mm)
    if writer.masks:
        for mask in sorted(image.path.parent.glob("*.*.png")):
            if mask.name.startswith(f"{stem_of(image.path)}.") and mask != image.path:
                shutil.copyfile(mask, folder / mask.name)
    return _Written(image, target, radiograph, bits)


def _write_manifest(out: Path, written: Sequence[_Written]) -> None:
    rows = [{"file": one.path.relative_to(out).as_posix(), **one.facts} for one in written]
    strata = sorted({name for row in rows for name in row} - set(_FACTS))
    write_rows(out / "manifest.csv", [*_FACTS, *strata], rows)


def _number(value: float) -> float | int:
    """Return whole numbers without a decimal point; all others keep every digit."""
    return int(value) if float(value).is_integer() else float(value)


def _corner_and_size(box: tuple[float, float, float, float]) -> dict[str, float | int]:
    x_min, y_min, x_max, y_max = box
    return {"x": _number(x_min), "y": _number(y_min), "width": _number(x_max - x_min), "height": _number(y_max - y_min)}


def _node21(out: Path, written: Sequence[_Written]) -> None:
    rows: list[dict[str, object]] = []
    for one in written:
        boxes = [{**_corner_and_size(item.box), "label": 1} for item in one.image.boxes] or [{**NODE21_NOTHING}]
        rows += [{"img_name": one.path.name, **box} for box in boxes]
    numbered = ({"": number, **row} for number, row in enumerate(rows))
    write_rows(out / NODE21_FOLDER / "metadata.csv", NODE21_COLUMNS, numbered)


def _coco(out: Path, written: Sequence[_Written]) -> None:
    images: list[dict[str, object]] = []
    annotations: list[dict[str, object]] = []
    for number, one in enumerate(written, start=1):
        height, width = one.radiograph.shape
        images.append({"id": number, "file_name": one.path.name, "width": width, "height": height})
        for item in one.image.boxes:
            place = _corner_and_size(item.box)
            mark: dict[str, object] = {"id": len(annotations) + 1, "image_id": number, "category_id": 1, "iscrowd": 0}
            mark |= {"bbox": list(place.values()), "area": place["width"] * place["height"]}
            measured = {"diameter_mm": item.diameter_mm, "contrast": item.contrast}
            mark |= {name: value for name, value in measured.items() if value is not None and np.isfinite(value)}
            annotations.append(mark)
    content = {"images": images, "annotations": annotations, "categories": [{"id": 1, "name": "nodule"}]}
    write_atomic(out / "annotations.json", json.dumps(content, indent=1) + "\n")


def _yolo(out: Path, written: Sequence[_Written]) -> None:
    for one in written:
        label = out / "labels" / one.path.relative_to(out / "images").with_suffix(".txt")
        label.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(label, label_lines([item.box for item in one.image.boxes], one.radiograph.shape, repr))
    splits = {one.path.parent.name for one in written}
    content = {"train": "images/train", "val": "images/val" if "val" in splits else "images/train"}
    write_atomic(out / "data.yaml", json.dumps({**content, "names": {0: "nodule"}}, indent=1) + "\n")


_BOX = ("file", "x_min", "y_min", "x_max", "y_max", "diameter_mm", "contrast", "annotation", "exhaustive")
_WORDS = {True: "yes", False: "no"}


def _table(out: Path, written: Sequence[_Written]) -> None:
    rows: list[dict[str, object]] = []
    for one in written:
        name, word = one.path.relative_to(out).as_posix(), _WORDS[one.image.exhaustive]
        for item in one.image.boxes:
            numbers = (*map(_number, item.box), item.diameter_mm, item.contrast)
            rows.append(dict(zip(_BOX, (name, *numbers, item.annotation, word), strict=True)))
        if not one.image.boxes:
            rows.append({"file": name, "exhaustive": word})
    write_rows(out / "boxes.csv", _BOX, rows)


def _split(image: AnnotatedImage) -> Path:
    return Path("images") / ("val" if is_held_out(image.cluster) else "train")


_RASTER = (".png", ".jpg", ".jpeg")
WRITERS: dict[str, _Writer] = {
    "node21": _Writer(lambda _: NODE21_FOLDER / "images", (".mha",), True, _node21),
    "coco": _Writer(lambda _: Path("images"), _RASTER, True, _coco),
    "yolo": _Writer(_split, _RASTER, False, _yolo),
    "csv": _Writer(lambda _: Path(), (*_RASTER, ".mha", ".dcm", ".dicom"), True, _table),
}
"""The layouts that are written; ``jsrt`` is read only."""
