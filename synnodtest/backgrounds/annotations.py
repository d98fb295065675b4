"""Radiographs of a folder that show nodules, by whatever annotations lie beside them: those are no backgrounds."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from synnodtest.backgrounds.columns import patient_of_entry
from synnodtest.backgrounds.folder_files import chosen_names
from synnodtest.backgrounds.named_images import NamedImages
from synnodtest.backgrounds.other_annotations import LabelFiles, places_of, refuse_other_forms
from synnodtest.backgrounds.table_labels import BOXES, name_nodule
from synnodtest.backgrounds.tables import MAX_BYTES, SUFFIXES, Table, read_tables
from synnodtest.counted import counted
from synnodtest.decoding import no_twins
from synnodtest.errors import BackgroundError
from synnodtest.text_files import decoded

_READ = (*SUFFIXES, ".json")
UNREAD = (".xlsx", ".xls", ".ods", ".parquet", ".feather", ".csv.zip", ".csv.bz2", ".csv.xz", ".xml")
"""Tables and annotations that are not read; each gets a note."""
_CHALLENGE_NAME = re.compile(r"[cn]\d{4,}\.\w+", re.IGNORECASE)
_JSRT_NODULE = re.compile(r"JPCLN\d{3}\.", re.IGNORECASE)
MOST_NAMED = 3
"""So many of them are named, and the others counted."""
_ANEW = "copy the file again from its source, or export it again"
LAYOUTS = ("metadata.csv", BOXES)
"""Tables that annotate the images below them; one that fits none of them is an error also in the folder above."""


@dataclass
class Annotated:
    """Word of the annotations beside radiographs.

    Args:
        positive: The radiographs with a nodule.
        notes: Tables that could not be read, or that say nothing of these radiographs.
        patients: Whose the radiographs are by a table, as written.
        views: Their views by a table, as written.
    """

    positive: set[Path] = field(default_factory=set)
    notes: list[str] = field(default_factory=list)
    patients: dict[Path, str] = field(default_factory=dict)
    views: dict[Path, str] = field(default_factory=dict)


def annotations_of(images: Path, films: Mapping[Path, Sequence[str]]) -> Annotated:
    """Return which films show a nodule.

    Read are all tables (NODE21's ``metadata.csv``, ``boxes.csv``, label lists), COCO's JSON and YOLO's labels, in the
    folder of the images, above it or in ``annotations/`` of either; files are known by their stems, so that converted
    copies count too. JSRT's file names tell, and without a table NODE21's.

    Args:
        images: The folder of the films.
        films: Of each the numbers of its study by its header, by which tables may call it.

    Raises:
        BackgroundError: a table or JSON cannot be read, or names images of which none is here.
    """
    annotated, paths = Annotated(), list(films)
    if not paths:
        return annotated
    telling, tables = 0, list[Table]()
    places = list(places_of(images))
    for folder in places:
        above, far = folder != images, folder not in (images, images.parent)
        for table in read_tables(folder, paths):
            tables.append(table)
            if not table.judged and (table.matched or not far):
                telling += _take(annotated, table, above=above)
        for file in sorted(folder.glob("[!.]*.json")):
            telling += _take_coco(annotated, file, paths, above=above)
        annotated.notes += refuse_other_forms(folder, paths)
    telling += _join_studies(annotated, films, tables)
    annotated.notes += _unread(places)
    labels = LabelFiles(images)
    names = _named_positive([path.name for path in paths], by_table=bool(telling))
    annotated.positive |= {path for path in paths if path.name in names or labels.mark(path)}
    return annotated


def _named_positive(names: Iterable[str], *, by_table: bool) -> set[str]:
    """Return the names that JSRT's way of naming, or where every file is named so NODE21's, says to show a nodule.

    ``n0001`` and ``JPCLN001`` have nodules, ``c0001`` and ``JPCNN001`` none, under any extension.

    Args:
        names: Of all files.
        by_table: A table tells: then JSRT's names alone count beside it, which nobody else gives.
    """
    listed = list(names)
    if listed and not by_table and all(_CHALLENGE_NAME.fullmatch(name) for name in listed):
        return {name for name in listed if name.lower().startswith("n")}
    return {name for name in listed if _JSRT_NODULE.match(name)}


def _join_studies(found: Annotated, films: Mapping[Path, Sequence[str]], tables: Sequence[Table]) -> int:
    """Take in labels of studies, for the films that their headers or another table give those studies.

    Return how many tables of labels say anything of these radiographs.
    """
    films_of: dict[str, set[Path]] = defaultdict(set)
    told = [(number, path) for path, numbers in films.items() for number in numbers]
    for table in tables:
        for path, study in table.studies.items():
            told += [(study, path), (f"s{study}", path)]  # as MIMIC-CXR's tables of reports write it
    for study, path in told:
        films_of[study].add(path)
    labels = [table for table in tables if table.judged]
    labelled = [table for table in labels if not films_of.keys().isdisjoint(table.judged)]
    for table in labelled:
        found.positive.update(*(films_of[study] for study in films_of if table.judged.get(study)))
    found.notes += [f"{one.path.name} says nothing of these radiographs" for one in labels if one not in labelled]
    return len(labelled)


def _tells_of_tests(path: Path) -> bool:
    """Return whether a file is what ``pytest --junitxml`` writes."""
    if path.suffix.lower() != ".xml":
        return False
    with path.open("rb") as stream:
        return b"<testsuite" in stream.read(512)


def _unread(places: Iterable[Path]) -> list[str]:
    every = (path for folder in places if folder.is_dir() for path in folder.iterdir())
    files = [path for path in every if path.is_file() and not path.name.startswith((".", "~"))]
    large = sorted(path.name for path in files if path.name.lower().endswith(_READ) and path.stat().st_size > MAX_BYTES)
    unread = (path for path in files if path.name.lower().endswith(UNREAD))
    found = sorted(path.name for path in unread if not _tells_of_tests(path))
    notes = [f"{name} was not read: save it as CSV" for name in found[:MOST_NAMED]]
    if further := len(found[MOST_NAMED:]):
        one, many = "further table or file of marks was", "further tables or files of marks were"
        notes.append(f"{counted(further, one, many)} not read")
    return [*notes, *(f"{name} was not read: it has more than {MAX_BYTES // 2**20} MiB" for name in large)]


def _take(found: Annotated, table: Table, *, above: bool) -> bool:
    """Take in a table; return whether it says anything of these radiographs."""
    if table.matched:
        found.positive |= table.positive
        found.patients, found.views = table.patients | found.patients, table.views | found.views
        if not table.understood:
            found.notes.append(
                f"{table.path.name} names {table.matched} of these radiographs; its columns tell no nodule"
            )
        return table.understood
    if not table.lists_images or table.of_namesakes:
        silent = above and not table.of_namesakes
        found.notes += [] if silent else [f"{table.path.name} says nothing of these radiographs"]
        return False
    if above and (table.of_others or table.path.name.lower() not in LAYOUTS):
        return False
    raise BackgroundError(
        f"{table.path}: names images of which none is here, such as {table.example!r}",
        hint="give the files the names of the table, or move the table away if it is about others",
    )


def _take_coco(found: Annotated, file: Path, paths: Sequence[Path], *, above: bool) -> bool:
    """Take in a COCO file; return whether it is one of these radiographs."""
    content = _coco(file, certain=not above or "annotation" in str(file).lower())
    if content is None:
        return False
    known = NamedImages(paths)
    chosen = {name.casefold() for name in chosen_names(file.parent) or chosen_names(file.parent.parent)}
    try:
        kinds = {str(one["id"]): str(one["name"]) for one in content.get("categories") or []}
        marked = {str(entry["image_id"]) for entry in content["annotations"] if _counts(entry, kinds, chosen)}
        listed = [(str(one["id"]), str(one["file_name"])) for one in content["images"]]
        patients = {str(one["id"]): patient for one in content["images"] if (patient := patient_of_entry(one))}
    except (KeyError, TypeError, AttributeError) as error:
        raise BackgroundError(f"{file}: looks like COCO and is not: {error!r}", hint=_ANEW) from error
    meant = [(one, path) for one, name in listed for path in known.find(name)]
    if not meant:
        if listed and not above:
            raise BackgroundError(
                f"{file}: names images of which none is here, such as {listed[0][1]!r}",
                hint="give the files the names that it has, or move it away if it is about others",
            )
        return False
    if strange := marked - {one for one, _ in listed}:
        raise BackgroundError(f"{file}: annotations of the image {min(strange)}, which it does not list", hint=_ANEW)
    unnamed = {str(entry.get("category_id")) for entry in content["annotations"]} - kinds.keys() - chosen
    if len(kinds) > 1 and unnamed:
        raise BackgroundError(f"{file}: annotations of the category {min(unnamed)}, which it does not list", hint=_ANEW)
    found.positive |= {path for one, path in meant if one in marked}
    found.patients = {path: patients[one] for one, path in meant if one in patients} | found.patients
    return True


def _counts(entry: Any, kinds: Mapping[str, str], chosen: Collection[str]) -> bool:
    """Return whether an annotation is a nodule's: a single class counts whatever its name, as no name does."""
    kind = str(entry.get("category_id"))
    name = kinds.get(kind, "")
    return len(kinds) < 2 or name_nodule("class", name) or kind in chosen or name.casefold() in chosen


def _coco(file: Path, *, certain: bool) -> dict[str, Any] | None:
    """Return the content of a file if it is COCO's; ``certain``: what is no JSON is an error, not somebody else's."""
    if file.stat().st_size > MAX_BYTES:
        return None
    data = b""
    try:
        data = file.read_bytes()
        content: Any = json.loads(decoded(data), object_pairs_hook=no_twins)
    except (OSError, ValueError, RecursionError) as error:
        if not (certain or (b'"images"' in data and b'"annotations"' in data)):
            return None
        raise BackgroundError(
            f"{file}: cannot be read as JSON: {error}", hint="copy it again from its source, or move it away"
        ) from error
    known = isinstance(content, dict) and {"images", "annotations"} <= set(content)
    return content if known else None
