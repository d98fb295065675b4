"""Check that detector and synthesizer still answer as they did when what the store has of them was made.

The identity of weights in a known format is their content. A Python factory, a program or a server may load what its
identity says nothing of: weights beside the source, modules that it imports. What an earlier run stored would then be
taken for that of a detector or a synthesizer that is gone. So a few radiographs of each run are shown to the detector
again, and one is drawn again.

This is asked before any of what is stored is used, whatever comes of it and whoever asks, and any digit counts: of the
demo's weights, each moved by 3%, every radiograph has another score, but two of eight alone have a loudest one that
moves by what ``shell/shown_again.py`` lets pass, which any detector is asked behind a pass.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from synnodtest.counted import counted
from synnodtest.detectors.conform_likeness import SCORE_TOLERANCE, difference, rounding_px
from synnodtest.detectors.guard import may_change_unseen
from synnodtest.detectors.pairs import ask
from synnodtest.engine.job import Job
from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.errors import DetectorError, SynthesizerError
from synnodtest.evidence.sightings import Sightings
from synnodtest.ports import Detector, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.scene import Scene

SHOWN_AGAIN = 2
"""Radiographs with findings, and as many without: other weights change some digit of any score, so that one would do;
a detector that is broken shows on those with findings, one that was broken on those without."""
APART = 0.02
"""Of the brightness that nodules add or take at most. From batch to batch a network rounds by a hundredth of that;
other weights draw otherwise."""
LEAST_APART = 1e-4
"""Of 0..1: of a nodule that adds next to nothing."""


class Recheck:
    """Shows a detector again what the store has its findings on.

    Args:
        detector: The system under test; one whose identity is the content of its weights is asked nothing.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        self._left = dict.fromkeys((True, False), SHOWN_AGAIN if may_change_unseen(detector) else 0)
        self._changed: DetectorError | None = None

    def chosen(self, jobs: Iterable[Job]) -> list[tuple[Job, Sightings]]:
        """Return which of these scenes are to be shown again, without their radiographs, and the findings of each.

        Raises:
            DetectorError: it was found to answer otherwise: none of its stored findings are judged from then on.
        """
        if self._changed is not None:
            raise self._changed
        chosen_jobs = []
        for job in jobs:
            if job.sightings is None:
                continue
            kind = len(job.sightings) > 0
            if self._left[kind]:
                self._left[kind] -= 1
                chosen_jobs.append((Job(job.scene, job.background), job.sightings))
        return chosen_jobs

    def compare(self, job: Job, known: Sightings) -> None:
        """Show the detector a radiograph again.

        Raises:
            DetectorError: it answers otherwise than the store has it.
        """
        assert job.radiograph is not None
        answer = ask(self._detector, [job.radiograph])[0]
        found = [sighting.finding for sighting in known]
        apart = difference(answer, found, rounding_px(job.radiograph.shape))
        if apart <= SCORE_TOLERANCE:
            return
        self._changed = DetectorError(
            f"detector {self._detector.identity.name!r} answers otherwise than when its findings in the store were "
            f"made, on {job.background.id!r}: {counted(len(answer), 'finding')} in place of {len(known)}, "
            f"scores up to {apart:.3g} apart, and its identity is the same",
            hint="its weights or a module that it loads changed, or its answers are random: give it an identity with "
            "the sha256 of its weights, or a folder of its own by --synnod-cache",
        )
        raise self._changed


class SynthesisRecheck:
    """Has a synthesizer draw again what the store holds of it.

    Args:
        synthesizer: One whose identity is the content of its weights draws nothing again.
    """

    def __init__(self, synthesizer: Synthesizer) -> None:
        self._synthesizer = synthesizer
        self._left = bool(getattr(synthesizer, "may_change_unseen", False))
        self._changed: SynthesizerError | None = None

    @property
    def wanted(self) -> bool:
        """True where the next stored radiograph is to be compared."""
        return self._left or self._changed is not None

    def compare(self, scene: Scene, background: Radiograph, stored: Radiograph) -> None:
        """Draw a scene again. One that is drawn otherwise every time tells nothing and is let pass.

        Args:
            scene: Without perturbations.
            background: It stands on.
            stored: What the store holds of it.

        Raises:
            SynthesizerError: it is drawn otherwise now; none of the stored ones is used from then on.
        """
        self._left = False
        if self._changed is None:
            redrawn, most = self._drawn(scene, background), max(LEAST_APART, APART * _apart(stored, background))
            apart = _apart(redrawn, stored)
            if apart <= most or _apart(self._drawn(scene, background), redrawn) > most:
                return
            self._changed = SynthesizerError(
                f"synthesizer {self._synthesizer.identity.name!r} draws otherwise than when the radiographs of the "
                f"store were made, on {background.background!r}: up to {apart:.3g} of the range apart, and its "
                "identity is the same",
                hint="its weights or a module that it loads changed: give it an identity with the sha256 of its "
                "weights, or a folder of its own by --synnod-cache",
            )
        raise self._changed

    def _drawn(self, scene: Scene, background: Radiograph) -> Radiograph:
        (edit,) = synthesize(self._synthesizer, [scene], [background], Tally())
        return edit.radiograph


def _apart(one: Radiograph, other: Radiograph) -> float:
    return float(np.abs(one.pixels - other.pixels).max()) if one.shape == other.shape else math.inf
