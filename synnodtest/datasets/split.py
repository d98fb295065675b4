"""Patients and CT series that are held out: by name alone, for good."""

from __future__ import annotations

import zlib

HELD_OUT = 0.15
"""Share of patients and of CT series that training never sees."""
SPLITS = ("held-out", "train", "all")


def is_held_out(name: str, share: float = HELD_OUT) -> bool:
    """Return whether a patient or CT series is kept for evaluation; who is at a small share is at every larger one."""
    return zlib.crc32(name.encode()) % 100 < 100 * share


def of_split(name: str, split: str) -> bool:
    """Return whether a patient belongs to ``held-out``, ``train`` or ``all``.

    A share may follow: ``held-out:0.5`` and ``train:0.5`` are the two halves, where few films are at hand.

    Raises:
        ValueError: there is no such split.
    """
    side, part = _parts(split)
    return side == "all" or is_held_out(name, part) == (side == "held-out")


def split_name(text: str) -> str:
    """Return the text of a split if it is one.

    Raises:
        ValueError: it is none; says what one is.
    """
    _parts(text)
    return text


def _parts(split: str) -> tuple[str, float]:
    side, colon, text = split.partition(":")
    problem = f"a split is {', '.join(SPLITS)}, or held-out:SHARE or train:SHARE (0 < SHARE < 1), not {split!r}"
    try:
        share = float(text) if colon else HELD_OUT
    except ValueError:
        raise ValueError(problem) from None
    if side not in SPLITS or not 0 < share < 1 or (colon and side == "all"):
        raise ValueError(problem)
    return side, share
