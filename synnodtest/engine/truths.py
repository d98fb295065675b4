"""The truth that a synthesizer tells of its nodules, held against what was asked for, its masks and its pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

from synnodtest.geometry import equal_area_diameter_mm
from synnodtest.radiograph import Radiograph, Truth, lung_range
from synnodtest.scene import Scene

SAME = 0.1
"""Share by which a truth may differ from what is measured: synthesizers round, and blend at the edge of the mask."""
SAME_MM, SAME_CONTRAST = 0.5, 0.01
"""Differences that are none, however small the nodule."""
REDRAWN, REDRAWN_CONTRAST = 0.5, 0.1
"""The same where an edit redraws what lies beneath: its contrast is over that, which pixels show no more."""
APART = 2.0
"""Diameters between two centres from which on neither nodule brightens the other's mask."""


def as_asked(scene: Scene, radiograph: Radiograph) -> Radiograph:
    """Return a radiograph whose truths tell as requested what the scene asks for: acceptance judges by that."""
    truths = []
    for nodule, truth in zip(scene.nodules, radiograph.nodules, strict=True):
        asked = {name: value for name, value in nodule.request().items() if value is not None}
        requested: Mapping[str, object] = {**truth.requested, **asked}
        truths.append(truth if requested == truth.requested else replace(truth, requested=requested))
    same = all(new is old for new, old in zip(truths, radiograph.nodules, strict=True))
    return radiograph if same else replace(radiograph, nodules=tuple(truths))


def truth_fault(background: Radiograph, synthetic: Radiograph, *, redrawn: bool) -> str:
    """Return what a truth says otherwise than mask and pixels do, empty if nothing.

    Verdicts select nodules by the truth and reports print it; a synthesizer that plants brighter nodules than it says
    would be believed. Nodules close together add up and are not measured, nor are those without a mask, a changed
    pixel or finite ones, which acceptance excludes.

    Args:
        background: Untouched.
        synthetic: What was made of it, without perturbations.
        redrawn: Whether an edit without a nodule changes pixels, too.
    """
    if synthetic.shape != background.shape:
        return ""
    return next((fault for truth in synthetic.nodules if (fault := _fault(truth, background, synthetic, redrawn))), "")


def _fault(truth: Truth, background: Radiograph, synthetic: Radiograph, redrawn: bool) -> str:
    crop, (row, column) = truth.crop, truth.origin
    if crop.ndim != 2:
        return f"the mask of nodule {truth.name!r} has the shape {crop.shape}, not height x width"
    if not crop.any():
        return ""
    height, width = background.shape
    if min(row, column) < 0 or row + crop.shape[0] > height or column + crop.shape[1] > width:
        return f"the mask of nodule {truth.name!r} leaves the radiograph"
    diameter = equal_area_diameter_mm(float(crop.sum()), background.spacing_mm)
    if not abs(truth.diameter_mm - diameter) <= SAME_MM + SAME * diameter:
        return f"nodule {truth.name!r} is said to have {truth.diameter_mm:.1f} mm, its mask has {diameter:.1f} mm"
    if not _alone(truth, synthetic):
        return ""
    added = synthetic.pixels[truth.cut][crop].astype(float) - background.pixels[truth.cut][crop]
    contrast = float(added.mean()) / lung_range(background)
    share, least = (REDRAWN, REDRAWN_CONTRAST) if redrawn else (SAME, SAME_CONTRAST)
    if added.any() and math.isfinite(contrast) and not abs(truth.contrast - contrast) <= least + share * abs(contrast):
        return f"nodule {truth.name!r} is said to have a contrast of {truth.contrast:.3f}, its pixels {contrast:.3f}"
    return ""


def _alone(truth: Truth, synthetic: Radiograph) -> bool:
    """Return whether no other nodule is near."""
    return all(
        other is truth or _distance_mm(truth, other, synthetic) > APART * max(truth.diameter_mm, other.diameter_mm)
        for other in synthetic.nodules
    )


def _distance_mm(one: Truth, other: Truth, radiograph: Radiograph) -> float:
    (left, top, right, bottom), (x0, y0, x1, y1) = one.box, other.box
    across, down = (left + right - x0 - x1) / 2, (top + bottom - y0 - y1) / 2
    return math.hypot(across * radiograph.spacing_mm[1], down * radiograph.spacing_mm[0])
