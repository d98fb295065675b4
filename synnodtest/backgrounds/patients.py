"""Who is whose: patients that file names tell where neither header nor manifest does.

Films of one patient are one statistical cluster. Public collections say in the name of a file whose it is; read as
films of different patients they would count for more than they tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from synnodtest.backgrounds.listing import Entry

__all__ = ["named_by_files", "of_one_study", "patients_of_names"]

_NAMES = (
    re.compile(r"(?:^|/)(?P<patient>\d{8})_\d{3}(?:\.\w+)?$"),
    re.compile(r"(?:^|/)(?P<patient>patient\d{4,})/", re.IGNORECASE),
)
"""NIH ChestX-ray14 (``00000013_005.png``) and CheXpert (``patient00042/study1/view1_frontal.jpg``)."""


def named_by_files(entries: Sequence[Entry], folder: Path) -> tuple[list[Entry], list[str]]:
    """Return the entries with the patients that their file names tell, and a note of it.

    Only where nobody tells a patient, and only where a name tells the same one of several files: then they are no films
    of different patients.

    Args:
        entries: Of a set.
        folder: That they lie in; what it is called itself tells nothing.
    """
    told, notes = patients_of_names({entry.id: entry.path for entry in entries if not entry.patient}, folder)
    return [replace(e, patient=told[e.id]) if e.id in told else e for e in entries], notes


def patients_of_names(films: Mapping[str, Path], folder: Path) -> tuple[dict[str, str], list[str]]:
    """Return the patients of films whose names give several of them the same one, by key, and a note of it.

    Args:
        films: Those that nobody tells the patient of: key -> file.
        folder: That they lie in.
    """
    told = {key: _patient_of(path, folder) for key, path in films.items()}
    times = Counter(told.values())
    again = {key: patient for key, patient in told.items() if patient and times[patient] > 1}
    if not again:
        return {}, []
    several = len(set(again.values()))
    note = (
        f"{len(again)} radiographs are of {several} patient{'s' * (several > 1)} by the names of their files and count "
        "as so many; where they are not, name the patients in the manifest's column 'patient'"
    )
    return again, [note]


def of_one_study(entries: Sequence[Entry]) -> tuple[list[Entry], list[str]]:
    """Return DICOM entries without a patient with a pseudonym of their study where several share it, and a note.

    Programs that hide patients empty their identifiers; the films of one study are of one patient all the same.
    """
    studies = {entry.id: entry.header.study for entry in entries if entry.header and not entry.patient}
    shared = [study for study, times in Counter(studies.values()).items() if study and times > 1]
    if not shared:
        return list(entries), []
    names = {study: f"study-{number}" for number, study in enumerate(shared, start=1)}
    told = {key: names[study] for key, study in studies.items() if study in names}
    note = (
        f"{len(told)} radiographs without a patient in their headers are of {len(shared)} studies and count as so many"
    )
    return [replace(e, patient=told[e.id]) if e.id in told else e for e in entries], [note]


def _patient_of(path: Path, folder: Path) -> str:
    inside = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    found = (pattern.search(inside.as_posix()) for pattern in _NAMES)
    return next((match["patient"] for match in found if match), "")
