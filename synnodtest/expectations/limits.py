"""Limits that several kinds of expectation share."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.counted import counted
from synnodtest.statistics.clusters import equal_clusters

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


def too_few_clusters(count: int) -> list[str]:
    """Return why a bootstrap over so few clusters decides nothing; empty if it may."""
    return fewer(count, LEAST_CLUSTERS, "independent background is", "independent backgrounds are")


def fewer(count: int, least: int, one: str, many: str) -> list[str]:
    """Return that so few decide nothing, named by ``one`` or ``many``; empty if they may."""
    return [] if count >= least else [f"{counted(count, one, many)} too few, {least} are needed"]


def too_few_equal_clusters(clusters: Sequence[str]) -> list[str]:
    """Return why a bootstrap over images of these clusters decides nothing; empty if it may.

    Where one patient has most of the images, many patients tell as little as few.

    Args:
        clusters: Of each image.
    """
    units = np.unique(np.asarray(clusters), return_counts=True)[1]
    reasons, equal = too_few_clusters(len(units)), equal_clusters(units.astype(np.float64))
    if not reasons and equal < LEAST_CLUSTERS:
        told = f"{len(units)} patients or backgrounds with unequally many images tell as much as {equal:.1f} equal ones"
        reasons.append(f"{told}, {LEAST_CLUSTERS} are needed")
    return reasons


def too_many_left_out(used: int, count: int) -> list[str]:
    """Return why a trend within few of the backgrounds decides nothing; empty if it may.

    Where more backgrounds lack levels than have them, those that are left do not speak for all.

    Args:
        used: Backgrounds with enough levels.
        count: All backgrounds.
    """
    return (
        [f"{count - used} of {count} independent backgrounds lack levels and are left out"] if 2 * used < count else []
    )
