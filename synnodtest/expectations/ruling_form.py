"""The form of a ruling: what its fields have to be, so that record and report can hold it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from typing import Any, get_args

import numpy as np

from synnodtest.canonical import plain
from synnodtest.evidence.ruling import Component, Role, Ruling, Side, Status

_LARGEST_COUNT = 2**53
"""Whole numbers below it are what they are in every reader of JSON."""
_MOST_DIGITS = 300
"""Of a whole number, as in a record that is read; set by hand below those of the largest float."""
_MOST_SHOWN = 60
"""Characters of a value in a message; set by hand for one line."""


def unlike(ruling: Ruling) -> Iterator[str]:
    """Yield in words which fields are not what they have to be, those of its components too."""
    parts = ruling.components if _are(Component, ruling.components) else ()
    owners: list[tuple[Ruling | Component, str]] = [(ruling, ""), *((part, "a component's ") for part in parts)]
    for owner, of in owners:
        for one in fields(owner):
            value, (wanted, fits) = getattr(owner, one.name), _FORMS[str(one.type)]
            if not fits(value):
                yield f"{of}{one.name} is {_told(value)}, not {wanted}"


def _told(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a repr of somebody else's, or a number of too many digits
        text = f"a {type(value).__name__}"
    return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}..."


def _are(kind: type, values: object) -> bool:
    return isinstance(values, (tuple, list)) and all(isinstance(value, kind) for value in values)


def _is_number(value: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, (int, float, np.integer, np.floating)):
        return False
    return isinstance(value, (float, np.generic)) or bool(abs(value) < 10**_MOST_DIGITS)


def _is_count(value: Any) -> bool:
    return _is_number(value) and bool(0 <= value < _LARGEST_COUNT and value == int(value))


def _is_table(value: object) -> bool:
    """Return whether something is a mapping that a record can hold, and read again."""
    try:
        json.loads(json.dumps(plain(value)), parse_int=_whole)
    except (TypeError, ValueError, RecursionError):
        return False
    return isinstance(value, Mapping)


def _whole(digits: str) -> int:
    if len(digits) > _MOST_DIGITS:
        raise ValueError("no number that a drawing or a mean could hold")
    return int(digits)


def _one_of(words: tuple[str, ...]) -> tuple[str, Callable[[Any], bool]]:
    return f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words


_FORMS: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "str": ("a text", lambda value: isinstance(value, str)),
    "int": ("a whole number of at least 0", _is_count),
    "float": ("a number, or NaN where there is none", _is_number),
    "Status": _one_of(tuple(Status)),
    "Side": _one_of(get_args(Side)),
    "Role": _one_of(get_args(Role)),
    "tuple[str, ...]": ("a tuple of texts", lambda value: _are(str, value)),
    "tuple[Component, ...]": ("a tuple of Components", lambda value: _are(Component, value)),
    "Mapping[str, object]": ("a mapping of plain JSON values", _is_table),
}
