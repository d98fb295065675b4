"""Nodules among findings that name a class, and among the classes of a network."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from synnodtest.class_names import SHOWN, ClassNamesError, Meaning, meaning, nodule_classes
from synnodtest.counted import counted
from synnodtest.errors import DetectorError

LABELS = (
    "label", "class", "classname", "labelname", "classlabel", "category", "categoryname", "findingname", "pathology",
    "disease", "diagnosis", "abnormality", "predictedclass", "predclass", "predictedlabel", "predlabel", "cls",
    "classnames", "classid", "labelid", "categoryid",
)  # fmt: skip
"""Keys of a finding, folded, that may name its class, names before numbers."""


PERHAPS_LABELS = (
    "labels", "type", "kind", "name", "finding", "findingtype", "lesion", "lesiontype", "objectclass", "objectname",
)  # fmt: skip
"""Keys, folded, that may name the class of a finding where none of :data:`LABELS` does, or something else of it."""
_NO_CLASS = re.compile(
    r"(box|bbox|rect|rectangle|polygon|roi|region|finding|detection|prediction|object|annotation|mark|\w{0,2})[\W_]*\d*"
    r"|[0-9a-f-]{8,}"
)
"""Contents of those keys beside a class: a shape, a number, an identifier."""
_NUMBER = re.compile(r"-?\d+(\.0+)?")
ENOUGH_OTHERS = 20
"""A detector of several diseases names a nodule sooner on radiographs that hold one; a 'lesion' is never called one."""


class LabelRule:
    """Rule for the findings of an answer that are nodules, where they name a class: the package's one rule of names.

    Args:
        chosen: Classes that the user named; empty: their names decide.
        how: How the user names one, for messages.

    Findings without a class count. A number says nothing of itself, so that one counts and a second is asked about.
    Other classes are left out, but where :data:`ENOUGH_OTHERS` findings held no nodule the user is asked too.
    """

    def __init__(self, chosen: Sequence[str] = (), how: str = "") -> None:
        self._chosen = {name.casefold().strip() for name in chosen}
        self._how = how
        self._numbers: set[str] = set()
        self._others: dict[str, int] = {}
        self._told = False

    @property
    def chosen(self) -> bool:
        """True where the user said which classes are nodules."""
        return bool(self._chosen)

    def keeps(self, item: Any) -> bool:
        """Return whether a finding of an answer is one of a nodule.

        Raises:
            DetectorError: its class does not tell.
        """
        keys = {folded(key): value for key, value in item.items()} if isinstance(item, dict) else {}
        said = [f"{key} {folded(keys[key])}" for key in ("nodule", "isnodule") if key in keys]
        if {"nodule false", "nodule no", "isnodule false", "isnodule no", "isnodule 0"} & set(said):
            return False
        texts = [str(keys[key]).strip(" []'") for key in LABELS if keys.get(key) is not None]
        names = [text for text in texts if text and not _NUMBER.fullmatch(text)]
        numbers = [text.partition(".")[0] for text in texts if _NUMBER.fullmatch(text)]  # 1.0 is 1
        perhaps = [] if names else self._perhaps(keys)
        values = [*names, *perhaps, *numbers]
        if not values:
            return True
        name = values[0]
        if self._chosen:
            kept = any(value.casefold() in self._chosen for value in values)
            self._told |= kept
            self._others[name] = self._others.get(name, 0) + 1
            return kept
        if _NUMBER.fullmatch(name):
            self._numbers.add(name)
            if len(self._numbers) > 1:
                raise self._asked(f"the findings have the classes {', '.join(sorted(self._numbers))}")
            return True
        says = meaning(name)
        if says is Meaning.OTHER and perhaps:
            raise self._asked(f"a finding is called {name!r}, which may be its class")
        if says is Meaning.UNCLEAR:
            raise self._asked(f"a finding has the class {name!r}, which may or may not mean a nodule")
        self._told |= says is not Meaning.OTHER
        if says is Meaning.OTHER and not self._told:
            self._others[name] = self._others.get(name, 0) + 1
            if sum(self._others.values()) >= ENOUGH_OTHERS:
                raise self._asked(f"none of its classes is a nodule so far: {', '.join(self._others)}")
        return says is Meaning.NODULE

    def refuse_unseen(self) -> None:
        """Refuse a whole record of which no finding is of a class that the user named, and some are of a nodule's.

        Raises:
            DetectorError: a slip in the name would leave out all.
        """
        if self._chosen and not self._told and any(meaning(name) is Meaning.NODULE for name in self._others):
            seen = ", ".join(list(self._others)[:SHOWN])
            raise self._asked(f"no finding has the class {', '.join(sorted(self._chosen))}, but {seen}")

    def _perhaps(self, given: Mapping[str, Any]) -> list[str]:
        """Return words that may be the class of a finding, by folded key."""
        labels = (str(given[key]).strip() for key in PERHAPS_LABELS if isinstance(given.get(key), (str, list)))
        return [text for text in labels if not _NO_CLASS.fullmatch(text.casefold())]

    def _asked(self, says: str) -> DetectorError:
        return DetectorError(says, hint=f"say which class is the nodule: {self._how}" if self._how else "")


def classes_of(names: Mapping[int, str], chosen: Sequence[str], path: Path) -> list[int]:
    """Return the indices of a network's classes that are nodules.

    Raises:
        DetectorError: they are not counted from 0, none is a nodule, or more than one may be; says how to name them.
    """
    if names and sorted(names) != list(range(len(names))):
        numbers = ", ".join(map(str, sorted(names)[:SHOWN]))
        raise DetectorError(
            f"{path} names {counted(len(names), 'class', 'classes')} with the numbers {numbers}, not from 0 on",
            hint="networks count their classes from 0, so that these names are those of others: mend them in the file",
        )
    try:
        return nodule_classes(names, chosen)
    except ClassNamesError as error:
        raise DetectorError(
            f"{path} has {len(names)} classes: {error}",
            hint=f"say which are nodules: --detector '{path.name}#NAME' (or a number, or several with commas)",
        ) from error


def folded(text: object) -> str:
    """Return a key or word in small letters without signs."""
    return re.sub(r"[^a-z0-9]", "", str(text).lower())
