"""Acceptance of a synthesized scene: fixed beforehand and blind to every detector."""

from __future__ import annotations

import numpy as np

from synnodtest.radiograph import Radiograph, Truth

__all__ = ["LARGEST_DIAMETER_ERROR", "LARGEST_REACH", "LEAST_CONTRAST", "rejection"]

LARGEST_DIAMETER_ERROR = 0.35
"""Realised against requested diameter, relative."""
LEAST_CONTRAST = 0.02
"""Visibility floor: realised contrast below it is no nodule that anybody could be asked to find."""
LARGEST_REACH = 2.5
"""Pixels may change up to this many diameters from the nodule's centre."""


def rejection(background: Radiograph, synthetic: Radiograph, *, sham: bool = False) -> str:
    """Return why a scene is excluded, or an empty text if it is accepted.

    Checked are: every nodule is there, its realised diameter and contrast, and that no pixel changed far from
    all nodules. A sham edit is checked for the last alone.
    """
    if synthetic.shape != background.shape:
        return "the synthesizer changed the size of the radiograph"
    if not np.isfinite(synthetic.pixels).all():
        return "the synthesizer returned pixels that are not finite"
    if _changed_far_away(background, synthetic):
        return "pixels changed far from the nodules"
    if sham:
        return ""
    for truth in synthetic.nodules:
        reason = _nodule_rejection(truth)
        if reason:
            return reason
    return ""


def _nodule_rejection(truth: Truth) -> str:
    if not truth.crop.any():
        return f"nodule {truth.name!r} left no mask"
    wanted = float(truth.requested.get("diameter_mm", truth.diameter_mm))
    if abs(truth.diameter_mm - wanted) > LARGEST_DIAMETER_ERROR * wanted + 0.5:
        return f"nodule {truth.name!r}: realised diameter {truth.diameter_mm:.1f} mm, requested {wanted:.1f} mm"
    if truth.contrast < LEAST_CONTRAST and float(truth.requested.get("contrast", 1.0)) >= LEAST_CONTRAST:
        return f"nodule {truth.name!r}: realised contrast {truth.contrast:.3f} is below the visibility floor"
    return ""


def _changed_far_away(background: Radiograph, synthetic: Radiograph) -> bool:
    changed = synthetic.pixels != background.pixels
    for truth in synthetic.nodules:
        x_min, y_min, x_max, y_max = truth.box
        reach_mm = LARGEST_REACH * max(truth.diameter_mm, float(truth.requested.get("diameter_mm", 0.0)), 4.0)
        rows, columns = (int(np.ceil(reach_mm / step)) for step in synthetic.spacing_mm)
        y, x = int((y_min + y_max) / 2), int((x_min + x_max) / 2)
        changed[max(y - rows, 0) : y + rows + 1, max(x - columns, 0) : x + columns + 1] = False
    return bool(changed.any())
