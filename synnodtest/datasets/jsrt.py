"""The JSRT database: raw ``.IMG`` files and the tab-separated ``CLNDAT_EN.txt`` and ``CNNDAT_EN.TXT``.

``CLNDAT``: file, subtlety, size in mm, age, sex, x and y of the centre in pixels, benign or malignant, location,
diagnosis. ``CNNDAT``: file, age, sex, ``non-nodule``. The files may lie anywhere below the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from synnodtest.backgrounds.jsrt import SPACING_MM
from synnodtest.datasets.records import AnnotatedBox, AnnotatedImage, Dataset, numbers
from synnodtest.errors import BackgroundError

_SEXES = {"male": "M", "female": "F"}


def jsrt_table(folder: Path, word: str = "CLNDAT") -> Path | None:
    """Return ``CLNDAT*.txt`` (or ``CNNDAT*.txt``) below the folder, the English one first, or None."""
    paths = [
        path
        for path in sorted(folder.rglob("*"))
        if path.name.upper().startswith(word) and path.suffix.lower() == ".txt"
    ]
    return min(paths, key=lambda path: "_EN" not in path.name.upper(), default=None)


def read_jsrt_set(folder: Path) -> Dataset:
    """Return the radiographs of the JSRT database: one nodule in each ``JPCLN``, none in each ``JPCNN``.

    The box is the square of the stated size around the stated centre.

    Raises:
        BackgroundError: the tables or a radiograph are missing, or a line is malformed; names file and line.
    """
    table = jsrt_table(folder)
    if table is None:
        raise BackgroundError(f"{folder}: no JSRT database", hint="expected CLNDAT_EN.txt and the .IMG files")
    files = {path.name.upper(): path for path in sorted(folder.rglob("*")) if path.suffix.upper() == ".IMG"}
    images = [_with_nodule(words, where, files) for words, where in _lines(table, 7)]
    normal = jsrt_table(folder, "CNNDAT")
    if normal is not None:
        for words, where in _lines(normal, 3):
            images.append(_image(words[0], where, files, _strata(words[1], words[2])))
    notes = [] if normal is not None else ["no CNNDAT_EN.TXT: the radiographs without nodules were left out"]
    return Dataset(folder.resolve().name, "jsrt", folder, images, notes)


def _lines(table: Path, least: int) -> Iterator[tuple[list[str], str]]:
    text = table.read_text(encoding="utf-8-sig", errors="replace")
    for number, line in enumerate(text.splitlines(), start=1):
        words = [word.strip() for word in line.split("\t")]
        if not any(words):
            continue
        if len(words) < least:
            raise BackgroundError(f"{table}:{number}: {len(words)} columns, not {least} or more, separated by tabs")
        yield words, f"{table}:{number}"


def _with_nodule(words: list[str], where: str, files: Mapping[str, Path]) -> AnnotatedImage:
    size, x, y = numbers([words[2], words[5], words[6]], where)
    if not (0 < size < 200 and x > 0 and y > 0):
        raise BackgroundError(f"{where}: a nodule of {size:g} mm at ({x:g}, {y:g}) cannot be")
    half = size / SPACING_MM / 2
    box = AnnotatedBox((max(x - half, 0.0), max(y - half, 0.0), x + half, y + half), where, diameter_mm=size)
    strata = {**_strata(words[3], words[4]), "subtlety": words[1]} | ({"kind": words[7]} if len(words) > 7 else {})
    return _image(words[0], where, files, strata, (box,))


def _strata(age: str, sex: str) -> dict[str, str]:
    known = {"age": age if age.isdigit() else "", "sex": _SEXES.get(sex.lower(), ""), "view": "PA"}
    return {name: text for name, text in known.items() if text}


def _image(
    name: str, where: str, files: Mapping[str, Path], strata: Mapping[str, str], boxes: tuple[AnnotatedBox, ...] = ()
) -> AnnotatedImage:
    path = files.get(name.upper())
    if path is None:
        raise BackgroundError(
            f"{where}: {name} is not there", hint="the layout has raw .IMG files; give pictures a boxes.csv instead"
        )
    return AnnotatedImage(path.stem, path, boxes, strata=strata, where=where)
