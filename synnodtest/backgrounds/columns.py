"""Names of a manifest's columns, and values of strata that are spelt in several ways.

Names are known whatever their case and separators; a near miss is an error, never a stratum. Each spelling of a value
would be a group of its own. Ages are read as DICOM (``061Y``) and people (``61 years``) write them.
"""

from __future__ import annotations

import difflib
import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from synnodtest.errors import BackgroundError

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "filename", "filepath", "imagefile"),
    "patient": ("patient", "patientid", "subject", "subjectid"),
    "view": ("view", "viewposition", "frontallateral", "projection"),
    "sex": ("sex", "patientsex", "gender", "patientgender"),
    "age": ("age", "patientage"),
    "mm_per_px_x": ("mmperpxx",),
    "mm_per_px_y": ("mmperpxy",),
    "pixel_spacing": ("pixelspacing", "imagerpixelspacing"),
    "bits": ("bits", "bitsstored"),
    "polarity": ("polarity",),
    "rotate_deg": ("rotatedeg",),
    "accept": ("accept",),
}
"""Column -> the names by which it is known, in small letters without separators."""

_KNOWN = {name: column for column, names in COLUMNS.items() for name in names}
_ALIKE = 0.84
"""Similarity above which a name is taken for a slip: ``pateint`` has 0.86 of ``patient``, ``image`` 0.75 of ``age``."""
_IDENTIFIES = re.compile(r"(patient|subject|person)s?(id|nr|no|num|number|key|code|name|index|uid|hash|ref)s?")
_WHOSE = re.compile(
    r"pid|case(id|nr|no|number)|(pt|pat|patienten?|paciente|paziente|participant|proband|person|individual)s?"
    r"(id|nr|no|nummer|number|code|name|key)?s?|(mrn|empi)(anon|hash|id)?"
    r"|(?!issuer|typeof|other)\w*(patient|subj|subject|participant)(id|uid|hash|key)(?!entity)\w*"
)
"""Names that tell whose a radiograph is, where no column is called ``patient``, such as ``deid_patient_id``; DICOM's
``PatientIdentityRemoved`` and ``IssuerOfPatientID`` do not."""
_SPACES = re.compile(r"(?!orig).*(spacing|pixelsize|mmperp).*")
"""Names that tell a spacing; those that begin with ``orig`` tell that of another file."""
MASK_COLUMN = re.compile(r"([a-z][a-z0-9_]*)_mask")


def folded(name: str) -> str:
    """Return a name in small letters, without separators."""
    return re.sub(r"[^a-z0-9]", "", name.lower())


def means_column(name: str, column: str) -> bool:
    """Return whether a table's column of this name tells what a manifest's ``column`` tells."""
    plain = folded(name)
    return plain in COLUMNS[column] or (
        column == "patient" and bool(_WHOSE.fullmatch(plain) or _IDENTIFIES.fullmatch(plain))
    )


def patient_of_entry(entry: Mapping[str, Any]) -> str:
    """Return whose an image of COCO's is where its entry has a key for it, else ""."""
    patients = (entry[key] for key in entry if means_column(str(key), "patient"))
    return next((str(one).strip() for one in patients if isinstance(one, (str, int)) and str(one).strip()), "")


def canonical_columns(names: Sequence[str], where: str) -> list[str]:
    """Return the columns by their own names, ``<region>_mask`` and strata included, in the same order.

    Args:
        names: As written; the result has as many.
        where: ``manifest.csv:1``, for messages.

    Raises:
        BackgroundError: a name is nearly that of a column, or two name the same one.
    """
    known = [_canonical(name, where) for name in names]
    whose = next((name for name in names if _WHOSE.fullmatch(folded(name))), "")
    if whose and "patient" not in known:
        raise _unknown(where, whose, "patient")
    for column in known:
        same = [name for name, own in zip(names, known, strict=True) if own == column and name]
        if len(same) > 1:
            twice, both = f"column {same[0]!r} occurs twice", f"{' and '.join(map(repr, same))} are both {column!r}"
            message = twice if len(set(same)) == 1 else both
            raise BackgroundError(f"{where}: {message}", hint="rename or remove one of them")
    return known


def _canonical(name: str, where: str) -> str:
    plain = folded(name)
    if plain in _KNOWN:
        return _KNOWN[plain]
    if plain.endswith("mask") and plain != "mask":
        return _mask(name)
    if meant := _near(plain):
        raise _unknown(where, name, meant)
    return name


def _unknown(where: str, name: str, meant: str) -> BackgroundError:
    return BackgroundError(
        f"{where}: the column {name!r} is not known; did you mean {meant!r}?",
        hint=f"rename it {meant!r}, or give it a name that is less like it if it is a stratum of your own",
    )


def _mask(name: str) -> str:
    """Return ``old_scar_mask`` for ``Old Scar Mask`` or ``oldScarMask``."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name.strip())
    snake = re.sub(r"[^a-z0-9]+", "_", parted.lower()).strip("_")
    return snake if MASK_COLUMN.fullmatch(snake) else name


def _near(plain: str) -> str:
    """Return the column that a name was probably meant for, or ""."""
    if len(plain) < 3:
        return ""
    if _IDENTIFIES.fullmatch(plain):
        return "patient"
    if _SPACES.fullmatch(plain):
        return "mm_per_px_y" if plain.endswith(("y", "row", "rows", "height")) else "mm_per_px_x"
    close = difflib.get_close_matches(plain, _KNOWN, n=1, cutoff=_ALIKE)
    turned = [known for known in _KNOWN if sorted(known) == sorted(plain)]
    return next((_KNOWN[name] for name in (*close, *turned)), "")


_SEXES = {"female": "f", "woman": "f", "w": "f", "male": "m", "man": "m"}
OLDEST = 125
"""Years that somebody reached, and a few more."""
_AGE = re.compile(r"(\d{1,3})(?:\.0)?\s*(y|yrs?|years?|m|months?|w|weeks?|d|days?)?(?: old)?", re.IGNORECASE)
_A_YEAR = {"y": 1, "m": 12, "w": 52.18, "d": 365.25}
MOST_VALUES = 50
"""A column of more values tells films apart, not groups."""


def spelt_otherwise(strata: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a note for each stratum of which two values differ in case or blanks alone, or mean one sex.

    And one of ages that nobody reaches, as numbers of days or months are.
    """
    values: dict[str, set[str]] = defaultdict(set)
    for one in strata:
        for name, text in one.items():
            values[name].add(text)
    ages = ((text, number_in(text)) for text in values.get("age", ()))
    beyond = sorted(text for text, age in ages if age is not None and math.isfinite(age) and not 0 <= age <= OLDEST)
    odd = [f"age: {', '.join(beyond[:3])}: not in years; write years into the manifest"] if beyond else []
    return odd + [
        f"{name}: {' and '.join(map(repr, sorted(same)))} count as different; write them alike in the manifest"
        for name, texts in sorted(values.items())
        if len(texts) <= MOST_VALUES
        for same in _alike(name, texts)
    ]


def number_in(text: str) -> float | None:
    """Return the number that a cell holds, which may be infinite or none at all; None where it holds something else."""
    try:
        return float(text)
    except ValueError:
        return None


def _alike(name: str, texts: Iterable[str]) -> list[set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for text in sorted(texts):
        plain = " ".join(text.casefold().split())
        groups[_SEXES.get(plain, plain) if name == "sex" else plain].add(text)
    return [same for same in groups.values() if len(same) > 1]


def years(text: str) -> str:
    """Return an age as a number of years, "" where it is none."""
    age = _AGE.fullmatch(text)
    return f"{int(age[1]) / _A_YEAR[(age[2] or 'y')[0].lower()]:.4g}" if age else ""
