"""The names of classes that are nodules: one rule for detectors, data sets and tables.

A class whose name contains ``nodul`` is a nodule, unless the name denies it (``no_nodule``, ``non-nodule``,
``nodule-free``, ``pseudonodule``). A single class counts whatever its name, unless that says that nothing is there
(``background``, ``normal``). Where several names match, or one can be read either way, the user must choose.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from enum import Enum

SHOWN = 8
"""So many names stand in a message at most: COCO's 80 would hide what to do."""


class ClassNamesError(ValueError):
    """No class, or more than one, can be taken for nodules; the text says which names there are."""


class Meaning(Enum):
    """Meaning of a class name for nodules."""

    NODULE = "nodule"
    OTHER = "something else"
    NOTHING = "no nodule"
    UNCLEAR = "cannot be told"


_DENIES_ALL = {
    "no", "not", "without", "none", "never", "zero", "absent", "absence", "lacking", "lacks", "w", "wo", "free",
    "negative", "neg", "kein", "keine", "keinen", "ohne", "nicht", "sans", "aucun", "aucune", "pas", "sin", "ningun",
    "ausencia", "sem", "nenhum", "senza", "nessun", "nessuno", "assenza", "geen", "zonder", "bez", "brak", "ingen",
    "inga", "utan", "uden", "uten", "fara",
}  # fmt: skip
"""Words that deny whatever follows them, in several languages (``w`` is what is left of ``w/o``)."""
_LINKS = {"a", "an", "any", "the", "o", "of", "lung", "lungs", "pulmonary", "chest", "thoracic", "visible", "solitary"}
"""Words that may stand between ``non`` and ``nodule`` without giving ``non`` a meaning of its own."""
_KINDS = {"solid", "calcified", "calcific", "malignant", "cancerous", "spiculated", "subsolid", "cavitary", "benign"}
"""Words that ``non`` may deny of a nodule that is one all the same: ``non-solid nodule``."""
_DENIES_BEFORE = {
    "free", "negative", "neg", "absent", "absence", "none", "no", "not", "excluded", "missing", "unlikely", "ruled",
    "negativ", "negatif", "negativo", "ausente", "nicht", "yok",
}  # fmt: skip
"""Words that deny the nodule named before them: ``nodule-free``, ``nodule not seen``."""
_LOOKALIKE = {
    "pseudo", "false", "fake", "mimic", "mimics", "mimicking", "like", "lookalike", "fp", "ignore", "ignored",
    "removed", "than", "but", "except", "excluding", "exclude", "background", "normal",
}  # fmt: skip
"""Words beside ``nodule`` that leave open whether one is meant."""
_NOTHING = {
    "background", "bg", "normal", "healthy", "negative", "neg", "none", "nothing", "empty", "no", "non", "not", "clear",
    "unremarkable", "na", "null", "clean", "control", "controls", "false", "without", "normale", "normaal", "gesund",
    "unauffallig", "unauffaellig", "hintergrund", "kein", "keine", "ohne", "sain", "sans", "aucun", "aucune", "fond",
    "sano", "sana", "sin", "ningun", "fondo", "saudavel", "sem", "nenhum", "fundo", "senza", "nessun", "sfondo", "geen",
    "negativ", "negatif", "negativo", "negativa",
}  # fmt: skip
_OTHER_SCRIPTS = (
    (
        re.compile("(无|無|没有|未见)(肺部?|明显)*(结节|結節)|結節(なし|無し|影なし)|결절 *없|без .*узл|нет .*узл"),
        Meaning.NOTHING,
    ),
    (re.compile("(无|無|非|没|なし|ない|없|без |нет |не ).*(结节|結節|결절|узел|узл)"), Meaning.UNCLEAR),
    (re.compile("结节|結節|결절|узел|узл"), Meaning.NODULE),
    (
        re.compile("正常|健康|背景|阴性|陰性|无|無|异常なし|정상|음성|없음|배경|норм|здоров|фон|без |нет "),
        Meaning.NOTHING,
    ),
)
"""Meaning of names in Chinese, Japanese, Korean and Russian, the first that fits; there a nodule is not ``nodul``."""
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")


def meaning(name: str) -> Meaning:
    """Return what a class name says: its words are read, whatever their case and separators."""
    for pattern, says in _OTHER_SCRIPTS:
        if pattern.search(unicodedata.normalize("NFC", name).lower()):
            return says
    words = [word for word in re.split(r"[^a-z0-9]+", _CAMEL.sub(" ", without_accents(name)).lower()) if word]
    place = next((number for number, word in enumerate(words) if "nodul" in word), None)
    if place is None:
        return Meaning.NOTHING if words and _NOTHING & {words[0], words[-1]} else Meaning.OTHER
    prefix, _, suffix = words[place].partition("nodul")
    before, after = [*words[:place], *([prefix] if prefix else [])], words[place + 1 :]
    _, non, rest = f" {' '.join(before)} ".rpartition(" non ")
    of_non = set(rest.split())  # what the last "non" may deny
    denied = _DENIES_ALL & set(before) or _DENIES_BEFORE & set(after[:2]) or (non and of_non <= _LINKS)
    if denied or suffix.endswith(("free", "negative", "absent")):
        return Meaning.NOTHING
    if _LOOKALIKE & {*before, *after} or prefix == "reticulo" or (non and not _KINDS & of_non):
        return Meaning.UNCLEAR
    return Meaning.NODULE


def without_accents(name: str) -> str:
    """Return ``nodulo`` for ``nódulo``."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", name) if not unicodedata.combining(letter))


def nodule_classes(names: Mapping[int, str], chosen: Sequence[str] = (), *, declared: bool = True) -> list[int]:
    """Return the indices of the classes that are nodules, ascending.

    Args:
        names: Class index -> name.
        chosen: Names or indices that the user gave; empty: the names decide.
        declared: These are all the classes that there are, so that a single one counts whatever its name.

    Raises:
        ClassNamesError: none is a nodule, several are, or a name can be read either way.
    """
    if chosen:
        return _chosen(names, chosen)
    meanings = {index: meaning(name) for index, name in names.items()}
    if declared and len(names) == 1:
        index, says = next(iter(meanings.items()))
        if says in (Meaning.NODULE, Meaning.OTHER):
            return [index]
        what = "means that nothing is there" if says is Meaning.NOTHING else "may or may not mean a nodule"
        raise ClassNamesError(f"its only class {names[index]!r} {what}")
    indices = sorted(index for index, says in meanings.items() if says is Meaning.NODULE)
    unclear = sorted(index for index, says in meanings.items() if says is Meaning.UNCLEAR)
    if not indices and not unclear:
        raise ClassNamesError(f"none of its {len(names)} classes is a nodule: {_some(names.values())}")
    if len(indices) > 1 or unclear:
        some = _some(names[index] for index in sorted({*indices, *unclear}))
        raise ClassNamesError(f"more than one of its {len(names)} classes may be the nodule: {some}")
    return indices


def _chosen(names: Mapping[int, str], chosen: Sequence[str]) -> list[int]:
    """Return the indices of the classes that the user named, by name whatever its case, or by index.

    Raises:
        ClassNamesError: there is no such class.
    """
    folded = {index: name.casefold().strip() for index, name in names.items()}
    indices: set[int] = set()
    for text in chosen:
        folded_name = text.casefold().strip()
        same = {index for index, name in folded.items() if name == folded_name}
        same = same or ({int(folded_name)} & set(names) if folded_name.isdecimal() else set())
        if not same:
            raise ClassNamesError(f"there is no class {text!r} among {_some(names.values())}")
        indices |= same
    return sorted(indices)


def _some(names: object) -> str:
    listed = list(names)  # type: ignore[call-overload]
    return ", ".join(map(str, listed[:SHOWN])) + (", ..." if len(listed) > SHOWN else "")
