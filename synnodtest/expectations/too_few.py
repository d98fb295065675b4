"""Too few clusters for a bootstrap over them: what decides nothing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.counted import counted
from synnodtest.expectations.limits import LEAST_CLUSTERS
from synnodtest.statistics.clusters import equal_clusters


def too_few_clusters(count: int) -> list[str]:
    """Return why a bootstrap over so few clusters decides nothing; empty if it may."""
    return fewer(count, LEAST_CLUSTERS, "background is", "backgrounds are")


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
    return [f"{count - used} of {count} backgrounds lack levels and are left out"] if 2 * used < count else []
