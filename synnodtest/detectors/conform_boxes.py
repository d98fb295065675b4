"""Questions about boxes: whether they lie on the nodules, follow the picture, and are where they should to the pixel.

Where they do not lie on the nodules, they are read in every other way that adapters get wrong, and the way that fits is
the diagnosis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from synnodtest.detectors import conform_geometry
from synnodtest.detectors.conform_check import IN_PYTHON, Ask, Check, Findings, guarded
from synnodtest.detectors.conform_pictures import blind, mirrored, smaller
from synnodtest.detectors.guard import checked
from synnodtest.errors import DetectorError
from synnodtest.radiograph import Radiograph

ENOUGH = 0.6
"""Share of the nodules that must be found for a statement about boxes."""
X_OFFSET_PX = 0.6
"""Shift of boxes along x, in pixels: edges rounded to whole pixels make half a pixel of it, edges that count from 1 a
whole one."""
TRUTH_OFFSET_PX = 4.0
"""Distance of boxes from the nodules, in pixels, by the median; set by hand: a right detector's boxes scatter by less,
a padding forgotten leaves more."""


def boxes_checks(ask: Ask, shown: Sequence[Radiograph], single: Findings) -> list[Check]:
    """Return the answers about boxes.

    Args:
        ask: Asks the detector about further radiographs.
        shown: Radiographs with one conspicuous nodule each.
        single: What it found on them.
    """
    hit = conform_geometry.hits(conform_geometry.READINGS[0], shown, single)
    if hit < ENOUGH * len(shown):
        diagnosed = _diagnosed(ask, shown, single, hit)
        return [diagnosed, *(_edges(shown, single) if diagnosed.passed is None else ())]
    place = Check("box", True, f"{hit} of {len(shown)} conspicuous nodules lie in a box")
    turned = guarded("flip", lambda: _flip(ask, shown, single))
    return [place, *_edges(shown, single), _size(ask, shown, hit), turned, _offset(shown, single)]


def _edges(shown: Sequence[Radiograph], single: Findings) -> list[Check]:
    """Return what a run would refuse of the boxes: one that leaves its radiograph, or is empty. Else nothing."""
    try:
        checked(single, shown, "a run refuses this answer")
    except DetectorError as error:
        return [Check("edges", False, error.message, "clip boxes to the radiograph, leave out what lies outside")]
    return []


def _diagnosed(ask: Ask, shown: Sequence[Radiograph], single: Findings, found: int) -> Check:
    """Say which other reading of the boxes lies on the nodules, or whether grey values are upside down."""
    best = max(conform_geometry.READINGS[1:], key=lambda reading: conform_geometry.hits(reading, shown, single))
    most = conform_geometry.hits(best, shown, single)
    if most >= ENOUGH * len(shown) and most >= found + 2:
        return Check("box", False, f"{most} of {len(shown)} boxes fit the nodules if read as {best.says}", best.remedy)
    inverted = [replace(blind(one), pixels=np.float32(1) - one.pixels) for one in shown]
    try:
        upside_down = conform_geometry.hits(conform_geometry.READINGS[0], shown, ask(inverted))
    except DetectorError:
        upside_down = 0
    if upside_down >= ENOUGH * len(shown) and upside_down >= found + 2:
        says = f"{upside_down} of {len(shown)} nodules are found on inverted radiographs and {found} on right ones"
        return Check("grey values", False, says, "pixels are 0..1 with air dark; do not invert them")
    says = f"{found} of {len(shown)} conspicuous nodules lie in a box, whichever way boxes are read"
    return Check("box", None, says, f"the detector may not know phantoms: give radiographs that it knows ({IN_PYTHON})")


def _size(ask: Ask, shown: Sequence[Radiograph], found: int) -> Check:
    """Look whether boxes follow a radiograph to fewer pixels: those of a network's input fit one size alone."""
    copies = [smaller(one) for one in shown]
    try:
        moved, unmoved = conform_geometry.hits_of_smaller(shown, copies, ask(copies))
    except DetectorError as error:
        return Check("size", None, f"smaller copies are not answered: {error.message}")
    if unmoved >= ENOUGH * found and unmoved >= moved + 2:
        says = f"on smaller copies {unmoved} of {found} boxes lie where they did, and {moved} on the nodules"
        return Check("size", False, says, conform_geometry.IN_PIXELS)
    return Check(
        "size", moved >= ENOUGH * found or None, f"on smaller copies {moved} of {found} boxes lie on the nodules"
    )


def _flip(ask: Ask, shown: Sequence[Radiograph], single: Findings) -> Check:
    """Compare each box with that on the mirrored radiograph: a constant shift shows as twice itself."""
    answers = ask([mirrored(one) for one in shown])
    offsets = conform_geometry.offset_along_x(shown, single, answers)
    unturned = conform_geometry.hits(conform_geometry.READINGS[0], shown, single)
    if len(offsets) < 0.5 * unturned:
        says = f"of {unturned} nodules found, {len(offsets)} are found on the mirrored radiograph"
        return Check("flip", False, says, "does the adapter use a fixed part of the picture, or a stale one?")
    shift = float(np.median(offsets))
    if abs(shift) <= X_OFFSET_PX:
        return Check("flip", True, f"mirrored radiographs give mirrored boxes (shift {shift:+z.2f} pixels)")
    says = f"boxes and those on mirrored radiographs disagree by {2 * shift:+.1f} pixels"
    if _may_be_scatter([offset * np.sign(shift) for offset in offsets]):
        says += f" by the median, and by {2 * min(offsets):+z.1f} to {2 * max(offsets):+z.1f} one by one"
        return Check(
            "flip", None, says, "a network scatters so away from the size it was trained at; no shift is shown"
        )
    remedy = "edges count from 0 at the left of the first pixel; subtract what is too much"
    return Check("flip", False, f"{says}: all are {shift:+.1f} too far", remedy)


def _may_be_scatter(offsets: Sequence[float]) -> bool:
    """Return whether so many lie beyond the limit by chance, around a median at it, in more than one of 20 cases."""
    n, within = len(offsets), sum(offset <= X_OFFSET_PX for offset in offsets)
    return 20 * sum(math.comb(n, k) for k in range(within + 1)) > 1 << n


def _offset(shown: Sequence[Radiograph], single: Findings) -> Check:
    x, y = conform_geometry.offset_from_truth(shown, single)
    says = f"boxes lie {x:+z.1f} pixels along x and {y:+z.1f} along y from the nodules, by the median"
    if max(abs(x), abs(y)) > TRUTH_OFFSET_PX:
        return Check("offset", False, says, "is the padding of the network's input subtracted, and the scale undone?")
    return Check("offset", True, says)
