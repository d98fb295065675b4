"""Variants of the shipped detector with a known weakness: does transfer rank them on planted nodules as on real ones?

synnodtest evaluate transfer --detector demo --detector benchmarks.transfer_detectors:small_blind ...
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from scipy import ndimage

from synnodtest.conspicuity import visibility
from synnodtest.detectors import resolve_detector
from synnodtest.finding import Finding
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph

BLUR_MM = 2.0
"""Gaussian width of the blur: a film that moved; nodules of 6 mm lose half their peak."""
FAINT = 1.8
"""Conspicuity below which `faint_blind` overlooks what it found: a third of marked nodules lie below."""
SMALL_MM = 20.0
"""Longest side of a box below which `small_blind` overlooks what it found."""

NEGLIGIBLE = 0.05
"""Findings below this score count at no threshold of the comparison (0.1 is two per film): not worth a measurement."""

Change = Callable[[Radiograph], Radiograph]
Keep = Callable[[Radiograph, Finding], bool]


class Variant:
    """A detector that sees changed radiographs, and of whose findings some are dropped."""

    def __init__(self, name: str, settings: dict[str, Any], change: Change | None = None, keep: Keep | None = None):
        self._inner: Detector = resolve_detector("demo")
        self._change, self._keep = change, keep
        self.identity = {
            "name": f"{name} of {self._inner.identity.name}",
            "version": "1",
            "configuration": {**settings, "of": self._inner.identity.as_dict()},
        }

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return the findings that are left."""
        shown = [self._change(one) for one in radiographs] if self._change else list(radiographs)
        answers = self._inner.detect(shown)
        if self._keep is None:
            return [list(found) for found in answers]
        keep = self._keep
        return [[f for f in found if keep(one, f)] for one, found in zip(radiographs, answers, strict=True)]


def blurred() -> Variant:
    """Return the detector before whom every film is blurred."""

    def change(one: Radiograph) -> Radiograph:
        pixels = ndimage.gaussian_filter(one.pixels, [BLUR_MM / step for step in one.spacing_mm])
        return one.with_pixels(pixels.astype(np.float32))

    return Variant("blurred input", {"blur_mm": BLUR_MM}, change=change)


def faint_blind() -> Variant:
    """Return the detector without its findings of low conspicuity."""

    def keep(one: Radiograph, found: Finding) -> bool:
        return found.score < NEGLIGIBLE or visibility(one, found.box, unit=1.0).conspicuity >= FAINT

    return Variant("faint-blind", {"conspicuity": FAINT, "of_scores_from": NEGLIGIBLE}, keep=keep)


def small_blind() -> Variant:
    """Return the detector without its findings of small boxes."""

    def keep(one: Radiograph, found: Finding) -> bool:
        x_min, y_min, x_max, y_max = found.box
        return max((x_max - x_min) * one.spacing_mm[1], (y_max - y_min) * one.spacing_mm[0]) >= SMALL_MM

    return Variant("small-blind", {"smallest_mm": SMALL_MM}, keep=keep)
