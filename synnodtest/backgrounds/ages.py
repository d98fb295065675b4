"""Ages as DICOM (``061Y``) and people (``61 years``) write them."""

from __future__ import annotations

import re

_AGE = re.compile(r"(\d{1,3})(?:\.0)?\s*(y|yrs?|years?|m|months?|w|weeks?|d|days?)?(?: old)?", re.IGNORECASE)
_A_YEAR = {"y": 1, "m": 12, "w": 52.18, "d": 365.25}


def years(text: str) -> str:
    """Return an age as a number of years, "" where it is none."""
    age = _AGE.fullmatch(text)
    return f"{int(age[1]) / _A_YEAR[(age[2] or 'y')[0].lower()]:.4g}" if age else ""
