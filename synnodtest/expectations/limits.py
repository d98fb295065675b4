"""Limits that several kinds of expectation share."""

from __future__ import annotations

LEAST_CLUSTERS = 15
"""Fewest backgrounds on which a bootstrap decides: below, its coverage is not within a few percent of the nominal."""
LEAST_LEVELS = 5
"""Fewest levels of a sweep over which a curve can be told to rise."""
REFERENCE_AT_LEAST = 0.2
"""Least sensitivity that a detector or a reference must show: two silent arms prove nothing."""
LARGEST_RADIUS_MM = 15.0
"""Half of the largest thing that is called a nodule."""
_MOST_FALSE_POSITIVES = 8.0
"""End of the free-response curves of challenges: Setio et al., Med. Image Anal. 42 (2017) 1 (LUNA16)."""


def many_false_positives(per_image: float) -> str:
    """Return why so many false positives per image let a detector pass for little; empty if they do not."""
    if per_image <= _MOST_FALSE_POSITIVES:
        return ""
    return f"{per_image:g} false positives per image are allowed: nobody reads a film with so many marks"


def reached_by_chance(correlation: float | None) -> str:
    """Return why a correlation that must exceed this lets a detector pass for little; empty if it does not."""
    if correlation is None or correlation >= 0:
        return ""
    return f"scores drawn by chance have a correlation of 0, which exceeds {correlation:g}"
