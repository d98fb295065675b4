"""Patients that file names tell where neither header nor manifest does.

Films of one patient are one statistical cluster. Public collections say in the name of a file whose it is; read as
films of different patients they would count for more than they tell.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from synnodtest.backgrounds.entries import Entry
from synnodtest.canonical import sha256_of
from synnodtest.counted import counted

_NOBODY = ("nan", "na", "n/a", "none", "null", "unknown", "anonymous", "anonymized", "anonymised", "anon", "-", "?")
"""Words that programs and people write where they do not know, or do not tell, whose a film is."""
_NUMBER = re.compile(r"0*(\d+)(\.0+)?")
_NAMES = (
    re.compile(r"(?:^|/)(?P<patient>\d{8})_\d{3}(?:\.\w+)?$"),
    re.compile(r"(?:^|/)(?P<patient>patient\d{4,})[/_-]", re.IGNORECASE),
    re.compile(r"(?:^|/)(?P<patient>p1\d{7})[/_-]s\d{8}[/_-]"),
    re.compile(r"(?:^|/)(?P<patient>sub-[0-9a-zA-Z]+|LIDC-IDRI-\d{4})[/_.-]"),
    re.compile(r"(?:^|/)(?P<patient>(?:CXR)?\d+)_(?:\d+_)?IM-\d{4}-\d+\.", re.IGNORECASE),
)
"""NIH ChestX-ray14 (``00000013_005.png``), CheXpert (``patient00042/study1/view1_frontal.jpg``), MIMIC-CXR
(``p10000032/s50414267/02aa804e.jpg``), both with their folders in the name too, BIDS (``sub-S03044_ses-1_cr.png`` of
BIMCV), LIDC-IDRI, Open-I (``CXR12_IM-0044-1001.png``)."""
_ROBOFLOW = re.compile(r"_(?:png|jpe?g|bmp|tiff?)\.rf\.[0-9a-zA-Z]{20,}(?=\.)", re.IGNORECASE)
"""Suffix that Roboflow adds to a film that it turns and flips: ``a_png.rf.5f4dcc3b5aa765d61d8327deb882cf99.jpg``."""


def settled(
    films: Mapping[str, tuple[Path, str]], folder: Path, told: Mapping[Path, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the patients of films, by key, where another is meant than headers and manifest say, and notes of it.

    Those of one patient are spelt alike. Where nobody tells whose a film is, the names of files do, but only where they
    tell the same one of several (then they are no films of different patients); else a table beside the films.

    Args:
        films: Key -> file, and its patient, or "".
        folder: That they lie in; what it is called itself tells nothing.
        told: File -> patient, as a table writes it.
    """
    alike, by_spelling = _spelt_alike({key: patient for key, (_, patient) in films.items()})
    unnamed = {key: path for key, (path, patient) in films.items() if not patient}
    named = _of_names(unnamed, folder)
    others = {key: film for key, film in films.items() if key not in named}
    doubts = _doubts([alike.get(key, patient) or told.get(path, "") for key, (path, patient) in others.items()])
    tabled = {key: _lasting(_plain(told[path])) for key, (path, own) in others.items() if not own and path in told}
    by_tables = _as_so_many(tabled.values(), "a table beside them")
    by_names = _as_so_many(named.values(), "the names of their files")
    return alike | named | tabled, [*doubts, *by_spelling, *by_tables, *by_names]


def patients_of_headers(told: Sequence[tuple[str, str]], *, lasting: bool = False) -> list[str]:
    """Return whose films are: as a manifest names them, else by a pseudonym, since a header's own name never leaves it.

    Where the manifest names other films of the same header's patient, all are of whom it names. What headers write
    where they do not tell the patient stays as it is.

    Args:
        told: Of each film what the manifest and what the header says, "" where they say nothing.
        lasting: Pseudonyms hang on the name alone, as those of tables do; else they are numbers in the films' order,
            of which nobody can find the name.
    """
    named: dict[str, set[str]] = defaultdict(set)
    for manifest, header in told:
        named[_plain(header)] |= {manifest} - {""}
    numbers: dict[str, str] = {}

    def of_header(patient: str) -> str:
        if len({_plain(one) for one in named[patient]}) == 1:
            return min(named[patient])
        if patient in _NOBODY:
            return patient
        return numbers.setdefault(patient, _lasting(patient) if lasting else f"patient-{len(numbers) + 1}")

    return [manifest or (of_header(_plain(header)) if header else "") for manifest, header in told]


def _as_so_many(patients: Collection[str], by: str) -> list[str]:
    """Return a note where some of the patients that films are of, by a table or their names, have several films."""
    times = [number for number in Counter(patients).values() if number > 1]
    some = f"{sum(times)} radiographs are of {counted(len(times), 'patient')} by {by} and count as so many"
    return [f"{some}; where they are not, name the patients in the manifest's column 'patient'"] if times else []


def _lasting(plain: str) -> str:
    """Return a pseudonym that hangs on the name alone: who is held out of training stays so in a larger set."""
    return f"patient-{sha256_of(['patient', plain])[:12]}"


def _doubts(patients: Sequence[str]) -> list[str]:
    """Return notes on films without a patient among others with one, and on a patient who is called unknown.

    Args:
        patients: Of the films of a set, as manifest, headers and tables name them, "" where they name none.
    """
    without = sum(not patient for patient in patients)
    names = Counter(one for one in patients if one.casefold() in _NOBODY)
    some = counted(without, "radiograph has", "radiographs have")
    lacking = f"{some} no patient, and the others have: each counts as one of its own"
    return [
        *([lacking] if 0 < without < len(patients) else []),
        *(f"{n} radiographs are of the patient {name!r} and count as one" for name, n in names.items() if n > 1),
    ]


def _spelt_alike(patients: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    """Return one spelling for patients whose names differ in leading zeros, case or blanks, by key, and a note."""
    forms: dict[str, set[str]] = defaultdict(set)
    for patient in patients.values():
        forms[_plain(patient)].add(patient)
    several = {plain: min(spelt, key=lambda one: (-len(one), one)) for plain, spelt in forms.items() if len(spelt) > 1}
    if not several:
        return {}, []
    spellings = " and ".join(repr(one) for one in sorted(forms[min(several)], key=len))
    note = (
        f"{counted(len(several), 'patient')} by names that differ in leading zeros, case or blanks "
        f"alone, such as {spellings}, count as one each; give them unlike names where they are not"
    )
    return {key: several[plain] for key, one in patients.items() if (plain := _plain(one)) in several}, [note]


def _plain(patient: str) -> str:
    """Return a patient's name in small letters without blanks and signs that nobody sees.

    A number loses the leading zeros that spreadsheets drop and the ``.0`` that programs add.
    """
    letters = unicodedata.normalize("NFKC", patient).casefold()
    text = "".join(one for one in letters if not one.isspace() and unicodedata.category(one) != "Cf")
    number = _NUMBER.fullmatch(text)
    return number[1] if number else text


def _of_names(films: Mapping[str, Path], folder: Path) -> dict[str, str]:
    """Return the patients of films whose names give several of them the same one, by key.

    Args:
        films: Those that nobody tells the patient of: key -> file.
        folder: That they lie in.
    """
    patients = {key: _patient_of(path, folder) for key, path in films.items()}
    times = Counter(patients.values())
    return {key: patient for key, patient in patients.items() if patient and times[patient] > 1}


def of_one_study(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Return DICOM entries without a patient with a pseudonym of their study where several share it, and a note.

    Programs that hide patients empty their identifiers; the films of one study are of one patient all the same.
    """
    studies = {entry.id: entry.header.study for entry in entries if entry.header and not entry.patient}
    shared = [study for study, times in Counter(studies.values()).items() if study and times > 1]
    if not shared:
        return list(entries), []
    names = {study: f"study-{number}" for number, study in enumerate(shared, start=1)}
    patients = {key: names[study] for key, study in studies.items() if study in names}
    several = counted(len(shared), "study", "studies")
    note = f"{len(patients)} radiographs without a patient in their headers are of {several} and count as so many"
    return [replace(e, patient=patients[e.id]) if e.id in patients else e for e in entries], [note]


def _patient_of(path: Path, folder: Path) -> str:
    inside = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    name, augmented = _ROBOFLOW.subn("", inside.as_posix())
    matches = (pattern.search(name) for pattern in _NAMES)
    return next((match["patient"] for match in matches if match), Path(name).stem if augmented else "")
