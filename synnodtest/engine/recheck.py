"""Check that a detector still answers as it did when the findings of the store were made.

The identity of weights in a known format is their content. A Python factory, a program or a server may load what its
identity says nothing of: weights beside the source, modules that it imports. Findings of an earlier run would then be
judged as those of a detector that is gone. So a few radiographs of each run are shown to it again.
"""

from __future__ import annotations

from collections.abc import Iterable

from synnodtest.counted import counted
from synnodtest.detectors.conform_likeness import SCORE_TOLERANCE, difference
from synnodtest.detectors.guard import unguarded
from synnodtest.detectors.pairs import ask
from synnodtest.engine.job import Job
from synnodtest.errors import DetectorError
from synnodtest.evidence.sightings import Sightings
from synnodtest.ports import Detector

SHOWN_AGAIN = 2
"""Radiographs with findings, and as many without: other weights change some digit of any score, so that one would do;
a detector that is broken shows on those with findings, one that was broken on those without."""


class Recheck:
    """Shows a detector again what the store has its findings on.

    Args:
        detector: The system under test; one whose identity is the content of its weights is asked nothing.
    """

    def __init__(self, detector: Detector) -> None:
        self._detector = detector
        declared = bool(getattr(unguarded(detector), "may_change_unseen", False))
        self._left = dict.fromkeys((True, False), SHOWN_AGAIN if declared else 0)
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
        apart = difference(answer, [sighting.finding for sighting in known])
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
