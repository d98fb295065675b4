"""From annotated boxes to nodules: how much of a box its nodule fills.

Annotators draw boxes around nodules, with a margin that differs from one group to the next. A nodule planted as large
as the box would be larger than the nodule in it, so the margin is measured: over all boxes of one group the rise of
brightness is averaged by distance from the middle, by which ribs and vessels average out, and the nodule ends where a
ball's shadow would, whose height has fallen to half at 0.87 of its radius.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from synnodtest.conspicuity import radial_rise
from synnodtest.geometry import Array, Box, centre_of
from synnodtest.radiograph import Radiograph

EDGES = tuple(round(0.1 * k, 1) for k in range(13))
"""Of the bins of a profile, in half boxes from the middle."""
HALF = math.sqrt(0.75)
"""Radius at which the shadow of a ball, sqrt(1 - r^2), has fallen to half."""
FEWEST = 8
"""Boxes without which the profile of a group is too noisy; then all boxes together stand in."""
USUAL_SHARE = 0.8
"""Share where even all together are too few: what radiologists' tight boxes show (ChestX-Det, 22 boxes)."""
LIMITS = (0.4, 1.0)
"""Of a believable share."""


def profile_in_box(radiograph: Radiograph, box: Box) -> Array:
    """Return the rise of brightness by distance from the middle of a box (bins of :data:`EDGES`), NaN if unknown."""
    profile = radial_rise(radiograph, box, EDGES)
    return np.full(len(EDGES) - 1, math.nan) if profile is None else np.asarray(profile, dtype=np.float64)


def share_of_box(profiles: Sequence[Array]) -> float | None:
    """Return the diameter of the nodules as a share of that of their boxes, None if the profiles do not say.

    Args:
        profiles: One of :func:`profile_in_box` per box.
    """
    known = np.array([profile for profile in profiles if np.isfinite(profile).any()])
    if len(known) < FEWEST:
        return None
    if not np.isfinite(known).any(axis=0).all():  # of a small nodule a bin may hold no cell
        return None
    mean = np.nanmean(known, axis=0)
    middles = np.asarray(EDGES[:-1]) + np.diff(EDGES) / 2
    top, bottom = float(mean[:2].mean()), float(mean.min())
    below = np.flatnonzero(mean <= (top + bottom) / 2)
    if top <= bottom or not len(below) or below[0] == 0:
        return None
    k = int(below[0])
    fall = (mean[k - 1] - (top + bottom) / 2) / (mean[k - 1] - mean[k])
    radius = middles[k - 1] + fall * (middles[k] - middles[k - 1])
    return float(np.clip(radius / HALF, *LIMITS))


def box_shares(profiles: Mapping[str, Sequence[Array]]) -> dict[str, float]:
    """Return the share of each group of annotators; that of all together, or the usual one, where a group is small."""
    together = share_of_box([one for group in profiles.values() for one in group]) or USUAL_SHARE
    return {name: share_of_box(group) or together for name, group in profiles.items()}


def shrunk(box: Box, share: float) -> Box:
    """Return the box made smaller about its middle (larger if ``share`` is above 1)."""
    x, y = centre_of(box)
    half_x, half_y = (box[2] - box[0]) / 2 * share, (box[3] - box[1]) / 2 * share
    return x - half_x, y - half_y, x + half_x, y + half_y
