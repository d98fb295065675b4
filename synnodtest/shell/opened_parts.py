"""Parts that settings name, opened when first needed: detector, synthesizers, backgrounds, and the campaign on them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from synnodtest.engine.campaign import Campaign
from synnodtest.engine.executor import Executor
from synnodtest.engine.judgement import Providers
from synnodtest.engine.scene_outcomes import Progress, silent
from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.identity import Identity
from synnodtest.ports import BackgroundSet, Detector
from synnodtest.radiograph import Radiograph
from synnodtest.record.model.authored import AnomalyEntry
from synnodtest.shell.settings import Settings
from synnodtest.store import Store


class OpenedParts:
    """The campaign that settings stand for.

    Args:
        settings: What the user asked for.
        progress: Wraps streams of outcomes for a progress bar.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.settings = settings
        self._progress = progress or silent
        self._executor: Executor | None = None
        self._refused: DetectorError | None = None

    @property
    def ready(self) -> bool:
        """True where detector and synthesizer were loaded."""
        return "campaign" in vars(self)

    @cached_property
    def campaign(self) -> Campaign:
        """The campaign; made, with detector and synthesizer loaded, on first use."""
        settings, store = self.settings, Store(self.settings.cache)
        providers = Providers(
            detector=self._questioned(_detector(settings), store),
            synthesizer=lambda text: _synthesizer(text, settings),
            backgrounds=lambda name, count: _backgrounds(name, count, settings),
            default_synthesizer=settings.synthesizer,
        )
        self._executor = self._made_executor()
        return Campaign(providers, store, seed=settings.seed, progress=self._progress, executor=self._executor)

    def close(self) -> None:
        """Let go of workers."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None

    def _made_executor(self) -> Executor | None:
        """Return who finishes scenes elsewhere, if anybody does."""
        return None

    def _note(self, what: AnomalyEntry) -> None:
        """Take what the detector's adapter is only warned of."""

    def _questioned(self, detector: Detector, store: Store) -> Detector:
        """Return the detector once its adapter has answered; what it is only warned of is noted."""
        if self.settings.conform == "off":
            impact = "a wrong box order, unit or grey scale of the adapter would not have been told"
            what = "conformance: the detector was asked nothing before the run (--synnod-conform off)"
            self._note(AnomalyEntry(detector.identity.name, what, impact))
            return detector
        from synnodtest.detectors.preflight import preflight, refuse_misfits

        if self._refused is not None:
            raise self._refused
        name = detector.identity.name
        checks = preflight(detector, store)
        try:
            if self.settings.conform == "stop":
                refuse_misfits(name, checks)
        except DetectorError as error:
            self._refused = error
            raise
        for check in checks:
            if check.passed is False:
                what = f"conformance, {check.name}: {check.says}"
                self._note(AnomalyEntry(name, what, check.remedy or "see 'synnodtest conform'"))
        return detector


class _Unnamed:
    """Stands where no detector was named: enough for a plan, which runs none."""

    identity = Identity("no detector")

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Refuse."""
        raise DetectorError("no detector was named", hint="--detector best.pt")


def _detector(settings: Settings) -> Detector:
    from synnodtest.detectors import resolve_detector

    if not settings.detector:
        return _Unnamed()
    here = Path.cwd()
    made = resolve_detector(settings.detector, device=settings.device, timeout_s=settings.timeout_s)
    films = settings.backgrounds
    if films is not None and not films.is_absolute() and (there := Path.cwd()) != here:
        os.chdir(here)
        raise DetectorError(
            f"{settings.detector_told}: loading it changed the working folder to {there}, where --backgrounds {films} "
            "is another folder, or none",
            hint="let the factory go back, as contextlib.chdir does, or give the whole path of the radiographs",
        )
    return made


def _synthesizer(text: str, settings: Settings) -> Any:
    from synnodtest.synthesizers import resolve_synthesizer

    return resolve_synthesizer(text, device=settings.device)


def _backgrounds(name: str, count: int, settings: Settings) -> BackgroundSet:
    from synnodtest.backgrounds import open_backgrounds

    return open_backgrounds(settings.backgrounds, name, count, master_seed=settings.seed, cache=settings.cache)
