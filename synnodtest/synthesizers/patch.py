"""A nodule on the pixels of a radiograph that it changes, and planting it there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synnodtest.attenuation import Display, Planted
from synnodtest.geometry import BoolArray, FloatArray, cut_of


@dataclass(frozen=True, eq=False)
class Patch:
    """A change of a radiograph.

    Args:
        origin: ``(row, column)`` of the first pixel.
        added: (h, w) brightness to add, in lung ranges or relative to its mean; 0 outside.
        mask: (h, w) the nodule; may be empty where it lies outside the radiograph.
        zoom: How much a drawn nodule was resized.
    """

    origin: tuple[int, int]
    added: FloatArray
    mask: BoolArray
    zoom: float = 1.0

    @property
    def where(self) -> tuple[slice, slice]:
        """The patch's place in the radiograph."""
        return cut_of((*self.origin, *self.added.shape))

    @property
    def contrast(self) -> float:
        """Mean of what it adds over the mask."""
        return float(self.added[self.mask].mean()) if self.mask.any() else 0.0

    def plant(self, pixels: FloatArray, display: Display, contrast: float | None = None) -> Planted:
        """Add it in place, through the radiograph's bend towards white; return what it came to.

        Args:
            pixels: Of the radiograph.
            display: What the radiograph makes of attenuation.
            contrast: Mean brightness over the mask, in lung ranges; its own by default.
        """
        before = pixels[self.where].copy()
        brightness = (self.contrast if contrast is None else contrast) * display.unit
        pixels[self.where] = display.plant(before, self.added, self.mask, brightness)
        return display.planted(before, pixels[self.where], self.mask)

    def add(self, pixels: FloatArray, gain: float) -> None:
        """Add it in place as it is, clipped to 0..1."""
        before = pixels[self.where]
        after = np.where(self.added != 0, np.clip(before + np.float32(gain) * self.added, 0, 1), before)
        pixels[self.where] = after.astype(np.float32)
