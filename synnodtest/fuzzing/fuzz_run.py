"""One expectation of a fuzz behaviour, end to end: from the search to its ruling and what the record keeps."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from synnodtest.engine.campaign import Campaign
from synnodtest.engine.judgement import Gathered
from synnodtest.engine.sham import ShamResult, judge_sham, sham_not_needed
from synnodtest.errors import DetectorError, InvalidEvidence
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations.claim import BASE
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.investigation import DESCRIBED, SHAM_SCENES, Investigation
from synnodtest.fuzzing.judged import Crashed, Replicate
from synnodtest.fuzzing.report import entry_of, facts_of
from synnodtest.fuzzing.ruling import gaps_of, ruling_of
from synnodtest.fuzzing.setup import SearchSetup
from synnodtest.planning.variants import Variant
from synnodtest.spec.model import Behaviour


@dataclass
class FuzzGathered(Gathered):
    """The evidence of a search, and what the record keeps of it.

    Args:
        entry: For the record's ``fuzzing`` list.
        interrupted: Whether Ctrl-C ended it.
    """

    entry: dict[str, object] = field(default_factory=dict)
    interrupted: bool = False


class CrashFound(DetectorError):
    """The detector crashed on an example; ``entry`` is what the record keeps of it."""

    def __init__(self, message: str, *, hint: str = "", entry: dict[str, object]) -> None:
        super().__init__(message, hint=hint)
        self.entry = entry


def most_scenes(behaviour: Behaviour, variant: Variant) -> int:
    """Return how many scenes a search with one counterexample needs, shrinking aside."""
    fuzz = behaviour.fuzz
    assert fuzz is not None
    tried = (fuzz.examples + len(fuzz.explicit)) * fuzz.replicates + fuzz.confirm_trials + DESCRIBED
    return tried * len(Claim(variant.expectation.kind, variant.parameters).arms)


def fuzz(campaign: Campaign, behaviour: Behaviour, variant: Variant) -> FuzzGathered:
    """Search for a counterexample of one expectation, confirm and describe what is found.

    Raises:
        DetectorError: the detector crashed; names the easiest example that crashes it.
        InvalidEvidence: the set lacks the region, or the sham control failed.
    """
    started = time.perf_counter()
    gathered = _FuzzRun(campaign, SearchSetup(campaign, behaviour, variant)).gathered()
    gathered.seconds = time.perf_counter() - started
    return gathered


class _FuzzRun:
    """Runs the stages and turns what they found into evidence, ruling and record."""

    def __init__(self, campaign: Campaign, setup: SearchSetup) -> None:
        self.campaign, self.setup, self.investigation = campaign, setup, Investigation(setup)
        self.before = replace(campaign.tally())
        self._shown = 0
        setup.search_stage.watch, setup.confirm_stage.watch = self._searching, self._confirming

    def _searching(self, shown: int) -> None:
        """Tell how far the search is; what is tried after its last example makes failing ones easier."""
        self._shown += shown
        tried, total, name = self.investigation.search.tried, self.setup.fuzz.examples, self.setup.asked.id
        if tried < total:
            self.campaign.progress.tell(f"{name}, search for counterexamples", tried, total, "examples")
        else:
            self.campaign.progress.tell(f"{name}, making failing examples easier", self._shown, 0, "scenes so far")

    def _confirming(self, shown: int) -> None:
        self._shown += shown
        label = f"{self.setup.asked.id}, confirmation on held-out radiographs"
        self.campaign.progress.tell(label, self._shown, 0, "scenes so far")

    def gathered(self) -> FuzzGathered:
        """Run, and return everything."""
        investigation, setup = self.investigation, self.setup
        try:
            investigation.run()
        except Crashed as error:
            raise self._crash_found(error, searching=False) from error
        if investigation.search.crash is not None and not investigation.interrupted:
            raise self._crash_found(investigation.search.shrunk_crash(), searching=True)
        findings = investigation.findings
        facts, entry = facts_of(setup, investigation.search, findings, self._seconds())
        patients = len({b.cluster for b in setup.confirm_stage.backgrounds})
        gaps = gaps_of(investigation.search, patients, investigation.control, findings, setup.claim.rate)
        if investigation.control is not None:
            facts["control"] = investigation.control.sentence()
        ruling = ruling_of(setup.claim, investigation.search, findings, setup.alpha, facts, gaps)
        entry |= {"asked_for": setup.under_test, "status": ruling.status.value, "sentence": ruling.sentence}
        replicates: list[Replicate] = [r for c in findings.found for r in c.replicates]
        replicates += list(findings.around.replicates) if findings.around else []
        return FuzzGathered(
            setup.behaviour,
            setup.variant,
            {setup.under_test: self._evidence(replicates)},
            {setup.under_test: ruling},
            self._sham(replicates),
            entry=entry,
            interrupted=investigation.interrupted,
        )

    def _easiest(self) -> Sequence[Replicate]:
        """Return the scenes of the easiest example, a failing one first, with the synthesizer under test."""
        left = self.investigation.findings.open
        easy = left[0] if left else self.investigation.search.judged.get(self.setup.space.easiest)
        return self.investigation.easiest if self.setup.fuzz.search_with else easy.replicates if easy else ()

    def _evidence(self, replicates: Sequence[Replicate]) -> Evidence:
        """Return the trials of confirmations and description, else of the easiest example."""
        setup = self.setup
        trials = {t.scene_id: t for r in replicates or self._easiest() for t in r.trials.values()}
        return Evidence(
            trials=tuple(trials.values()), operating_point=setup.claim.point, alpha=setup.alpha, seed=self.campaign.seed
        )

    def _sham(self, replicates: Sequence[Replicate]) -> dict[str, ShamResult]:
        """Return the control at the nodules of confirmations, else at the easiest example; none after Ctrl-C."""
        setup, stage = self.setup, self.setup.confirm_stage
        if stage.engine.synthesizer.sham_is_identity:
            return {setup.under_test: sham_not_needed()}
        if not replicates and self.investigation.interrupted:
            return {}
        placements = [(r.example, r.background, r.trials[BASE].replicate) for r in replicates]
        placements = placements or [(setup.easiest, background, 0) for background in stage.pool(setup.easiest)]
        sham, untouched = stage.sham(placements[:SHAM_SCENES])
        control = judge_sham(sham, untouched, setup.claim.point, setup.matching, setup.alpha)
        if control.status == "INVALID":
            raise InvalidEvidence(f"sham control: {control.sentence}")
        return {setup.under_test: control}

    def _crash_found(self, error: Crashed, *, searching: bool) -> CrashFound:
        """Return the error of a crash, with what the record keeps of it."""
        setup = self.setup
        stage = setup.search_stage if searching else setup.confirm_stage
        entry = entry_of(setup.asked, setup.variant, stage.synthesizer, error.example, [])
        asked_for = setup.searched_with if searching else setup.under_test
        trials = stage.unjudged(error.placements)
        entry |= {"status": "ERROR", "trials": trials, "error": str(error), "asked_for": asked_for}
        failing = self.investigation.findings.first
        earlier = f"\n  confirmed before that: it fails at {failing.candidate.example}" if failing else ""
        return CrashFound(
            f"{error}\n  the easiest example that does so: {error.example}{earlier}",
            hint=f"synnodtest replay {entry['id']}",
            entry=entry,
        )

    def _seconds(self) -> Mapping[str, float]:
        now = self.campaign.tally()
        return {
            "in all": self.investigation.clock.elapsed_s,
            "synthesis": now.synthesis_seconds - self.before.synthesis_seconds,
            "detection": now.detection_seconds - self.before.detection_seconds,
        }
