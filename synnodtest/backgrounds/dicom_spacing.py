"""The size of a pixel of a DICOM radiograph: which of its tags counts, and when none can be trusted."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from synnodtest.errors import BackgroundError

CALIBRATED = ("GEOMETRY", "FIDUCIAL")
"""Calibration types by which PixelSpacing is measured in the patient (DICOM PS3.3 10.7)."""
SAME = 0.01
"""Spacings that differ by less than this share count as equal: they were rounded."""

_Pair = tuple[float, float]


def spacing_of(path: Path, data: Any) -> tuple[_Pair | None, list[str]]:
    """Return ``(row, column)`` in mm, or None if no tag gives it, and notes for the record.

    Raises:
        BackgroundError: a tag holds no pair of positive numbers, or two contradict each other.
    """
    imager, pixel = _pair(path, data, "ImagerPixelSpacing"), _pair(path, data, "PixelSpacing")
    if imager is None and pixel is None:
        scanned = _pair(path, data, "NominalScannedPixelSpacing")
        return scanned, ["spacing from NominalScannedPixelSpacing"] if scanned else []
    if imager is None or pixel is None:
        return pixel or imager, [*_magnified(data, imager), *_aspect(data, pixel or imager)]
    if _agree(imager, pixel, 1.0):
        return pixel, [*_magnified(data, imager), *_aspect(data, pixel)]
    reason = _why_pixel_spacing(data, imager, pixel)
    note = f"PixelSpacing {_shown(pixel)} and ImagerPixelSpacing {_shown(imager)} differ"
    if reason:
        return pixel, [f"{note}: PixelSpacing counts, {reason}"]
    raise BackgroundError(
        f"{path}: {note}, and nothing says which is that of these pixels",
        hint="write the true spacing into the manifest (columns mm_per_px_x, mm_per_px_y)",
    )


def _magnified(data: Any, imager: _Pair | None) -> list[str]:
    """Return a note where lengths are those on the detector and the header says how much larger than in the patient."""
    factor = float(data.get("EstimatedRadiographicMagnificationFactor") or 1)
    if imager is None or abs(factor - 1) <= SAME:
        return []
    return [f"spacing is that of the detector: a magnification is not applied ({factor:g})"]


def _aspect(data: Any, spacing: _Pair | None) -> list[str]:
    """Return a note where PixelAspectRatio (vertical, horizontal) is not that of the spacing."""
    ratio = data.get("PixelAspectRatio")
    if spacing is None or ratio is None or isinstance(ratio, (str, int)) or len(ratio) != 2:
        return []
    vertical, horizontal = (float(one) for one in ratio)
    if math.isclose(vertical * spacing[1], horizontal * spacing[0], rel_tol=SAME):
        return []
    return [f"PixelAspectRatio contradicts the spacing, which is obeyed ({vertical:g}:{horizontal:g})"]


def _why_pixel_spacing(data: Any, imager: _Pair, pixel: _Pair) -> str:
    kind = str(data.get("PixelSpacingCalibrationType") or "").strip().upper()
    if kind in CALIBRATED:
        return f"calibrated by {kind}"
    if kind:
        return ""
    factor = data.get("EstimatedRadiographicMagnificationFactor")
    if factor and _agree(imager, pixel, float(factor)):
        return f"corrected for a magnification of {float(factor):g}"
    image_type = data.get("ImageType")
    first = str(image_type[0] if image_type and not isinstance(image_type, str) else image_type or "").upper()
    return "since the image is DERIVED" if first == "DERIVED" else ""


def _agree(imager: _Pair, pixel: _Pair, factor: float) -> bool:
    return all(math.isclose(one, other * factor, rel_tol=SAME) for one, other in zip(imager, pixel, strict=True))


def _pair(path: Path, data: Any, tag: str) -> _Pair | None:
    value = data.get(tag)
    if value is None or value == "" or (not isinstance(value, (str, int, float)) and len(value) == 0):
        return None
    try:
        row, column = (float(one) for one in value)
    except (TypeError, ValueError):
        row = column = math.nan
    if not all(math.isfinite(one) and one > 0 for one in (row, column)):
        raise BackgroundError(
            f"{path}: {tag} {value!r} is not a pair of positive numbers in mm",
            hint="write the true spacing into the manifest (columns mm_per_px_x, mm_per_px_y)",
        )
    return row, column


def _shown(pair: _Pair) -> str:
    return f"{pair[0]:g} x {pair[1]:g} mm"
