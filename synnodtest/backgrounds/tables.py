"""Tables beside radiographs (NODE21, VinDr, NIH, CheXpert, RSNA and their like): which images they give a nodule."""

from __future__ import annotations

import csv
import gzip
import math
import re
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from synnodtest.backgrounds.columns import folded, means_column, number_in
from synnodtest.backgrounds.folder_files import chosen_names, is_there
from synnodtest.backgrounds.named_images import NamedImages, plain_name
from synnodtest.class_names import Meaning, meaning
from synnodtest.csv_rows import rows_of
from synnodtest.errors import BackgroundError
from synnodtest.files import by_name

MAX_BYTES = 512 * 1024 * 1024
"""Size of a table, in bytes: a guard of memory and time far above those of public sets; a larger file is passed over,
and one that becomes larger when it is unpacked is refused."""
SUFFIXES = (".csv", ".tsv", ".csv.gz", ".tsv.gz")
_OWN = ("manifest.csv", "manifest.tsv")
BOXES = "boxes.csv"
"""Table of which a column ``annotation`` says who drew a box; in others it may say what is in it. A nodule counts."""
FILE_COLUMNS = (
    "imgname", "imagename", "filename", "filepath", "imagefile", "imagepath", "imageindex", "imageid", "dicomid",
    "imgid", "file", "path", "image", "img", "dicom", "sopinstanceuid", "pngfile", "pngfilename", "pngpath",
)  # fmt: skip
"""Columns that name an image, folded; others count where most of their cells name a radiograph of the folder."""
CLASS_COLUMNS = (
    "classname", "class", "labelname", "label", "labels", "categoryname", "category", "categories", "findingname",
    "findinglabel", "findinglabels", "finding", "findings", "abnormality", "pathology", "pathologies", "diagnosis",
    "disease", "diseases", "annotation", "annotations", "lesion", "lesiontype", "type", "object", "objectclass",
)  # fmt: skip
"""Columns whose words say what an image or a box shows."""
LABEL_COLUMNS = (
    "label", "labels", "target", "positive", "haslesion", "lesion", "lesions", "abnormal", "abnormality", "class",
    "finding", "findings", "pathology", "diagnosis", "disease",
)  # fmt: skip
"""Columns of numbers: anything but 0 is positive."""
STUDY_COLUMNS = (
    "studyid", "study", "studyinstanceuid", "studyuid", "seriesinstanceuid", "seriesuid", "accession",
    "accessionnumber", "accessionid", "uid",
)  # fmt: skip
"""Columns, folded, by which MIMIC-CXR and Open-I part their lists of films from the labels or reports of studies, and
tables of DICOM files call the studies of their headers."""
REPORT_COLUMNS = (
    "report", "reports", "reporttext", "radiologyreport", "impression", "impressions", "conclusion", "conclusions",
    "comment", "comments", "description", "text", "note", "notes", "remark", "remarks", "caption", "befund", "befunde",
    "beurteilung", "bericht",
)  # fmt: skip
"""Columns of sentences, of which one that tells of a nodule counts."""
_Rows = Sequence[tuple[int, Mapping[str, str]]]
_FILE = re.compile(r"\.\w{2,5}$")
_PLACE = re.compile(
    r"[xy]|[xy]([012]|min|max|mins|maxs|cent(er|re)|tl|br|start|end)|(c|start|end|cent(er|re))[xy]|bbox.*|box|boxes"
    r"|boundingbox.*|left|top|upperleft[xy]|polygons?|segmentations?|encodedpixels|rle"
)
"""Columns, folded, that say where in an image something is."""
_NUMBER_OF = re.compile(r"^\W*no[\W_]+of[\W_]+", re.IGNORECASE)
"""Beginnings of a column that counts: ``No. of nodules``. Others that deny, such as ``nodules_no``, do where a cell is
above 1."""
_SEVERAL = re.compile(r"0*([2-9]|[1-9]\d+)(\.0*)?")
MASSES = (
    r"\b(?<!body )(mass(es?)?|mass?as?|tum(ou?|eu)r[ei]?s?|metastas[ie]s|lesions?|cancer|neoplasms?|carcinoma"
    r"|granulomas?|tuberculomas?|hamartomas?|raumforderung(en)?|(lungen)?rundherde?n?)\b"
)
"""Other words for what looks like a nodule: such films are no backgrounds either."""
_DENIED = re.compile(
    r"\b(no|non|not|without|free|negative|absent|none|keine?|ohne|sin|sans|sem|senza|pas|aucune?|ningun[ao]?)\b"
)
_EMPTY = (
    "", "none", "null", "na", "n/a", "false", "no", "negative", "-", "[]", "f", "n", "neg", "absent",
    "nein", "non", "nao", "não",
)  # fmt: skip
_NOTHING = ("nan", "none", "null", "na", "n/a", "-", "unknown")
"""Words of a column of patients, views or studies for what it does not know."""
_POSITIVE = (
    "true", "t", "yes", "y", "positive", "pos", "present", "abnormal", "malignant", "benign", "suspicious", "ja", "oui",
    "si", "sí", "sim", "x",
)  # fmt: skip
"""Words of a column of labels for an image with a finding, without naming it."""


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


def name_nodule(column: str, text: str) -> bool:
    """Return whether a cell of a column names a nodule, or what cannot be told from one.

    The column's name tells what the cell is: words, or yes and no of a finding that the column names.
    """
    if folded(column) in CLASS_COLUMNS and not _is_number(text):
        return text.strip().lower() in _POSITIVE or any(means_nodule(part) for part in re.split(r"[|;,/\n]+", text))
    return means_nodule(column) and not _is_empty(text)


def tells_positive(column: str, text: str) -> bool:
    """Return whether a cell names a nodule, or is a number other than 0 in a column of labels, or tells of one."""
    labelled = folded(column) in LABEL_COLUMNS and _is_number(text) and not _is_empty(text)
    return labelled or name_nodule(column, text) or (folded(column) in REPORT_COLUMNS and _reports(column, text))


def means_nodule(text: str) -> bool:
    """Return whether words, such as a class or a sentence, tell of a nodule or of what looks like one."""
    says = meaning(text)
    if says is not Meaning.OTHER:
        return says in (Meaning.NODULE, Meaning.UNCLEAR)
    words = re.sub(r"[^a-z]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower())
    return bool(re.search(MASSES, words)) and not _DENIED.search(words)


def _is_empty(text: str) -> bool:
    number = number_in(text)
    return text.strip().lower() in _EMPTY if number is None else math.isnan(number) or number == 0


def _is_number(text: str) -> bool:
    number = number_in(text)
    return text.strip().lower() in _EMPTY if number is None else math.isfinite(number)


def _read(path: Path, paths: Sequence[Path], *, judged: bool) -> Table:
    table = Table(path)
    header, rows = _cells(path)
    known = NamedImages(paths)
    column = _file_column(header, rows, known)
    if judged and (column is not None or len(rows) == 0):
        _refuse_unclear_header(path, header, known)
    judge = _Judge(path, [name for name in header if name != column], rows)
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


def _cells(path: Path) -> tuple[list[str], _Rows]:
    try:
        reader = rows_of(_unpacked(path) if path.suffix.lower() == ".gz" else path.read_bytes())
        header = list(reader.fieldnames or ())
        rows: _Rows = [
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


def _file_column(header: Sequence[str], rows: _Rows, known: NamedImages) -> str | None:
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
    if most and not all(map(_is_number, cells[other])):
        return other
    words = [cell for cell in cells.get(best or "", ()) if cell]
    names = [cell for cell in words if not _is_number(cell) and (" " not in cell or _FILE.search(cell))]
    return best if 2 * len(names) > len(words) else None


def _columns_of(fact: str, header: Sequence[str], images: str) -> list[str]:
    """Return the columns that tell a patient or view, of which the first that is filled counts.

    RSNA's ``patientId`` names its images; MIMIC-CXR tells the view in words where its position is missing.
    """
    words = [name for name in header if fact == "view" and folded(name) == "viewcodesequencecodemeaning"]
    return [*(name for name in header if name != images and means_column(name, fact)), *words]


class _Judge:
    """Reads the rows of a table: classes by name, findings with a column of their own, labels, boxes.

    Classes that the user chose count too. Where no column is any of these, a word for a nodule counts in whatever
    column it stands. ``understands`` tells whether any column says what an image shows.
    """

    def __init__(self, path: Path, header: Sequence[str], rows: _Rows) -> None:
        self._path = path
        self._chosen = {name.casefold() for name in chosen_names(path.parent)}
        names = {folded(name): name for name in header}
        no_class = ("annotation",) if path.name.lower() == BOXES else ()
        self._classes = [names[name] for name in CLASS_COLUMNS if name in names and name not in no_class]
        findings = [name for name in header if folded(name) not in CLASS_COLUMNS and means_nodule(name)]
        denials = [name for name in header if "nodul" in folded(name) and meaning(name) is Meaning.NOTHING]
        counts = [name for name in header if means_nodule(bare := _NUMBER_OF.sub("", name)) and bare != name]
        counts += [name for name in denials if any(_SEVERAL.fullmatch(row.get(name, "")) for _, row in rows)]
        denials = [name for name in denials if name not in counts]
        self._labels = [names[name] for name in LABEL_COLUMNS if name in names]
        self._places = [name for name in header if _PLACE.fullmatch(folded(name))]
        self.understands = bool(findings or counts or denials or self._classes or self._labels or self._places)
        told = (*REPORT_COLUMNS, *no_class)
        reports = [name for name in header if folded(name) in told or not self.understands]
        partly = [name for name in header if no_class and name == "exhaustive"]
        self._others = (
            (findings, name_nodule), (counts, _counts), (reports, _reports), ([*denials, *partly], _denies_no)
        )  # fmt: skip
        self._ids = [names[name] for name in ("classid", "labelid", "categoryid") if name in names]

    def positive(self, row: Mapping[str, str], line: int) -> bool:
        """Return whether a row gives its image a nodule.

        Raises:
            BackgroundError: a box whose class has only a number.
        """
        classes = [text for name in self._classes if (text := row.get(name, ""))]
        if any(text.casefold() in self._chosen or name_nodule("class", text) for text in classes):
            return True
        if any(tells(name, row.get(name, "")) for names, tells in self._others for name in names):
            return True
        if any(not _is_number(text) for text in classes):
            return False
        labels = [text for name in self._labels if (text := row.get(name, ""))]
        boxed = any(not _is_empty(text) and text != "-1" for name in self._places if (text := row.get(name, "")))
        if any(not _is_empty(text) for text in labels):
            return True
        numbers = [text for name in (*self._labels, *self._ids) if (text := row.get(name, ""))]
        if boxed and numbers:
            raise BackgroundError(
                f"{self._path}:{line}: a box of class {numbers[0]}, and no column says what that is",
                hint="add a column class_name, or move the table away if it names no nodules",
            )
        return boxed


def _counts(_: str, text: str) -> bool:
    return not _is_empty(text)


def _reports(_: str, text: str) -> bool:
    return any(map(means_nodule, re.split(r"[.;\n]+", text)))


def _denies_no(_: str, text: str) -> bool:
    """Return whether a cell says no to a denial."""
    return text.lower() not in ("", "nan") and _is_empty(text)
