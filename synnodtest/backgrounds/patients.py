"""Who is whose: patients that file names tell where neither header nor manifest does.

Films of one patient are one statistical cluster. Public collections say in the name of a file whose it is; read as
films of different patients they would count for more than they tell.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from synnodtest.backgrounds.listing import Entry

__all__ = ["named_by_files"]

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
    told = {entry.id: _patient_of(entry.path, folder) for entry in entries if not entry.patient}
    times = Counter(told.values())
    again = {key for key, patient in told.items() if patient and times[patient] > 1}
    if not again:
        return list(entries), []
    several = len({told[key] for key in again})
    note = (
        f"{len(again)} radiographs are of {several} patient{'s' * (several > 1)} by the names of their files and count "
        "as so many; where they are not, name the patients in the manifest's column 'patient'"
    )
    return [replace(e, patient=told[e.id]) if e.id in again else e for e in entries], [note]


def _patient_of(path: Path, folder: Path) -> str:
    inside = path.relative_to(folder) if path.is_relative_to(folder) else Path(path.name)
    found = (pattern.search(inside.as_posix()) for pattern in _NAMES)
    return next((match["patient"] for match in found if match), "")
