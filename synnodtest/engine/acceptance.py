"""Acceptance of a synthesized scene: fixed beforehand and blind to every detector."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from synnodtest.attenuation import white_share
from synnodtest.geometry import Crop, cut_of
from synnodtest.radiograph import Radiograph, Truth, lung_range

LARGEST_DIAMETER_ERROR = 0.35
"""Realised against requested diameter, relative."""
LARGEST_CONTRAST_ERROR = 0.5
"""Realised against requested contrast, relative; places that are nearly white leave less."""
NEGLIGIBLE_CONTRAST = 0.002
"""A smaller difference of contrast is none: it is what 8 bits round to."""
LEAST_SHARE = 0.1
"""Of the contrast asked for, where named features may change it: below it the nodule is not there."""
LARGEST_WHITE_SHARE = 0.25
"""Of the mask driven to white: beyond it a nodule is a flat patch with its outline for content."""
LARGEST_REACH = 2.5
"""Pixels may change up to this many diameters from the nodule's centre."""


def rejection(
    background: Radiograph, synthetic: Radiograph, *, sham: bool = False, crops: Sequence[Crop] | None = None
) -> str:
    """Return why a scene is excluded, or an empty text if it is accepted.

    Checked is whether what was made is what was asked for: every nodule is there and in its place, with its diameter
    and contrast, it is not driven to white, and no pixel changed far from all nodules. How visible a nodule is does not
    matter: a faint one that was asked for is a legitimate scene. A sham edit is checked for the last alone.

    Args:
        background: Untouched.
        synthetic: What was made of it.
        sham: Whether it was made without a nodule.
        crops: Where it may differ from its background, if that is known: beyond them its bits are the same.
    """
    if sham or not synthetic.nodules:
        return _whole_rejection(background, synthetic, crops)
    return next((reason for reason in rejections(background, synthetic, crops) if reason), "")


def rejections(background: Radiograph, synthetic: Radiograph, crops: Sequence[Crop] | None = None) -> tuple[str, ...]:
    """Return per nodule why the scene is excluded, empty where the nodule is as asked for.

    What is wrong with the radiograph as a whole is held against each of its nodules. Arguments: see :func:`rejection`.
    """
    whole = _whole_rejection(background, synthetic, crops)
    return tuple(
        whole
        or _nodule_rejection(truth)
        or _place_rejection(truth, background)
        or _pixels_rejection(truth, background, synthetic)
        for truth in synthetic.nodules
    )


def unseen_mimic(before: Radiograph, drawn: Radiograph) -> str:
    """Return why a scene with mimics is excluded: one of them, in black or in white, shows nowhere; "" if all show.

    A detector that reports nothing there would have told nothing apart.
    """
    for truth in drawn.mimics:
        if np.array_equal(before.pixels[truth.cut][truth.crop], drawn.pixels[truth.cut][truth.crop]):
            return f"distractor {truth.name!r} shows nowhere"
    return ""


def _whole_rejection(background: Radiograph, synthetic: Radiograph, crops: Sequence[Crop] | None) -> str:
    if synthetic.shape != background.shape:
        return "the synthesizer changed the size of the radiograph"
    if crops is None or not background.is_finite:
        crops = [(0, 0, *background.shape)]
    if not all(np.isfinite(synthetic.pixels[cut_of(crop)]).all() for crop in crops):
        return "the synthesizer returned pixels that are not finite"
    far = any(_changed_far_away(background, synthetic, crop) for crop in crops)
    return "pixels changed far from the nodules" if far else ""


def _nodule_rejection(truth: Truth) -> str:
    if not truth.crop.any():
        return f"nodule {truth.name!r} left no mask"
    diameter_mm = float(truth.requested.get("diameter_mm", truth.diameter_mm))
    if abs(truth.diameter_mm - diameter_mm) > LARGEST_DIAMETER_ERROR * diameter_mm + 0.5:
        return f"nodule {truth.name!r}: realised diameter {truth.diameter_mm:.1f} mm, requested {diameter_mm:.1f} mm"
    return _contrast_rejection(truth)


def _contrast_rejection(truth: Truth) -> str:
    requested = truth.requested.get("contrast")
    if requested is None or abs(truth.contrast - requested) <= NEGLIGIBLE_CONTRAST:
        return ""
    reason = f"nodule {truth.name!r}: realised contrast {truth.contrast:.3f}, requested {requested:.3f}"
    if truth.requested.get("radiomics"):
        return reason if truth.contrast < LEAST_SHARE * requested else ""
    return reason if abs(truth.contrast - requested) > LARGEST_CONTRAST_ERROR * requested else ""


def _place_rejection(truth: Truth, background: Radiograph) -> str:
    """Refuse a nodule that lies elsewhere than asked for; one that the border cuts is not judged."""
    x_min, y_min, x_max, y_max = truth.box
    height, width = background.shape
    if "centre_mm" not in truth.requested or x_min < 1 or y_min < 1 or x_max > width - 1 or y_max > height - 1:
        return ""
    y, x = (float(axis.mean()) for axis in np.nonzero(truth.crop))
    row_mm, column_mm = background.spacing_mm
    centre_mm = truth.requested["centre_mm"]
    away = np.hypot(
        (x + truth.origin[1] + 0.5) * column_mm - centre_mm[0], (y + truth.origin[0] + 0.5) * row_mm - centre_mm[1]
    )
    if away > max(2.0, truth.diameter_mm / 3):
        return f"nodule {truth.name!r}: lies {away:.1f} mm from the place asked for"
    return ""


def _pixels_rejection(truth: Truth, background: Radiograph, synthetic: Radiograph) -> str:
    """Refuse a nodule that is only claimed, or driven to white."""
    before, after = background.pixels[truth.cut], synthetic.pixels[truth.cut]
    if truth.contrast > NEGLIGIBLE_CONTRAST and np.array_equal(before[truth.crop], after[truth.crop]):
        return f"nodule {truth.name!r}: no pixel of its mask changed"
    share = white_share(before, after, truth.crop)
    if share > LARGEST_WHITE_SHARE:
        return f"nodule {truth.name!r}: {100 * share:.0f}% of its mask is white"
    return ""


def contrast_to_noise(truth: Truth, background: Radiograph) -> float:
    """Return the brightness a nodule adds over the standard deviation of its untouched surroundings.

    These are a ring of half a diameter, at least 3 mm wide, from which a plane is taken away.
    """
    x_min, y_min, x_max, y_max = (int(edge) for edge in truth.box)
    rows, columns = (int(np.ceil(max(3.0, truth.diameter_mm / 2) / step)) for step in background.spacing_mm)
    cut = (slice(max(y_min - rows, 0), y_max + rows), slice(max(x_min - columns, 0), x_max + columns))
    values = background.pixels[cut].astype(np.float64)
    ring = ~truth.mask(background.shape)[cut]
    y, x = np.nonzero(ring)
    if y.size < 12:
        return float("inf")
    plane = np.stack([np.ones(y.size), y, x], axis=1)
    rest = values[ring] - plane @ np.linalg.lstsq(plane, values[ring], rcond=None)[0]
    return truth.contrast * lung_range(background) / max(float(rest.std()), 1e-9)


def _changed_far_away(background: Radiograph, synthetic: Radiograph, crop: Crop) -> bool:
    """Return whether a pixel of a crop changed that is near no nodule."""
    top, left, _, _ = crop
    changed = synthetic.pixels[cut_of(crop)] != background.pixels[cut_of(crop)]
    for truth in synthetic.nodules:
        x_min, y_min, x_max, y_max = truth.box
        reach_mm = LARGEST_REACH * max(truth.diameter_mm, float(truth.requested.get("diameter_mm", 0.0)), 4.0)
        rows, columns = (int(np.ceil(reach_mm / step)) for step in synthetic.spacing_mm)
        y, x = int((y_min + y_max) / 2) - top, int((x_min + x_max) / 2) - left
        changed[max(y - rows, 0) : max(y + rows + 1, 0), max(x - columns, 0) : max(x + columns + 1, 0)] = False
    return bool(changed.any())
