"""Scenes -> radiographs as the detector sees them: stored ones, else synthesized; then perturbed and judged."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from synnodtest.engine.acceptance import rejection, unseen_mimic
from synnodtest.engine.job import Job, Keys
from synnodtest.engine.outcome import Snapshot
from synnodtest.engine.recheck import SynthesisRecheck
from synnodtest.engine.synthesis import synthesize
from synnodtest.engine.tally import Tally
from synnodtest.geometry import FloatArray
from synnodtest.mimics import with_mimics
from synnodtest.perturbations import perturb
from synnodtest.ports import Background, Synthesizer
from synnodtest.radiograph import Radiograph, lung_range_after
from synnodtest.radiograph_codec import Edit, StoredRadiograph, decode_radiograph, encode_edit, peek_radiograph
from synnodtest.scene import Scene
from synnodtest.stages import stage
from synnodtest.store import Store

_TOLD = ("background", "patient", "strata")
"""Words of a manifest on a film, which are no part of its content."""


@dataclass(frozen=True, eq=False)
class _Stored:
    """A radiograph as the store holds it.

    Args:
        data: Encoded.
        reason: Why acceptance excludes it, if that was asked.
        pixels: Those it was encoded from just now, if it was, or a copy: they need not be decoded and verified.
    """

    data: bytes
    reason: str | None = None
    pixels: FloatArray | None = None

    def radiograph(self, background: Radiograph) -> Radiograph:
        """Return it with what is told of its background now: the same pixels may lie in another set since."""
        verify, told = self.pixels is None, {name: getattr(background, name) for name in _TOLD}
        return replace(
            decode_radiograph(self.data, background, verify=verify, pixels=self.pixels), altered=True, **told
        )

    @cached_property
    def told(self) -> StoredRadiograph:
        return peek_radiograph(self.data)


@dataclass
class Radiographs:
    """Makes the radiographs of jobs, each once.

    Args:
        synthesizer: Makes the nodules.
        store: Where finished radiographs go and come from.
        keys: Of the store.
        load: Reads a background.
        tally: Counts what is made.
    """

    synthesizer: Synthesizer
    store: Store
    keys: Keys
    load: Callable[[Background], Radiograph]
    tally: Tally

    def __post_init__(self) -> None:
        self._recheck = SynthesisRecheck(self.synthesizer)

    def recheck(self, jobs: Iterable[Job]) -> None:
        """Have one of the finished scenes drawn again, where the synthesizer may have changed unseen.

        Raises:
            SynthesizerError: it draws otherwise than when they were made.
        """
        for job in jobs:
            if not self._recheck.wanted:
                return
            data = self.store.get("radiographs", self._key(job)) if job.scene.nodules else None
            if data is not None:
                self._compare(job, _Stored(data))

    def _compare(self, job: Job, stored: _Stored) -> None:
        background = self.load(job.background)
        self._recheck.compare(_plain(job.scene), background, stored.radiograph(background))

    def obtain(self, jobs: Sequence[Job]) -> None:
        """Give every job its radiograph and snapshot; scenes that differ in perturbations alone share a synthesis."""
        earlier = self._priors(jobs)
        keys = [self._key(job) if job.scene.nodules else "" for job in jobs]
        by_key = self._made({key: job for key, job in zip(keys, jobs, strict=True) if key})
        for key, job in zip(keys, jobs, strict=True):
            edit = by_key.get(key)
            if isinstance(edit, Edit):  # looked at while its pixels are still in the processor's cache
                by_key[key] = edit = self._kept(key, edit)
            self._look_at(job, edit, earlier)

    def _priors(self, jobs: Sequence[Job]) -> dict[str, Job]:
        """Return the priors of jobs by scene, with their radiographs."""
        priors = {job.scene.prior.key(): Job(job.scene.prior, job.background) for job in jobs if job.scene.prior}
        if priors:
            self.obtain(list(priors.values()))
        return priors

    def _key(self, job: Job) -> str:
        return self.keys.radiograph(_plain(job.scene), job.background)

    def _made(self, jobs: Mapping[str, Job]) -> dict[str, _Stored | Edit]:
        """Return the unperturbed radiographs of jobs by key: as the store holds them, else synthesized."""
        found = {key: self.store.get("radiographs", key) for key in jobs}
        stored = {key: _Stored(data) for key, data in found.items() if data is not None}
        for key, one in stored.items() if self._recheck.wanted else ():
            self._compare(jobs[key], one)
            break
        missing = [jobs[key] for key in jobs if key not in stored]
        if not missing:
            return {**stored}
        backgrounds = [self.load(job.background) for job in missing]
        edits = synthesize(self.synthesizer, [_plain(job.scene) for job in missing], backgrounds, self.tally)
        return {**stored, **dict(zip(map(self._key, missing), edits, strict=True))}

    @stage("store: encoding and writing")
    def _kept(self, key: str, edit: Edit) -> _Stored:
        """Store a radiograph; what another process stored under its key before stands in its place."""
        data = encode_edit(edit)
        stored = self.store.put("radiographs", key, data)
        if stored != data:
            return _Stored(stored)
        copied = not getattr(self.synthesizer, "gives_pixels_away", False)
        return _Stored(stored, edit.reason, np.array(edit.radiograph.pixels, dtype=np.float32, copy=copied or None))

    @stage("radiographs: decoding, perturbing, hashing")
    def _look_at(self, job: Job, stored: _Stored | None, earlier: Mapping[str, Job]) -> None:
        background = self.load(job.background)
        base = background if stored is None else stored.radiograph(background)
        crops = None if stored is None or base.shape != background.shape else stored.told.crops
        reason = None if stored is None else stored.reason
        if reason is None:
            reason = rejection(background, base, sham=job.scene.sham, crops=crops)
        drawn = with_mimics(base, job.scene.mimics, job.scene.seed)
        reason = reason or unseen_mimic(base, drawn)
        job.radiograph = perturb(drawn, job.scene.perturbations, job.scene.seed) if job.scene.perturbations else drawn
        if job.scene.prior is not None:
            prior = earlier[job.scene.prior.key()]
            assert prior.snapshot is not None
            job.radiograph = replace(job.radiograph, prior=prior.radiograph)
            reason = reason or (f"prior: {prior.snapshot.rejected}" if prior.snapshot.rejected else "")
        if stored is None or crops is None or job.radiograph is not base:
            snapshot = Snapshot.of(job.radiograph, reason)
        else:
            unit = lung_range_after(base, background, crops)
            snapshot = Snapshot.of(base, reason, stored.told.content_sha256, unit, background)
        encoded = snapshot.encode()
        job.snapshot = Snapshot.decode(self.store.put("snapshots", self.keys.snapshot(job), encoded))


def _plain(scene: Scene) -> Scene:
    """Return the scene as it is synthesized: mimics and perturbations come afterwards, and a prior is another scene."""
    return replace(scene, perturbations=(), mimics=(), prior=None)
