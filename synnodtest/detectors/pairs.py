"""Detectors that take pairs: a radiograph and, where there is one, its prior.

A detector says that it takes them by having ``detect_pairs(radiographs, priors)``, one prior or None per radiograph;
``detect`` stays for radiographs without. Nobody guesses: one that lacks it never sees a prior. Wrappers and records
keep the prior on the radiograph, and say so by ``hands_on_priors = True``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, runtime_checkable

from synnodtest.finding import Finding
from synnodtest.ports import Detector
from synnodtest.radiograph import Radiograph


@runtime_checkable
class PairDetector(Protocol):
    """A detector that compares a radiograph with an earlier one of the same chest."""

    def detect_pairs(
        self, radiographs: Sequence[Radiograph], priors: Sequence[Radiograph | None]
    ) -> list[list[Finding]]:
        """Return one list of findings on each radiograph, in order; ``priors[i]`` is None where there is none."""
        ...


def ask(detector: Detector, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
    """Return a detector's findings: on pairs where it takes them and a radiograph has a prior, else on each alone."""
    priors = [radiograph.prior for radiograph in radiographs]
    alone = [one if one.prior is None else replace(one, prior=None) for one in radiographs]
    if isinstance(detector, PairDetector) and any(prior is not None for prior in priors):
        return detector.detect_pairs(alone, priors)
    wraps = bool(getattr(detector, "hands_on_priors", False))
    return detector.detect(radiographs if wraps else alone)
