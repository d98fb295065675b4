"""Values of strata that mean one thing and are spelt in several ways: each spelling would be a group of its own.

Ages are read as DICOM (``061Y``) and people (``61 years``) write them.
"""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

_SEXES = {"female": "f", "woman": "f", "w": "f", "male": "m", "man": "m"}
OLDEST = 125
"""Years that somebody reached, and a few more."""
_AGE = re.compile(r"(\d{1,3})(?:\.0)?\s*(y|yrs?|years?|m|months?|w|weeks?|d|days?)?(?: old)?", re.IGNORECASE)
_A_YEAR = {"y": 1, "m": 12, "w": 52.18, "d": 365.25}
MOST_VALUES = 50
"""A column of more values tells films apart, not groups."""


def spelt_otherwise(strata: Iterable[Mapping[str, str]]) -> list[str]:
    """Return a note for each stratum of which two values differ in case or blanks alone, or mean one sex.

    And one of ages that nobody reaches, as numbers of days or months are.
    """
    values: dict[str, set[str]] = defaultdict(set)
    for one in strata:
        for name, text in one.items():
            values[name].add(text)
    beyond = sorted(text for text in values.get("age", ()) if _is_number(text) and not 0 <= float(text) <= OLDEST)
    odd = [f"age: {', '.join(beyond[:3])}: not in years; write years into the manifest"] if beyond else []
    return odd + [
        f"{name}: {' and '.join(map(repr, sorted(same)))} count as different; write them alike in the manifest"
        for name, texts in sorted(values.items())
        if len(texts) <= MOST_VALUES
        for same in _alike(name, texts)
    ]


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


def _alike(name: str, texts: Iterable[str]) -> list[set[str]]:
    groups: dict[str, set[str]] = defaultdict(set)
    for text in sorted(texts):
        plain = " ".join(text.casefold().split())
        groups[_SEXES.get(plain, plain) if name == "sex" else plain].add(text)
    return [same for same in groups.values() if len(same) > 1]


def years(text: str) -> str:
    """Return an age as a number of years, "" where it is none."""
    age = _AGE.fullmatch(text)
    return f"{int(age[1]) / _A_YEAR[(age[2] or 'y')[0].lower()]:.4g}" if age else ""
