"""Do lung masks fit their film as it stands? Programs that know other axes save them transposed or upside down."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synnodtest.backgrounds.plausible import SURE
from synnodtest.backgrounds.pose import LookedAt
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray

MARGIN = 0.08
"""By which (Dice with the lungs that are seen) a turned mask must fit better. On 8 films of Hannover and 6 phantoms no
right mask does by more than -0.06; upside-down and transposed ones do by 0.06 to 0.46."""
LEAST_FIT, GOOD_FIT = 0.6, 0.7
"""Of right masks none has less than 0.77, of those of other films some have 0.51; a turned mask must fit well."""
_TURNS: Mapping[str, Callable[[NDArray[Any]], NDArray[Any]]] = {
    "mirrored": np.fliplr,
    "upside down": np.flipud,
    "transposed": np.transpose,
    "turned by 90 degrees": np.rot90,
    "turned by 180 degrees": lambda mask: np.rot90(mask, 2),
    "turned by 270 degrees": lambda mask: np.rot90(mask, 3),
}


def check_lung_masks(where: Path, masks: Mapping[str, BoolArray], seen: LookedAt) -> list[str]:
    """Return notes where masks and the lungs that are seen have little in common, and where their names seem swapped.

    Args:
        where: The radiograph.
        masks: Those that were given, by region, on its grid.
        seen: The small picture of it, with the lungs that the segmenter sees.

    Raises:
        BackgroundError: lungs that are surely seen fit the masks better when these are turned.
    """
    drawn = [masks[name] for name in ("lung", "left_lung", "right_lung") if name in masks]
    whole = "lung" in masks or {"left_lung", "right_lung"} <= set(masks)
    notes = []
    if whole and seen.lungs is not None and seen.score.certainty >= SURE:
        fits = _turned_refused(where, np.logical_or.reduce(drawn), seen.lungs)
        if fits < LEAST_FIT:
            notes.append(f"its lung masks have little in common with the lungs in it: another film's? ({fits:.2f})")
    if not {"left_lung", "right_lung"} <= set(masks):
        return notes
    left, right = (float(np.nonzero(masks[name].any(axis=0))[0].mean()) for name in ("left_lung", "right_lung"))
    if left < right:
        notes.append("the mask left_lung lies on the left of the picture, where a patient's right lung is")
    return notes


def _turned_refused(where: Path, lung: BoolArray, seen: BoolArray) -> float:
    """Return how well a mask fits the lungs that are seen; refuse one that fits better when it is turned."""
    fits = _dice(lung, seen)
    others = {name: _dice(turn(lung), seen) for name, turn in _TURNS.items() if turn(lung).shape == lung.shape}
    best = max(others, key=lambda name: others[name])
    if others[best] >= max(fits + MARGIN, GOOD_FIT):
        raise BackgroundError(
            f"{where}: its lung masks fit the lungs in it better {best} (overlap {others[best]:.2f}, as they are "
            f"{fits:.2f})",
            hint="save the masks on the radiograph's own pixel grid, or delete them to have the lungs estimated",
        )
    return fits


def _dice(mask: NDArray[Any], seen: BoolArray) -> float:
    height, width = seen.shape
    picture = Image.fromarray(np.ascontiguousarray(mask, dtype=np.float32))
    small = np.asarray(picture.resize((width, height), Image.Resampling.BOX)) > 0.5
    return float(2 * (small & seen).sum() / max(int(small.sum()) + int(seen.sum()), 1))
