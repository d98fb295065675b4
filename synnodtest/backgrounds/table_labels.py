"""Labels in tables: which columns, cells and rows give an image a nodule."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from synnodtest.backgrounds.columns import folded, number_in
from synnodtest.backgrounds.folder_files import chosen_names
from synnodtest.class_names import Meaning, meaning
from synnodtest.errors import BackgroundError

BOXES = "boxes.csv"
"""Table of which a column ``annotation`` says who drew a box; in others it may say what is in it. A nodule counts."""
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
REPORT_COLUMNS = (
    "report", "reports", "reporttext", "radiologyreport", "impression", "impressions", "conclusion", "conclusions",
    "comment", "comments", "description", "text", "note", "notes", "remark", "remarks", "caption", "befund", "befunde",
    "beurteilung", "bericht",
)  # fmt: skip
"""Columns of sentences, of which one that tells of a nodule counts."""
Rows = Sequence[tuple[int, Mapping[str, str]]]
"""Lines of a table, and its cells by column."""
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
_POSITIVE = (
    "true", "t", "yes", "y", "positive", "pos", "present", "abnormal", "malignant", "benign", "suspicious", "ja", "oui",
    "si", "sí", "sim", "x",
)  # fmt: skip
"""Words of a column of labels for an image with a finding, without naming it."""


def name_nodule(column: str, text: str) -> bool:
    """Return whether a cell of a column names a nodule, or what cannot be told from one.

    The column's name tells what the cell is: words, or yes and no of a finding that the column names.
    """
    if folded(column) in CLASS_COLUMNS and not is_number(text):
        return text.strip().lower() in _POSITIVE or any(means_nodule(part) for part in re.split(r"[|;,/\n]+", text))
    return means_nodule(column) and not _is_empty(text)


def tells_positive(column: str, text: str) -> bool:
    """Return whether a cell names a nodule, or is a number other than 0 in a column of labels, or tells of one."""
    labelled = folded(column) in LABEL_COLUMNS and is_number(text) and not _is_empty(text)
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


def is_number(text: str) -> bool:
    """Return whether a cell is a finite number or says that there is nothing."""
    number = number_in(text)
    return text.strip().lower() in _EMPTY if number is None else math.isfinite(number)


class Judge:
    """Reads the rows of a table: classes by name, findings with a column of their own, labels, boxes.

    Classes that the user chose count too. Where no column is any of these, a word for a nodule counts in whatever
    column it stands. ``understands`` tells whether any column says what an image shows.

    Args:
        path: The table, beside which the user's choice of classes lies.
        header: Its columns but that of the images.
        rows: Its rows.
    """

    def __init__(self, path: Path, header: Sequence[str], rows: Rows) -> None:
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
        if any(not is_number(text) for text in classes):
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
