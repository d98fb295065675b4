"""Places of annotations of radiographs, and those that are no tables: YOLO's labels, and forms that are not read."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

from synnodtest.backgrounds.contents import by_name
from synnodtest.backgrounds.file_formats import stem_of
from synnodtest.backgrounds.folder_files import is_there
from synnodtest.backgrounds.manifest import NAMES
from synnodtest.backgrounds.named_images import without_upload
from synnodtest.backgrounds.table_labels import MASSES, means_nodule
from synnodtest.class_names import Meaning, meaning
from synnodtest.errors import BackgroundError
from synnodtest.text_files import head_text

_LISTS = (".txt", ".lst")
"""Texts of a line for each image: MXNet's ``.lst`` have number, label and path."""
OTHER_FORMS = (".json", ".jsonl", ".ndjson", ".yaml", ".yml", ".xml", *_LISTS)
"""Text files in which LabelMe, VIA, Pascal VOC, ChestX-Det and others write what they mark."""
MAX_BYTES = 64 * 1024 * 1024
"""Size of a file looked into, in bytes; set by hand: reports and labels of single films are far smaller, and each is
read as a whole."""
LEAST_STEM = 3
"""Shorter stems occur in any text; with its suffix a name of any length tells."""
_BELOW = ("ann", "label", "box", "bbox")
"""Beginnings of names of folders with annotations: ``Annotations``, ``ann``, ``labels_xml``."""
_REPORTS = ("report", "clinicalreading")
"""Those of folders with a text for each radiograph, such as ``ClinicalReadings`` of Montgomery and Shenzhen."""
_IMAGES = ("images", "imgs", "img")
_YOLO = re.compile(r"\s*\d+(\s+[-+.\deE]+){4,}\s*")
_STUDY = re.compile(r"s\d{8}")
"""A study's folder in MIMIC-CXR, whose report lies beside it: ``s50414267.txt``."""
_WORDS = re.compile(r"[\w.-]+")
_SENTENCE_END = re.compile(r"[.;\n]+")
_SPEAKS = re.compile(rf"nodul|[\">'](lung |pulmonary )?{MASSES}[\"<']", re.IGNORECASE)
"""Words that speak of nodules: the word, or another for what looks like one as the whole name of a class."""
_OURS = ('"synnodtest', '"attrition":', "\nsynnodtest:")
"""Keys of what this package reads and writes: specs, recorded findings, records."""
_PLANTED = '"synthetic": true,\n "source":'
"""Beginning of the truth of ``synnodtest plant``: it names the film that it was made of and is not about it."""


def places_of(images: Path, *, reports: bool = False) -> Iterator[Path]:
    """Yield the folders in which annotations of the images in a folder may lie, or texts of reports too.

    Above a folder ``images``, one of its parts (``images/train``) or one that was packed twice (``train/train``) two
    levels count: NIH's table lies beside ``images_001/images``, COCO's ``annotations`` beside ``images/train2017``.
    """
    above = [images.parent]
    if {images.name.lower(), images.parent.name.lower()} & set(_IMAGES) or images.name == images.parent.name:
        above.append(images.parent.parent)
    begin = (*_BELOW, *_REPORTS) if reports else _BELOW
    for folder in (images, *above):
        yield folder
        for below in by_name(folder):
            if below.name.lower().startswith(begin) and below.is_dir() and below != images:
                yield below


class LabelFiles:
    """Labels of YOLO and texts that may be reports, about the images of a folder; each place is listed once.

    Args:
        images: The folder of the images.
    """

    def __init__(self, images: Path) -> None:
        self._texts: dict[str, list[Path]] = defaultdict(list)
        self._names: dict[Path, dict[str, list[Path]]] = {}
        self._folders: dict[Path, list[Path]] = {}
        for path in (path for place in places_of(images, reports=True) for path in by_name(place)):
            if path.suffix.lower() == ".txt" and is_there(path):
                self._texts[path.stem].append(path)

    def mark(self, path: Path) -> bool:
        """Return whether a label file beside a radiograph, or in a folder ``labels``, holds a box.

        A text of its name beside it or in a folder of reports, or of its study in MIMIC-CXR, may be a report, too: one
        that tells of a nodule counts.
        """
        stem, images = stem_of(path), path.parent
        beside = {*self._texts.get(stem, ()), *self._there(images, stem)}
        if _STUDY.fullmatch(images.name):
            beside.update(self._there(images.parent, images.name))
        if any(_YOLO.fullmatch(_first_line(text)) or _reports(text) for text in beside):
            return True
        if images not in self._folders:
            below, above = images / "labels", (images.parent / "labels", images.parent.parent / "labels" / images.name)
            parted = [below, above[0]] if images.name.lower() in _IMAGES else [below]
            within = [one for folder in parted for one in by_name(folder) if one.is_dir()]
            self._folders[images] = [below, *within, *above, above[0] / images.name]
        return any(_first_line(one) != "" for folder in self._folders[images] for one in self._there(folder, stem))

    def _there(self, folder: Path, stem: str) -> list[Path]:
        """Return the texts of a stem in a folder, or where there is none those of it in other letters."""
        if folder not in self._names:
            self._names[folder] = defaultdict(list)
            for path in by_name(folder):
                self._names[folder][path.name.lower()].append(path)
        texts = [path for path in self._names[folder].get(f"{stem}.txt".lower(), ()) if is_there(path)]
        return [path for path in texts if path.stem == stem] or texts


def _reports(text: Path) -> bool:
    """Return whether a sentence of a report tells of a nodule."""
    small = text.stat().st_size <= MAX_BYTES
    return small and any(map(means_nodule, _SENTENCE_END.split(head_text(text.read_bytes()))))


def _first_line(path: Path) -> str:
    return next((line for line in head_text(path.read_bytes()).splitlines() if line.strip()), "")


def refuse_other_forms(folder: Path, paths: Sequence[Path]) -> list[str]:
    """Refuse files that speak of nodules and of these radiographs in a form that is not read; return notes.

    Raises:
        BackgroundError: there is one; names it and what to write instead.
    """
    stems = {stem_of(path) for path in paths}
    telling = {stem for stem in stems if len(stem) >= LEAST_STEM} | {path.name for path in paths}
    notes: list[str] = []
    for file in by_name(folder):
        own = bool({file.stem, Path(file.stem).stem} & stems)
        usable = file.suffix.lower() in OTHER_FORMS and not file.name.startswith(".") and is_there(file)
        if not usable or file.name.lower() in NAMES or file.stat().st_size > MAX_BYTES:
            continue
        text = head_text(file.read_bytes())
        if _is_read(text):
            continue
        if not _SPEAKS.search(text):
            if _may_mark(file, text, telling, own=own):
                notes.append(f"{file.name} names these radiographs and was not read")
            continue
        if file.suffix.lower() in _LISTS:
            names = not own and any(_names(line, telling) for line in text.splitlines() if _tells(line))
        else:
            names = own or (_PLANTED not in text and _names(text, telling))
        if names:
            raise BackgroundError(
                f"{file}: speaks of nodules in these radiographs, in a form that is not read",
                hint="write its boxes into boxes.csv (file, x_min, y_min, x_max, y_max) or COCO's JSON, or move it",
            )
    return notes


def _may_mark(file: Path, text: str, telling: set[str], *, own: bool) -> bool:
    """Return whether a file without a word of nodules names radiographs and may mark them.

    A text does in lines that hold more than a name, or by its own name (``nodules.txt``); that of a film is a report.
    """
    if file.suffix.lower() not in _LISTS or meaning(file.stem) is Meaning.NODULE:
        return file.suffix.lower() != ".xml" and _names(text, telling)
    return not own and any(_names(line, telling) for line in text.splitlines() if len(_WORDS.findall(line)) > 1)


def _tells(line: str) -> bool:
    """Return whether a line names a nodule and does not deny it, as that of JSRT's normal radiographs does."""
    return "nodul" in line.lower() and meaning(line) is not Meaning.NOTHING


def _is_read(text: str) -> bool:
    """Return whether a text is COCO's, which is read, or this package's own."""
    return any(key in f"\n{text}" for key in _OURS) or ('"images"' in text and '"annotations"' in text)


def _names(text: str, stems: set[str]) -> bool:
    words = {without_upload(word) for word in _WORDS.findall(text)}
    return not stems.isdisjoint(words | {word.rpartition(".")[0] for word in words})
