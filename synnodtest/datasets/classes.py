"""Nodule classes of a data set: the package's one rule of names, a file for the user's word, and columns."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

from synnodtest.backgrounds.folder_files import CHOICE, chosen_names
from synnodtest.class_names import ClassNamesError, nodule_classes
from synnodtest.errors import BackgroundError

CLASS_COLUMNS = (
    "classname", "class", "labelname", "label", "categoryname", "category", "findingname", "findinglabel", "finding",
    "findings", "lesiontype", "lesion", "abnormality", "pathology", "diagnosis", "type", "objectclass", "object",
    "classid", "labelid", "categoryid",
)  # fmt: skip
"""Columns that hold a class, best first, folded to small letters without separators: names before numbers."""

_MASS = re.compile(r"((lungs?|pulmonary|thoracic)[\W_]+)?(mass(es)?|tumou?rs?)", re.IGNORECASE)


def classes_of(names: Mapping[int, str], where: str, folder: Path, *, declared: bool = True) -> set[int]:
    """Return the classes of a declared list (COCO's categories, YOLO's names) that are nodules.

    A class ``Mass`` or ``Lung tumor`` beside one counts too: a mass is a nodule above 30 mm, and a film that shows one
    is no negative.

    Args:
        names: By number.
        where: For messages.
        folder: Of the data set.
        declared: Whether the names are such a list, so that a single one counts whatever it is.

    Raises:
        BackgroundError: none is, or more than one may be; says which file tells.
    """
    chosen = chosen_names(folder)
    try:
        nodules = set(nodule_classes(names, chosen, declared=declared))
    except ClassNamesError as error:
        raise BackgroundError(
            f"{where}: {error}",
            hint=f"write the names of the classes that are nodules into {folder / CHOICE}, one per line",
        ) from error
    return nodules if chosen else nodules | {index for index, name in names.items() if _MASS.fullmatch(name)}


def class_column(columns: Sequence[str]) -> str | None:
    """Return the column of a table that holds each row's class, or None."""
    folded = {re.sub(r"[^a-z0-9]", "", column.lower()): column for column in columns}
    return next((folded[name] for name in CLASS_COLUMNS if name in folded), None)


def names_of_nodules(names: Collection[str], where: str, folder: Path) -> set[str]:
    """Return those of the names in a table's class column that mean a nodule.

    A table declares no list of classes, so that a single name counts only if it means a nodule. A class ``Mass`` counts
    as in :func:`classes_of`.

    Raises:
        BackgroundError: none does, several do, or a name can be read either way.
    """
    listed = dict(enumerate(sorted(names)))
    return {listed[index] for index in classes_of(listed, where, folder, declared=False)}
