"""The specified displayed area of a presentation state, and shares of it in pixels of the image (PS3.3 C.10.4, C.10.6).

Shares count after the rotation and the flip; the area's corners are pixels of the image before them, the first corner
that which is shown at the top left, so the flip needs no further word.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from synnodtest.detectors.dicom_graphics import Points


@dataclass(frozen=True)
class DisplayedArea:
    """What of an image is shown.

    Args:
        start: x and y of the corner that is shown at the top left, in pixels.
        end: The same of the bottom right.
        turned: Whether rows of the display run along columns of the image (rotated by 90 or 270 degrees).
        square: Whether pixels of the image are square on the display.
    """

    start: tuple[float, float]
    end: tuple[float, float]
    turned: bool
    square: bool = True


def area_of(data: Any, uid: str) -> DisplayedArea | None:
    """Return the area that a presentation state specifies for an image; None where it specifies none.

    Raises:
        ValueError: it is specified twice, is empty, or the rotation is none by quarters.
    """
    items = [item for item in data.get("DisplayedAreaSelectionSequence") or () if _applies(item, uid)]
    if len(items) > 1:
        raise ValueError("the displayed area of one image is specified twice")
    first = items[0].get("DisplayedAreaTopLeftHandCorner") if items else None
    last = items[0].get("DisplayedAreaBottomRightHandCorner") if items else None
    if not first or not last:
        return None
    rotation = int(data.get("ImageRotation") or 0)
    if rotation % 90:
        raise ValueError(f"an image rotation of {rotation} degrees")
    edges = [_edges(int(a), int(b)) for a, b in zip(first, last, strict=True)]
    shape = items[0].get("PresentationPixelSpacing") or items[0].get("PresentationPixelAspectRatio") or (1, 1)
    square = float(shape[0]) == float(shape[1])
    return DisplayedArea((edges[0][0], edges[1][0]), (edges[0][1], edges[1][1]), rotation % 180 == 90, square)


def in_pixels(shares: Points, area: DisplayedArea) -> Points:
    """Return points given as shares of the area in pixels of the image."""
    shares = shares[:, ::-1] if area.turned else shares
    start, end = np.array(area.start, dtype=np.float64), np.array(area.end, dtype=np.float64)
    placed: Points = start + shares * (end - start)
    return placed


def _applies(item: Any, uid: str) -> bool:
    named = item.get("ReferencedImageSequence") or ()
    return not named or any(str(image.ReferencedSOPInstanceUID) == uid for image in named)


def _edges(first: int, last: int) -> tuple[float, float]:
    """Return the outer edges of pixels ``first`` to ``last``, counted from 1, either way round."""
    return (first - 1.0, float(last)) if last >= first else (float(first), last - 1.0)
