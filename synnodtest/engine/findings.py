"""Radiographs -> findings: those of the store, else the detector's."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field

from synnodtest.detectors.pairs import ask
from synnodtest.engine.job import Job, Keys
from synnodtest.engine.outcome import Snapshot
from synnodtest.engine.sightings import decode_sightings, encode_sightings, sightings_of
from synnodtest.engine.tally import Tally
from synnodtest.ports import Detector
from synnodtest.stages import stage
from synnodtest.store import Store

BATCH = 8
"""Radiographs per detector call: half of a synthesizer's batch, so that findings are stored twice within one."""


@dataclass
class Findings:
    """Shows radiographs to the detector, each content once.

    Args:
        detector: The system under test.
        store: Where findings go and come from.
        keys: Of the store.
        tally: Counts what is shown.
        silent: Content of the radiographs on which the detector was asked and found nothing.
    """

    detector: Detector
    store: Store
    keys: Keys
    tally: Tally
    silent: set[str] = field(default_factory=set)

    @stage("store: reading")
    def recall_job(self, job: Job) -> None:
        """Give a job its snapshot and findings, as far as the store has them."""
        job.snapshot = self.store.read("snapshots", self.keys.snapshot(job), Snapshot.decode)
        if job.snapshot is not None:
            self.recall(job)

    def recall(self, job: Job) -> None:
        """Give a job that has its snapshot the findings on it, if the store has them."""
        job.sightings = self.store.read("findings", self.keys.findings(job), decode_sightings)

    def detect(self, jobs: Sequence[Job]) -> None:
        """Give every job that is not done its findings, and let go of its radiograph."""
        waiting = [job for job in jobs if not job.done]
        for start in range(0, len(waiting), BATCH):
            self._detect_batch(waiting[start : start + BATCH])

    def _detect_batch(self, batch: Sequence[Job]) -> None:
        radiographs = [job.radiograph for job in batch if job.radiograph is not None]
        started = time.perf_counter()
        with stage("detection"):
            findings = ask(self.detector, radiographs)
        self.tally.detection_seconds += time.perf_counter() - started
        self.tally.inferred += len(batch)
        for job, radiograph, answer in zip(batch, radiographs, findings, strict=True):
            assert job.snapshot is not None
            sightings = sightings_of(radiograph, answer)
            own = encode_sightings(sightings)
            data = self.store.put("findings", self.keys.findings(job), own)
            job.sightings = sightings if data == own else decode_sightings(data)
            job.radiograph = None
            if not job.sightings:
                self.silent.add(job.snapshot.sha256)
