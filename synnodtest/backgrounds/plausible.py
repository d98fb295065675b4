"""The one check after reading, for every format: can these pixels, at this spacing, be a frontal chest radiograph?

Thresholds were drawn from 276 adult films of NIH ChestX-ray14, 8 of the Hannover set and the phantom, of which none is
refused: ``benchmarks/plausibility.py`` prints where they lie.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from synnodtest.backgrounds.columns import OLDEST
from synnodtest.backgrounds.estimated_regions import has_lungs
from synnodtest.backgrounds.pose import LookedAt, best_turn, look
from synnodtest.backgrounds.reading import Given
from synnodtest.errors import BackgroundError
from synnodtest.geometry import BoolArray, FloatArray

_TRUE_SPACING = "write the true spacing into the manifest (columns mm_per_px_x, mm_per_px_y)"
MIN_SIDE_PX = 32
"""Shorter side, in pixels; set by hand far below any radiograph: at 13 mm a pixel no nodule could be seen, a logo is
refused."""
LARGEST_SIDE_MM = 450.0
"""No detector is larger than 432 mm; a little more allows for rounding and for film."""
SMALLEST_SIDE_MM = 100.0
"""A newborn's chest fills no less; a spacing in centimetres makes 43 mm of a plate."""
CHILD_SIDE_MM = 180.0
"""Width, in mm, below which a film is noted as no adult's: both lungs alone take 234 mm and more of NIH's adults. Only
a note, since cut films occur."""
LUNGS_MM = (110.0, 430.0)
"""Width of both lungs together; adults of NIH 234 to 400 mm."""
NARROW_LUNGS_MM = 200.0
"""Below it a note: a child, or the spacing of the pixels before the picture was made smaller."""
_NARROW = "lungs narrower than an adult's"
ADULT_YEARS = 18
"""Age in years from which a chest is an adult's; a younger one of 200 mm may be its own."""
_YEARS = re.compile(r"[>≥=\s]*\d+(\.\d+)?\s*(\+|([-–]|to)\s*\d+(\.\d+)?)?")
SURE = 0.8
"""Certainty from which the segmenter's lungs are measured; every film has 0.82 or more."""
MOST_ANISOTROPY = 2.0
"""Of the spacings of rows and columns. Squeezed films reach 1.25."""
LEAST_SPREAD = 0.05
"""5th to 95th percentile within the lungs; the faintest film has 0.20, twelve bits shown as sixteen at most 0.04."""
LEAST_WHITE, MOST_BLACK = 0.26, 0.7
"""95th and 0.1th percentile of the picture; the darkest of 345 films reaches 0.47, twelve bits shown as fourteen 0.25.
No label that is burnt in at the largest value fills a twentieth of a film. A border may be black where a film is pale:
the second holds for the 5th percentile within the lungs, too, where films reach 0.57."""
MOST_CLIPPED = 0.5
"""Share of the lungs that is entirely black or white."""
MOST_UNEVEN = 2.5
"""Differences between rows by those between columns, or the reverse. Films have 0.66 to 1.31, wrong widths 2 to 54."""
MOST_ROUGH, ROUGH_FROM_PX = 0.25, 200
"""Differences of neighbours by the standard deviation. Films have 0.15 at most, swapped bytes 0.31 and more."""

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


def check_picture(path: Path, pixels: FloatArray) -> None:
    """Refuse what is no picture at all.

    Raises:
        BackgroundError: too few pixels, not finite, or constant; names the file.
    """
    height, width = pixels.shape
    if min(height, width) < MIN_SIDE_PX:
        raise BackgroundError(f"{path}: {width} x {height} pixels are too few for a radiograph")
    if not np.isfinite(pixels).all():
        raise BackgroundError(f"{path}: NaN or infinite pixels", hint="repair them before use; none is guessed here")
    if float(pixels.min()) == float(pixels.max()):
        raise BackgroundError(
            f"{path}: all pixels have the same value: no picture", hint="export it again, or remove it from the set"
        )


def check_spacing(path: Path, shape: tuple[int, ...], spacing_mm: tuple[float, float], given: Given) -> list[str]:
    """Return notes on the size of a picture.

    Raises:
        BackgroundError: a spacing that cannot be, or that makes no chest; names the file and what to write.
    """
    if not all(math.isfinite(value) and value > 0 for value in spacing_mm):
        raise BackgroundError(f"{path}: spacing {spacing_mm} mm per pixel is not a pair of positive numbers")
    if given.spacing_mm is None and spacing_mm == (1.0, 1.0):
        raise BackgroundError(
            f"{path}: a spacing of exactly 1 mm is the default of exporting programs",
            hint=f"{_TRUE_SPACING}, 1 too if that is the true one",
        )
    if max(spacing_mm) > MOST_ANISOTROPY * min(spacing_mm):
        raise BackgroundError(
            f"{path}: pixels of {spacing_mm[0]:g} x {spacing_mm[1]:g} mm are no radiograph's", hint=_TRUE_SPACING
        )
    if "size" in given.accept:
        return []
    for axis, pixels, spacing in zip(("height", "width"), shape, spacing_mm, strict=True):
        if not SMALLEST_SIDE_MM <= pixels * spacing <= LARGEST_SIDE_MM:
            raise BackgroundError(
                f"{path}: {pixels} pixels of {spacing:g} mm make a {axis} of {pixels * spacing:.0f} mm: no chest",
                hint=f"the spacing is probably a default of the exporting program; {_TRUE_SPACING}",
            )
    width = shape[1] * spacing_mm[1]
    return [f"narrower than an adult's chest ({width:.0f} mm)"] if width < CHILD_SIDE_MM else []


def check_chest(
    path: Path, pixels: FloatArray, spacing_mm: tuple[float, float], given: Given, seen: LookedAt | None = None
) -> list[str]:
    """Return notes on the chest in a picture: brightness within the lungs, their width, which way is up.

    Args:
        path: The radiograph, for messages.
        pixels: 0..1; shape (H, W).
        spacing_mm: ``(row, column)``.
        given: What the manifest says of it.
        seen: What :func:`look` sees in it, where that is known.

    Raises:
        BackgroundError: implausible as a frontal chest radiograph; names the file and what to write into the manifest.
    """
    if "brightness" not in given.accept:
        _check_brightness(path, pixels)
    seen = look(pixels, spacing_mm) if seen is None else seen
    if "brightness" not in given.accept:
        _check_lungs(path, seen)
    _check_pose(path, seen, given)
    if seen.lungs is None:
        return ["no two lungs are seen in it"]
    if seen.score.certainty < SURE or "size" in given.accept:
        return []
    low, high = LUNGS_MM
    if not low <= seen.lungs_mm <= high:
        raise BackgroundError(
            f"{path}: lungs of {seen.lungs_mm:.0f} mm across at {spacing_mm[0]:.4g} x {spacing_mm[1]:.4g} mm per pixel",
            hint=f"{_TRUE_SPACING}, or 'size' into its column 'accept'",
        )
    if seen.lungs_mm < NARROW_LUNGS_MM:
        return [f"{_NARROW}: a child, or a spacing that is too small ({seen.lungs_mm:.0f} mm)"]
    return []


def refuse_small_adult(path: Path, notes: Sequence[str], age: str) -> None:
    """Refuse a radiograph of an adult in which :func:`check_chest` noted lungs that are no adult's.

    As in resized copies whose headers keep the spacing of before (RSNA's of NIH ChestX-ray14).

    Args:
        path: The radiograph, for messages.
        notes: Of it.
        age: Of the patient in years, or a range of them as de-identified tables have it (``90+``, ``>89``, ``60-69``).

    Raises:
        BackgroundError: it is one.
    """
    told = next((note for note in notes if note.startswith(_NARROW)), "")
    ages = [float(one) for one in re.findall(r"\d+(?:\.\d+)?", age)] if _YEARS.fullmatch(age) else []
    if told and ages and min(ages) >= ADULT_YEARS and max(ages) <= OLDEST:
        raise BackgroundError(
            f"{path}: {told.replace('a child, or ', '')}, and the patient is {age} years old",
            hint=f"{_TRUE_SPACING}, or 'size' into its column 'accept'; ages are in years",
        )


def _check_brightness(path: Path, pixels: FloatArray) -> None:
    black, white = np.percentile(pixels, (0.1, 95))
    if white < LEAST_WHITE or black > MOST_BLACK:
        raise _wrong_bits(path, f"brightness from {black:.3f} to {white:.3f} of 0..1")
    across, down = (float(np.abs(np.diff(pixels, axis=axis)).mean()) for axis in (1, 0))
    if max(across, down) > MOST_UNEVEN * min(across, down):
        raise BackgroundError(
            f"{path}: its rows do not continue each other: height and width are not those of these pixels",
            hint="export the radiograph again, or write 'brightness' into the manifest's column 'accept'",
        )
    rough = max(across, down) / max(float(pixels.std()), 1e-9)
    if rough > MOST_ROUGH and min(pixels.shape) >= ROUGH_FROM_PX:
        raise BackgroundError(
            f"{path}: noise, not a picture (neighbours differ by {rough:.2f} standard deviations): wrong byte order?",
            hint="export the radiograph again, or write 'brightness' into the manifest's column 'accept'",
        )


def _check_lungs(path: Path, seen: LookedAt) -> None:
    values = seen.within()
    low, high = np.percentile(values, (5, 95))
    clipped = float(np.mean((values <= 0.001) | (values >= 0.999)))
    if high - low < LEAST_SPREAD or low > MOST_BLACK or clipped > MOST_CLIPPED:
        raise _wrong_bits(
            path, f"brightness from {low:.3f} to {high:.3f} within the lungs, {clipped:.0%} of them clipped"
        )


def _wrong_bits(path: Path, what: str) -> BackgroundError:
    return BackgroundError(
        f"{path}: {what}: the range of its values was misread, or its window hides the lungs",
        hint="write into the manifest how many bits the values use (column bits: 12 if white is 4095), or "
        "'brightness' into its column 'accept' if it looks so",
    )


def _check_pose(path: Path, seen: LookedAt, given: Given) -> None:
    turned, inverted = given.rotate_deg is None, not given.polarity
    turn = best_turn(
        seen, turned=turned and "orientation" not in given.accept, inverted=inverted and "polarity" not in given.accept
    )
    if turn == "inverted":
        raise BackgroundError(
            f"{path}: looks like a negative: air is bright in it",
            hint="write 'inverted' into the manifest's column 'polarity', or 'normal' if it is right as it is",
        )
    if turn:
        raise BackgroundError(
            f"{path}: does not stand upright: the chest is found when it is turned by {turn} degrees clockwise",
            hint=f"write {turn} into the manifest's column 'rotate_deg', or 0 if it is right as it is",
        )


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
    notes = []
    if has_lungs(masks) and seen.lungs is not None and seen.score.certainty >= SURE:
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
