"""One run: opens what the settings name when it is first needed, and keeps what was ruled."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from synnodtest.engine.campaign import Campaign, Gathered, Judgement, Progress, Providers
from synnodtest.engine.executor import Executor
from synnodtest.engine.throughput import measured, remember
from synnodtest.errors import DetectorError, InvalidEvidence
from synnodtest.finding import Finding
from synnodtest.forecast.power import with_count
from synnodtest.fuzzing import CrashFound, FuzzGathered, fuzz, grounded
from synnodtest.identity import Identity
from synnodtest.planning.cases import Case
from synnodtest.ports import BackgroundSet, Detector
from synnodtest.radiograph import Radiograph
from synnodtest.record import assemble
from synnodtest.shell.settings import Settings
from synnodtest.shell.voice import Voice
from synnodtest.spec.model import Behaviour
from synnodtest.store import Store

__all__ = ["Case", "Run"]


class Run:
    """Evidence, rulings and the fragments of the record.

    Args:
        settings: What the user asked for.
        progress: Wraps streams of outcomes for a progress bar.
    """

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        self.settings = settings
        self.fragment = assemble.Fragment()
        self._progress = progress
        self._campaign: Campaign | None = None
        self._executor: Executor | None = None
        self._refused: DetectorError | None = None
        self.earlier_speed: tuple[float | None, float | None] = (None, None)
        self._voice = Voice()

    @property
    def ready(self) -> bool:
        """Whether detector and synthesizer were loaded."""
        return self._campaign is not None

    @property
    def campaign(self) -> Campaign:
        """The campaign; made, with detector and synthesizer loaded, on first use."""
        if self._campaign is None:
            settings = self.settings
            store = Store(settings.cache)
            providers = Providers(
                detector=self._questioned(self._detector(settings.detector), store),
                synthesizer=lambda text: _synthesizer(text, settings),
                backgrounds=lambda name, count: _backgrounds(name, count, settings),
                default_synthesizer=settings.synthesizer,
            )
            options = {} if self._progress is None else {"progress": self._progress}
            self._executor = _executor(settings)
            self._campaign = Campaign(providers, store, seed=settings.seed, executor=self._executor, **options)
        return self._campaign

    def close(self) -> None:
        """Let go of workers, and keep the measured throughput for later plans."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None
        if self._campaign is not None:
            campaign, cache = self._campaign, self.settings.cache
            detector = campaign.providers.detector.identity.key()
            for name in campaign.loaded_synthesizers():
                synthesizer = campaign.synthesizer(name).identity.key()
                self.earlier_speed = measured(cache, synthesizer, detector)
                remember(cache, synthesizer, detector, campaign.tally())

    def _detector(self, text: str) -> Detector:
        from synnodtest.detectors import resolve_detector

        if not text:
            return _Unnamed()
        return resolve_detector(text, device=self.settings.device, timeout_s=self.settings.timeout_s)

    def _questioned(self, detector: Detector, store: Store) -> Detector:
        """Return the detector once its adapter has answered; what it only warns of goes into the record."""
        if self.settings.conform == "off":
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
                self.fragment.anomalies.append(
                    {"id": name, "what": what, "impact": check.remedy or "see 'synnodtest conform'"}
                )
        return detector

    def behaviour(self, case: Case) -> Behaviour:
        """Return the case's behaviour, cut to ``limit`` backgrounds."""
        return limited(with_count(case.behaviour), self.settings.limit)

    def gather(self, case: Case) -> Gathered:
        """Gather the evidence of a case; whatever fails here is a harness fault or INVALID, and is recorded."""
        started = time.perf_counter()
        try:
            if case.behaviour.fuzz is not None:
                wanted = limited_search(case.behaviour, self.settings.limit)
                return self._voice.checked(self.campaign, fuzz(self.campaign, wanted, case.variant))
            return self._voice.checked(self.campaign, self.campaign.gather(self.behaviour(case), case.variant))
        except Exception as error:
            if isinstance(error, CrashFound):
                self.fragment.add_fuzzing(case, error.entry)
            status = "INVALID" if isinstance(error, InvalidEvidence) else "ERROR"
            self.fragment.add_error(case, status, str(error), time.perf_counter() - started)
            raise

    def rule(self, case: Case, gathered: Gathered, waiver: dict[str, Any] | None = None) -> Judgement:
        """Judge gathered evidence and record the ruling."""
        started = time.perf_counter()
        judgement = self.campaign.rule(gathered)
        seconds = gathered.seconds + time.perf_counter() - started
        self.fragment.add_judgement(case, judgement, self.campaign, seconds, waiver)
        if isinstance(gathered, FuzzGathered):
            self.fragment.add_fuzzing(case, gathered.entry)
        return judgement


class _Unnamed:
    """Stands where no detector was named: enough for a plan, which runs none."""

    identity = Identity("no detector")

    def detect(self, radiographs: Sequence[Radiograph]) -> list[list[Finding]]:
        """Refuse."""
        raise DetectorError("no detector was named", hint="--detector best.pt")


def limited(behaviour: Behaviour, limit: int | None) -> Behaviour:
    """Return the behaviour with at most ``limit`` backgrounds."""
    if behaviour.fuzz is not None:
        return grounded(limited_search(behaviour, limit))
    scenes = behaviour.scenes
    if limit is None or scenes is None or (isinstance(scenes.count, int) and scenes.count <= limit):
        return behaviour
    return replace(behaviour, scenes=replace(scenes, count=limit))


def limited_search(behaviour: Behaviour, limit: int | None) -> Behaviour:
    """Return a fuzz behaviour that searches on at most ``limit`` backgrounds; confirmations keep theirs."""
    wanted = behaviour.fuzz
    if limit is None or wanted is None or wanted.count <= limit:
        return behaviour
    return replace(behaviour, fuzz=replace(wanted, count=limit))


def _executor(settings: Settings) -> Executor | None:
    if settings.executor == "serial":
        return None
    from synnodtest.shell.ray_executor import RayExecutor, RayOptions

    return RayExecutor(settings, RayOptions.parse(settings.executor))


def _synthesizer(text: str, settings: Settings) -> Any:
    from synnodtest.synthesizers import resolve_synthesizer

    return resolve_synthesizer(text, device=settings.device)


def _backgrounds(name: str, count: int, settings: Settings) -> BackgroundSet:
    from synnodtest.backgrounds import open_backgrounds

    return open_backgrounds(settings.backgrounds, name, count, master_seed=settings.seed, cache=settings.cache)
