"""A kind of mimic: everything that spec, planning and engine ask about it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from synnodtest.geometry import BoolArray
from synnodtest.mimics.parts import Part
from synnodtest.radiograph import Radiograph


@dataclass(frozen=True)
class Setting:
    """Place and frame in which one mimic is drawn.

    Args:
        centre_mm: ``(x, y)`` from the top left corner of the radiograph.
        size_mm: Its size; of what, its kind says.
        extent_mm: Width and height of the radiograph.
        outward: 1 where the nearer side of the body is to the image's right, else -1.
        rng: Of its appearance.
    """

    centre_mm: tuple[float, float]
    size_mm: float
    extent_mm: tuple[float, float]
    outward: float
    rng: np.random.Generator


@dataclass(frozen=True)
class Zone:
    """A part of both lungs' surroundings, in shares of their common box.

    Args:
        top: From 0 at the apices
        bottom: to 1 at the bases.
        inner: From 0 at the midline
        outer: to 1 at the outer border.
    """

    top: float
    bottom: float
    inner: float = 0.0
    outer: float = 1.0

    def mask(self, radiograph: Radiograph) -> BoolArray:
        """Return the zone in a radiograph; the whole of it where no lung is known."""
        lung = radiograph.lung
        if lung is None:
            return np.ones(radiograph.shape, dtype=np.bool_)
        rows, columns = np.flatnonzero(lung.any(axis=1)), np.flatnonzero(lung.any(axis=0))
        down = (np.arange(lung.shape[0]) - rows[0]) / max(rows[-1] - rows[0], 1)
        middle, half = (columns[0] + columns[-1]) / 2, max((columns[-1] - columns[0]) / 2, 1.0)
        out = np.abs(np.arange(lung.shape[1]) - middle) / half
        inside: BoolArray = ((down >= self.top) & (down <= self.bottom))[:, None] & (
            (out >= self.inner) & (out <= self.outer)
        )[None, :]
        return inside


@dataclass(frozen=True)
class MimicKind:
    """One kind of mimic.

    Args:
        name: Its name in specs.
        about: What it is, in a sentence, for the schema.
        sizes_mm: Smallest and largest size, drawn evenly where a spec gives none.
        draw: Its parts in a setting.
        regions: Where its centre lies where a spec says nothing: the first of these that the radiograph shows.
        zone: Narrows that, as long as something is left.
        device: Whether it is a foreign body.
    """

    name: str
    about: str
    sizes_mm: tuple[float, float]
    draw: Callable[[Setting], Sequence[Part]]
    regions: tuple[str, ...] = ("lung",)
    zone: Zone | None = None
    device: bool = False

    def usual_place(self, radiograph: Radiograph) -> BoolArray:
        """Return where its centre usually lies, H x W; the lung, or failing that everywhere."""
        masks = (radiograph.regions[name] for name in (*self.regions, "lung") if name in radiograph.regions)
        region = next((mask for mask in masks if mask.any()), np.ones(radiograph.shape, dtype=np.bool_))
        narrowed = region if self.zone is None else region & self.zone.mask(radiograph)
        return narrowed if narrowed.any() else region
