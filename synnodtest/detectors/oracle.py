"""The positive control: a detector that is told the truth, to show what the tests themselves would say of a good one.

It reads the planted nodules and nothing of the pixels, so a radiograph without planted truth is empty to it.
``--detector oracle`` must pass nearly everything; where it does not, the spec or the harness is at fault.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from synnodtest.canonical import seed_sequence
from synnodtest.detectors.registry import register_detector
from synnodtest.finding import Finding
from synnodtest.geometry import centre_of, pixel_at
from synnodtest.identity import Identity
from synnodtest.radiograph import Radiograph, Truth

VISIBLE = 0.02
"""Realised contrast below which it reports nothing: fainter than nearly all nodules that readers mark."""
SMALLEST_MM = (3.0, 6.0)
"""Between these diameters it begins to see, each place at a diameter of its own."""


class OracleDetector:
    """Reports the planted nodules by their exact boxes.

    Its score lies between 0.9 and 1 and rises with diameter and contrast. It is silent in air leaks, below a contrast
    of 0.02, and below a diameter that hangs on the place and lies between 3 and 6 mm.
    """

    reads_truth = True

    identity = Identity("oracle", "2")

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Return one finding per nodule that is there to be seen."""
        return [
            [Finding(truth.box, _score(truth)) for truth in radiograph.nodules if _seen(truth, radiograph)]
            for radiograph in radiographs
        ]


def _seen(truth: Truth, radiograph: Radiograph) -> bool:
    if not truth.crop.any() or truth.contrast < VISIBLE or truth.diameter_mm < _smallest_mm(truth):
        return False
    leak = radiograph.regions.get("air_leak")
    return leak is None or not leak[pixel_at(centre_of(truth.box), radiograph.shape)]


def _smallest_mm(truth: Truth) -> float:
    rng = np.random.default_rng(seed_sequence("oracle", list(truth.requested.get("centre_mm", ()))))
    return float(rng.uniform(*SMALLEST_MM))


def _score(truth: Truth) -> float:
    return 0.9 + 0.0999 * (1.0 - math.exp(-truth.diameter_mm * truth.contrast / 10.0))


register_detector("oracle")(lambda _argument, _options: OracleDetector())
