"""Errors in people's words: did-you-mean, paths and values as a reader would write them."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

from synnodtest.errors import Problem
from synnodtest.spec.nodes import Mark


def closest(word: str, known: Iterable[str]) -> str | None:
    """Return the known word that ``word`` was probably meant to be, or None."""
    options = {_folded(option): option for option in sorted(known)}
    matches = difflib.get_close_matches(_folded(word), options, n=1, cutoff=0.6)
    return options[matches[0]] if matches else None


def _folded(word: str) -> str:
    return word.lower().replace("-", "_").replace(" ", "_")


def unknown(word: str, known: Iterable[str], what: str = "known") -> str:
    """Return the complaint that a word is not known, with the likely one or the list."""
    known = sorted(set(known))
    likely = closest(word, known)
    if likely is not None:
        return f"{word!r} is not known; did you mean {likely!r}?"
    if not known:
        return f"{word!r} is not known; there is none"
    listed = ", ".join(known[:20]) + (", ..." if len(known) > 20 else "")
    return f"{word!r} is not known; {what} are {listed}"


def meant(word: str, known: Iterable[str]) -> str:
    """Return what a complaint of a word ends in: the known word that it probably was meant to be, if there is one."""
    likely = closest(word, known)
    return f"; did you mean {likely!r}?" if likely else ""


def path_text(path: Sequence[str | int]) -> str:
    """Return ``behaviours[0].expect[0].monotone`` for a path of keys and indices."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{part}" if text else part
    return text


def show(value: object) -> str:
    """Return a value as a reader wrote it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = f"{value:g}" if isinstance(value, float) else repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def problem(mark: Mark, path: Sequence[str | int], message: str, hint: str = "") -> Problem:
    """Return the problem at a place of a file."""
    return Problem(mark.file, mark.line, mark.column, path_text(path), message, hint)
