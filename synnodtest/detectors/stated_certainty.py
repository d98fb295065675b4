"""A certainty that stands in a free text beside a finding: ``certainty 81 %``, ``confidence: 0.81``.

DICOM segmentations and presentation states have no attribute for it; vendors write it into the description.
"""

from __future__ import annotations

import re

_WORDS = "certainty|confidence|probability|likelihood|score"
_STATED = re.compile(
    rf"\b(?:{_WORDS})\b(?:\s+of\s+(?:nodule|finding|malignancy|cancer))?\s*[:=]?\s*"
    r"(-?(?:\d+(?:[.,]\d*)?|[.,]\d+)(?:e-?\d+)?)\s*(%|percent\b)?(\s*(?:/|out of\b|of\b)\s*\d)?",
    re.IGNORECASE,
)


def stated_certainty(text: str) -> float | None:
    """Return the certainty that a text states, 0 to 1; None where it states none.

    Raises:
        ValueError: it is neither a share of 0 to 1 nor a percentage, or two that differ are stated.
    """
    shares = set()
    for match in _STATED.finditer(text):
        value = float(match[1].replace(",", "."))
        share = value / 100 if match[2] else value
        if (match[3] and not match[2]) or not 0 <= share <= 1:
            raise ValueError(f"{match[0].strip()!r} is no share of 0 to 1 nor a percentage")
        shares.add(share)
    if len(shares) > 1:
        raise ValueError(f"{text!r} states several certainties")
    return shares.pop() if shares else None


def words_of(score: float) -> str:
    """Return the certainty as :func:`stated_certainty` reads it."""
    return f"certainty {100 * score:.12g} %"


def without_certainty(text: str) -> str:
    """Return the text without the certainty that it states."""
    return _STATED.sub(" ", text)
