"""Tables beside radiographs (NODE21, VinDr, NIH, CheXpert, RSNA and their like): which images they give a nodule."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from synnodtest.backgrounds.columns import folded, means_column
from synnodtest.backgrounds.contents import by_name
from synnodtest.backgrounds.folder_files import is_there
from synnodtest.backgrounds.named_images import NamedImages, plain_name
from synnodtest.backgrounds.table_labels import CLASS_COLUMNS, LABEL_COLUMNS, Judge, Rows, is_number, means_nodule
from synnodtest.csv_rows import rows_of
from synnodtest.errors import BackgroundError

MAX_BYTES = 512 * 1024 * 1024
"""Size of a table or COCO file, in bytes: a guard of memory and time far above those of public sets; a larger one is
passed over with a note, and one that becomes larger when it is unpacked is refused."""
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_OWN = ("manifest.csv", "manifest.tsv")
FILE_COLUMNS = (
    "imgname", "imagename", "filename", "filepath", "imagefile", "imagepath", "imageindex", "imageid", "dicomid",
    "imgid", "file", "path", "image", "img", "dicom", "sopinstanceuid", "pngfile", "pngfilename", "pngpath",
)  # fmt: skip
"""Columns that name an image, folded; others count where most of their cells name a radiograph of the folder."""
STUDY_COLUMNS = (
    "studyid", "study", "studyinstanceuid", "studyuid", "seriesinstanceuid", "seriesuid", "accession",
    "accessionnumber", "accessionid", "uid",
)  # fmt: skip
"""Columns, folded, by which MIMIC-CXR and Open-I part their lists of films from the labels or reports of studies, and
tables of DICOM files call the studies of their headers."""
_FILE = re.compile(r"\.\w{2,5}$")
_NOTHING = ("nan", "none", "null", "na", "n/a", "-", "unknown")
"""Words of a column of patients, views or studies for what it does not know."""


@dataclass
class Table:
    """Word of one table on the radiographs of a folder.

    Args:
        path: The table.
        lists_images: Whether it has a column of images.
        matched: How many of the radiographs it names.
        positive: Those of them that it gives a nodule.
        of_others: Whether the images that it names lie elsewhere.
        of_namesakes: Whether it gives images the names of radiographs and other folders.
        example: An image that it names.
        understood: Whether any of its columns says what an image shows.
        studies: Which studies they are of, as written.
        judged: Of a table that lists studies and no images: study -> whether it gives it a nodule.
        patients: Whose they are, as written.
        views: Their views, as written.
    """

    path: Path
    lists_images: bool = False
    matched: int = 0
    positive: set[Path] = field(default_factory=set)
    of_others: bool = False
    of_namesakes: bool = False
    example: str = ""
    understood: bool = True
    studies: dict[Path, str] = field(default_factory=dict)
    judged: dict[str, bool] = field(default_factory=dict)
    patients: dict[Path, str] = field(default_factory=dict)
    views: dict[Path, str] = field(default_factory=dict)


def read_tables(folder: Path, paths: Sequence[Path], *, judged: bool = True) -> Iterator[Table]:
    """Yield what the tables of a folder say of radiographs.

    Args:
        folder: Of the tables.
        paths: The radiographs.
        judged: Whether to ask which of them show a nodule.

    Raises:
        BackgroundError: a table that names them cannot be understood; names the line.
    """
    for path in by_name(folder):
        name = path.name.lower()
        usable = name.endswith(SUFFIXES) and name not in _OWN and not name.startswith(".") and is_there(path)
        if usable and path.stat().st_size <= MAX_BYTES:
            try:
                yield _read(path, paths, judged=judged)
            except BackgroundError:
                if judged:  # else whatever reads the annotations tells of them
                    raise


def _read(path: Path, paths: Sequence[Path], *, judged: bool) -> Table:
    table = Table(path)
    header, rows = _cells(path)
    known = NamedImages(paths)
    column = _file_column(header, rows, known)
    if judged and (column is not None or len(rows) == 0):
        _refuse_unclear_header(path, header, known)
    judge = Judge(path, [name for name in header if name != column], rows)
    study = next((name for name in header if name != column and folded(name) in STUDY_COLUMNS), None)
    if column is None:
        for line, row in rows if judged and study is not None and judge.understands else ():
            if key := row.get(study or "", ""):
                table.judged[key] = table.judged.get(key, False) or judge.positive(row, line)
        return table
    table.lists_images = True
    named: set[Path] = set()
    strange: list[str] = []
    whose, view = (_columns_of(fact, header, column) for fact in ("patient", "view"))
    table.understood = judge.understands
    images = {cell for _, row in rows if (cell := row.get(column, ""))}
    times = Counter(map(plain_name, images))
    claims = Counter(known.nearest(cell) for cell in images if times[plain_name(cell)] > 1)
    for line, row in rows:
        cell = row.get(column, "")
        table.example = table.example or cell
        meant = known.find(cell, claims if times[plain_name(cell)] > 1 else None) if cell else []
        pathed = "/" in cell.replace("\\", "/")
        if not meant or (pathed and _is_another(path.parent / cell, meant)):
            table.of_namesakes = table.of_namesakes or (not meant and bool(known.find(cell)))
            strange.append(cell)
            continue
        named.update(meant)
        for told, names in ((table.patients, whose), (table.views, view), (table.studies, [study] if study else [])):
            cells = (text for name in names if (text := row.get(name, "")) and text.lower() not in _NOTHING)
            if text := next(cells, ""):
                told.update(dict.fromkeys(meant, text))
        if judged and judge.positive(row, line):
            table.positive.update(meant)
    table.matched = len(named)
    elsewhere = (one for cell in strange for one in (cell, PurePosixPath(cell.replace("\\", "/")).name))
    table.of_others = not named and any((path.parent / one).is_file() for one in elsewhere)
    table.understood |= bool(table.positive)
    return table


def _is_another(file: Path, meant: Sequence[Path]) -> bool:
    """Return whether a file is there and none of the radiographs that its name fits."""
    return file.is_file() and file.resolve() not in {one.resolve() for one in meant}


def _cells(path: Path) -> tuple[list[str], Rows]:
    try:
        reader = rows_of(_unpacked(path) if path.suffix.lower() == ".gz" else path.read_bytes())
        header = list(reader.fieldnames or ())
        rows: Rows = [
            (reader.line_num, {key: cell.strip() for key, cell in row.items() if isinstance(cell, str)})
            for row in reader
        ]
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BackgroundError(
            f"{path}: cannot be read: {error}", hint="save it as CSV UTF-8, or move it away"
        ) from error
    return header, rows


def _unpacked(path: Path) -> bytes:
    with gzip.open(path) as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise BackgroundError(
            f"{path}: becomes more than {MAX_BYTES} bytes when it is unpacked, hardly a table of radiographs",
            hint="take out the rows of other radiographs, or move it away",
        )
    return data


def _refuse_unclear_header(path: Path, header: Sequence[str], known: NamedImages) -> None:
    """Refuse a table without column names, and one in which a column that tells something occurs twice.

    Raises:
        BackgroundError: it is one.
    """
    if named := next((name for name in header if _FILE.search(name) and known.find(name)), ""):
        raise BackgroundError(
            f"{path}:1: {named!r} stands where the names of the columns should",
            hint="add a first line such as image,label",
        )
    tell = (*FILE_COLUMNS, *CLASS_COLUMNS, *LABEL_COLUMNS)
    twice = (name for name in header if header.count(name) > 1 and (folded(name) in tell or means_nodule(name)))
    if name := next(twice, ""):
        raise BackgroundError(f"{path}:1: the column {name!r} occurs twice", hint="rename or remove one of them")


def _file_column(header: Sequence[str], rows: Rows, known: NamedImages) -> str | None:
    """Return the column that names images: one of a known name, else one that names radiographs here.

    It does where most of its cells, or most of the radiographs, are named.
    """
    cells = {name: [row.get(name, "") for _, row in rows] for name in header}
    named = [name for usual in FILE_COLUMNS for name in header if folded(name) == usual]
    films_of = {name: [films for cell in cells[name] if (films := known.find(cell))] for name in named}
    best = max(named, key=lambda name: len(films_of[name]), default=None)
    if best is not None and films_of[best]:
        return best
    films_of = {name: [films for cell in cells[name] if (films := known.find(cell))] for name in header}
    other = max(header, key=lambda name: len(films_of[name]), default="")
    here = {path for films in films_of.get(other, ()) for path in films}
    most = len(films_of.get(other, ())) > len(rows) / 2 or len(here) > known.count / 2
    if most and not all(map(is_number, cells[other])):
        return other
    words = [cell for cell in cells.get(best or "", ()) if cell]
    names = [cell for cell in words if not is_number(cell) and (" " not in cell or _FILE.search(cell))]
    return best if 2 * len(names) > len(words) else None


def _columns_of(fact: str, header: Sequence[str], images: str) -> list[str]:
    """Return the columns that tell a patient or view, of which the first that is filled counts.

    RSNA's ``patientId`` names its images; MIMIC-CXR tells the view in words where its position is missing.
    """
    words = [name for name in header if fact == "view" and folded(name) == "viewcodesequencecodemeaning"]
    return [*(name for name in header if name != images and means_column(name, fact)), *words]
