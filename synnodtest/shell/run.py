"""One run: opens what the settings name when it is first needed, and keeps what was ruled."""

from __future__ import annotations

import time
from dataclasses import replace

from synnodtest.engine.executor import Executor
from synnodtest.engine.judgement import Gathered
from synnodtest.engine.scene_outcomes import Progress
from synnodtest.engine.throughput import measured, remember
from synnodtest.errors import InvalidEvidence
from synnodtest.forecast.power import with_count
from synnodtest.fuzzing import CrashFound, FuzzGathered, fuzz, with_all_backgrounds
from synnodtest.planning.cases import Case
from synnodtest.record import assemble
from synnodtest.record.model.authored import AnomalyEntry
from synnodtest.record.model.members import StatusWord
from synnodtest.shell.chance_passes import told_from_noise
from synnodtest.shell.opened_parts import OpenedParts
from synnodtest.shell.quiet_passes import SilenceCheck
from synnodtest.shell.reacts_to_edit import EditCheck
from synnodtest.shell.settings import Settings
from synnodtest.shell.shown_again import ShownAgain
from synnodtest.spec.model import Behaviour


class Run(OpenedParts):
    """Evidence, rulings and the fragments of the record."""

    def __init__(self, settings: Settings, progress: Progress | None = None) -> None:
        super().__init__(settings, progress)
        self.fragment = assemble.Fragment()
        self.earlier_speed: tuple[float | None, float | None] = (None, None)
        self._voice = SilenceCheck()
        self._again = ShownAgain(stops=settings.conform == "stop")
        self._edits = EditCheck()

    def close(self) -> None:
        """Let go of workers, and keep the measured throughput for later plans."""
        super().close()
        if self.ready:
            campaign, cache = self.campaign, self.settings.cache
            detector = campaign.providers.detector.identity.key()
            for name in campaign.loaded_synthesizers():
                synthesizer = campaign.synthesizer(name).identity.key()
                self.earlier_speed = measured(cache, synthesizer, detector)
                remember(cache, synthesizer, detector, campaign.tally())

    def _made_executor(self) -> Executor | None:
        if self.settings.executor == "serial":
            return None
        from synnodtest.shell.ray_executor import RayExecutor, RayOptions

        return RayExecutor(self.settings, RayOptions.parse(self.settings.executor))

    def _note(self, what: AnomalyEntry) -> None:
        self.fragment.anomalies.append(what)

    def behaviour(self, case: Case) -> Behaviour:
        """Return the case's behaviour, cut to ``limit`` backgrounds."""
        return limited(with_count(case.behaviour), self.settings.limit)

    def gather(self, case: Case) -> Gathered:
        """Gather the evidence of a case; whatever fails here is a harness fault or INVALID, and is recorded."""
        started = time.perf_counter()
        try:
            heard = self._voice.checked(self.campaign, self._gathered(case))
            stays = self._again.checked(self.campaign, told_from_noise(self.campaign, heard))
            return self._edits.checked(self.campaign, stays)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, CrashFound):
                self.fragment.add_fuzzing(case, error.entry)
            if self.ready:
                self.fragment.name_detector(self.campaign)
            status: StatusWord = "INVALID" if isinstance(error, InvalidEvidence) else "ERROR"
            self.fragment.add_error(case, status, str(error), time.perf_counter() - started)
            raise

    def _gathered(self, case: Case) -> Gathered:
        if case.behaviour.fuzz is None:
            return self.campaign.gather(self.behaviour(case), case.variant)
        return fuzz(self.campaign, limited_search(case.behaviour, self.settings.limit), case.variant)

    def rule(self, case: Case, gathered: Gathered, waiver: dict[str, object] | None = None) -> Gathered:
        """Judge gathered evidence and record the ruling."""
        self.fragment.add_judgement(case, gathered, self.campaign, gathered.seconds, waiver)
        if isinstance(gathered, FuzzGathered):
            self.fragment.add_fuzzing(case, gathered.entry)
        return gathered


def limited(behaviour: Behaviour, limit: int | None) -> Behaviour:
    """Return the behaviour with at most ``limit`` backgrounds."""
    if behaviour.fuzz is not None:
        return with_all_backgrounds(limited_search(behaviour, limit))
    scenes = behaviour.scenes
    if limit is None or scenes is None or (isinstance(scenes.count, int) and scenes.count <= limit):
        return behaviour
    return replace(behaviour, scenes=replace(scenes, count=limit))


def limited_search(behaviour: Behaviour, limit: int | None) -> Behaviour:
    """Return a fuzz behaviour that searches on at most ``limit`` backgrounds; confirmations keep theirs."""
    fuzz_wanted = behaviour.fuzz
    if limit is None or fuzz_wanted is None or fuzz_wanted.count <= limit:
        return behaviour
    return replace(behaviour, fuzz=replace(fuzz_wanted, count=limit))
