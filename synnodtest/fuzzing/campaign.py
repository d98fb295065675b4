"""One expectation of a fuzz behaviour, end to end: search, shrink, confirm, describe, rule."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.checks.ruling import Ruling
from synnodtest.engine.campaign import Campaign, Gathered
from synnodtest.engine.engine import Tally
from synnodtest.engine.sham import ShamResult, judge_sham, sham_not_needed
from synnodtest.errors import DetectorError, InvalidEvidence, SynnodError
from synnodtest.fuzzing.claims import Claim
from synnodtest.fuzzing.clock import Clock
from synnodtest.fuzzing.confirm import Confirmation, confirm, decide, held_out, longer
from synnodtest.fuzzing.control import EASY, Control, control_stage, responds
from synnodtest.fuzzing.describe import Neighbourhood, neighbourhood
from synnodtest.fuzzing.failures import Failures
from synnodtest.fuzzing.places import Places
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.fuzzing.report import entry_of, facts_of
from synnodtest.fuzzing.ruling import gaps_of, ruling_of
from synnodtest.fuzzing.search import Candidate, Search
from synnodtest.fuzzing.stage import Crashed, Replicate, Stage
from synnodtest.matching import Matching
from synnodtest.planning.difficulty import Difficulties
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import example_of, plants_nodule, space_of
from synnodtest.planning.place import MissingRegion, NoPlace
from synnodtest.planning.trial import Evidence
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour, Fuzz, Scenes
from synnodtest.spec.plain import behaviour_dict

__all__ = ["CrashFound", "FuzzGathered", "fuzz", "grounded", "most_scenes"]

DESCRIBED = 100
"""Examples of the local failure rate."""
SHAM_SCENES = 30


@dataclass
class FuzzGathered(Gathered):
    """The evidence of a search, and what the record keeps of it.

    Args:
        entry: For the record's ``fuzzing`` list.
        shown: Scene ids by role: ``minimal``, ``typical``, ``worst``.
        interrupted: Whether Ctrl-C ended it.
    """

    entry: dict[str, Any] = field(default_factory=dict)
    shown: dict[str, str] = field(default_factory=dict)
    interrupted: bool = False


def grounded(behaviour: Behaviour) -> Behaviour:
    """Return a fuzz behaviour with the backgrounds of search and confirmation as its scenes; others as they are."""
    wanted = behaviour.fuzz
    if wanted is None:
        return behaviour
    return replace(behaviour, scenes=Scenes(set=wanted.set, count=wanted.count + wanted.confirm_trials))


def most_scenes(behaviour: Behaviour, variant: Variant) -> int:
    """Return how many scenes a search with one counterexample needs, shrinking aside."""
    wanted = behaviour.fuzz
    assert wanted is not None
    tried = (wanted.examples + len(wanted.explicit)) * wanted.replicates + wanted.confirm_trials + DESCRIBED
    return tried * len(Claim(variant.expectation.kind, variant.parameters).arms)


def fuzz(campaign: Campaign, behaviour: Behaviour, variant: Variant) -> FuzzGathered:
    """Search for a counterexample of one expectation, confirm and describe what is found.

    Raises:
        DetectorError: the detector crashed; names the easiest example that crashes it.
        InvalidEvidence: the set lacks the region, or the sham control failed.
    """
    started = time.perf_counter()
    hunt = _Hunt(campaign, behaviour, variant)
    gathered = hunt.run()
    gathered.seconds = time.perf_counter() - started
    return gathered


class _Hunt:
    """State of one search."""

    def __init__(self, campaign: Campaign, behaviour: Behaviour, variant: Variant) -> None:
        assert behaviour.fuzz is not None
        self.campaign, self.behaviour, self.variant = campaign, behaviour, variant
        self.fuzz: Fuzz = behaviour.fuzz
        self.ground = grounded(behaviour)
        self.claim = Claim(variant.expectation.kind, variant.parameters)
        self.alpha = float(variant.parameters.get("alpha", behaviour.sampling.alpha))
        names = campaign.synthesizer_names(behaviour)
        if len(names) > 1:
            raise SynnodError(
                f"behaviour {behaviour.id!r}: a search runs on one synthesizer, not {', '.join(names)}",
                hint="name one under 'synthesizers'; 'search_with' may name a cheaper one for the search",
            )
        self.under_test = names[0]
        backgrounds = campaign.backgrounds(self.ground)
        first, held = held_out(backgrounds, self.fuzz.count)
        self.plain = behaviour_dict(behaviour)
        seed_parts = [campaign.seed, self.plain, variant.id]
        self.seed = int(sha256_of(["fuzz", *seed_parts])[:15], 16)
        matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))
        self.matching = matching
        engine = campaign.engine(self.ground, self.under_test)
        self.places = Places(engine.load, self.fuzz.location)
        maker = RecipeMaker(
            behaviour.id, self.claim, self.places, plants_nodule(self.fuzz, self.claim.kind), campaign.seed
        )
        self.searched_with = self.fuzz.search_with or self.under_test
        cheap = campaign.engine(self.ground, self.searched_with)
        self.search_stage = Stage(cheap, maker, matching, first, "search", self.fuzz.replicates)
        self.confirm_stage = Stage(engine, maker, matching, held, "confirm")
        self.maker = maker
        self.space = space_of(behaviour, self.claim.kind, variant.parameters, self._parts(maker.plants))
        self.clock = Clock(self.fuzz.time_budget_s)
        self.failures = Failures(campaign.store.root / "fuzz-examples", self.plain, variant.id, self.space)
        self.search = Search(
            self.search_stage, self.space, self._example, self.fuzz.examples, self.seed, self._search_enough
        )
        self.tally = _copy(campaign.tally())
        self.control: Control | None = None

    def _example(self, point: Difficulties) -> Example:
        return example_of(self.space, self.fuzz, point)

    def _parts(self, plants: bool) -> int:
        """Return in how many parts the region falls, as the first background that has it says."""
        if not plants or self.fuzz.location.at_mm is not None:
            return 1
        missing = ""
        for background in self.search_stage.backgrounds:
            try:
                return self.places.parts(background)
            except MissingRegion as error:
                missing = error.region
            except NoPlace:
                continue
        if missing:
            raise InvalidEvidence(
                f"no background of the set {self.fuzz.set!r} has the region {missing!r}",
                hint=f"put a mask beside each radiograph (<stem>.{missing}.png) or name it in the manifest",
            )
        raise InvalidEvidence(f"no place for a nodule on the backgrounds of the set {self.fuzz.set!r}")

    # --- time ---------------------------------------------------------------------------------------------------

    def _reserve_s(self) -> float:
        """Return what a confirmation will take, as far as measured."""
        measured = max(self.search_stage.seconds_per_replicate, self.confirm_stage.seconds_per_replicate)
        return 1.2 * measured * self.fuzz.confirm_trials

    def _search_enough(self) -> bool:
        return self.clock.left_s <= self._reserve_s()

    def _enough(self) -> bool:
        return self.clock.left_s <= 0

    # --- stages -------------------------------------------------------------------------------------------------

    def run(self) -> FuzzGathered:
        """Go through all stages; Ctrl-C ends them and reports what was found so far."""
        found: list[Confirmation] = []
        around: Neighbourhood | None = None
        interrupted = False
        try:
            if self.fuzz.search_with and self.fuzz.time_budget_s is not None:
                list(self.confirm_stage.run(self._example(self.space.easiest), self._where()[:1]))
            self.search.run([Example.of({**self.fuzz.fixed, **e}) for e in self.fuzz.explicit], self.failures.points())
            for candidate in self.search.candidates():
                found.append(self._confirm(candidate))
                self.search.settle(candidate.point, found[-1].surely(self.claim.rate))
            if self.search.crash is not None:
                raise self._crash_found()
            found = self._decided(found)
            around = self._describe(found)
            if not any(c.confirmed for c in found) and self.claim.needs_control:
                self.control = self._control()
        except Crashed as error:
            raise self._crash_found(error) from error
        except KeyboardInterrupt:
            interrupted = True
            self.search.stopped = "interrupted"
            found = decide(found, self.claim.rate, self.alpha)
        self._keep(found)
        return self._gathered(found, around, interrupted)

    def _where(self) -> list[tuple[Background, int]]:
        return [(b, 0) for b in self.confirm_stage.pool(self._example(self.space.easiest))]

    def _confirm(self, candidate: Candidate) -> Confirmation:
        return confirm(self.confirm_stage, candidate, self.fuzz.confirm_trials, self.alpha, self._enough)

    def _decided(self, found: list[Confirmation]) -> list[Confirmation]:
        """Decide; where nothing is confirmed, look longer at what is neither confirmed nor refuted."""
        made = decide(found, self.claim.rate, self.alpha)
        if any(c.confirmed for c in made):
            return made
        stage = self.confirm_stage
        looked = [c if c.refuted or not c.complete else longer(stage, c, self.alpha, self._enough) for c in made]
        return decide(looked, self.claim.rate, self.alpha)

    def _control(self) -> Control:
        example = self._example(self.space.easiest) if self.maker.plants else EASY
        stage = control_stage(self.confirm_stage, self.maker, example)
        return responds(stage, example, self.alpha, self._enough)

    def _describe(self, found: list[Confirmation]) -> Neighbourhood | None:
        first = next((c for c in sorted(found, key=lambda c: c.p_value) if c.confirmed), None)
        if first is None:
            return None
        return neighbourhood(
            self.confirm_stage, self.space, first.candidate.example, DESCRIBED, self.seed, self._enough
        )

    def _keep(self, found: list[Confirmation]) -> None:
        for point in self.failures.points():
            judged = self.search.judged.get(point)
            if judged is not None and not judged.fails:
                self.failures.drop(point)
        for confirmation in found:
            if confirmation.candidate.point is not None and not confirmation.refuted:
                self.failures.save(confirmation.candidate.point)

    def _crash_found(self, error: Crashed | None = None) -> CrashFound:
        """Return the error of a crash: one of the search, shrunk, or the one given, where the search is over."""
        stage = self.confirm_stage
        if error is None:
            stage, error = self.search_stage, self.search.shrunk_crash()
        entry = entry_of(self.behaviour, self.variant, self.fuzz, stage.synthesizer, "ERROR", error.example, [])
        entry["trials"] = stage.unjudged(error.example, [error.where])
        entry["error"] = str(error)
        entry["asked_for"] = self.under_test if stage is self.confirm_stage else self.searched_with
        return CrashFound(
            f"{error}\n  the easiest example that does so: {error.example}",
            hint=f"synnodtest replay {entry['id']}",
            entry=entry,
        )

    def _synthesizer_name(self) -> str:
        return self.campaign.synthesizer(self.under_test).identity.name

    # --- the end ------------------------------------------------------------------------------------------------

    def _gathered(self, found: list[Confirmation], around: Neighbourhood | None, interrupted: bool) -> FuzzGathered:
        replicates: list[Replicate] = [r for c in found for r in c.replicates]
        replicates += list(around.replicates) if around else []
        trials = {t.scene_id: t for r in replicates for t in r.trials.values()}
        if not trials:
            easy = self.search.judged.get(self.space.easiest)
            trials = {t.scene_id: t for r in (easy.replicates if easy else ()) for t in r.trials.values()}
            trials = trials if not self.fuzz.search_with else {}
        evidence = Evidence(
            trials=tuple(trials.values()), operating_point=self.claim.point, alpha=self.alpha, seed=self.campaign.seed
        )
        facts, entry, shown = facts_of(
            self.behaviour, self.variant, self.fuzz, self._synthesizer_name(), self.search, self.space, found, around,
            self._seconds(), self.alpha,
        )  # fmt: skip
        gaps = gaps_of(self.search, len({b.cluster for b in self.confirm_stage.backgrounds}), self.control)
        if self.control is not None:
            facts["control"] = self.control.sentence()
        ruling: Ruling = ruling_of(self.claim, self.search, found, around, self.alpha, facts, gaps)
        entry["asked_for"] = self.under_test
        entry["status"], entry["sentence"] = ruling.status.value, ruling.sentence
        return FuzzGathered(
            self.ground,
            self.variant,
            {self.under_test: evidence},
            {self.under_test: ruling},
            {self.under_test: self._sham(replicates)},
            entry=entry,
            shown=shown,
            interrupted=interrupted,
        )

    def _sham(self, replicates: list[Replicate]) -> ShamResult:
        if not replicates or self.campaign.synthesizer(self.under_test).sham_is_identity:
            return sham_not_needed()
        sham, untouched = self.confirm_stage.sham(replicates[:SHAM_SCENES])
        made = judge_sham(sham, untouched, self.claim.point, self.matching, self.alpha)
        if made.status == "INVALID":
            raise InvalidEvidence(f"sham control: {made.sentence}")
        return made

    def _seconds(self) -> Mapping[str, float]:
        now = self.campaign.tally()
        return {
            "in all": self.clock.elapsed_s,
            "synthesis": now.synthesis_seconds - self.tally.synthesis_seconds,
            "detection": now.detection_seconds - self.tally.detection_seconds,
        }


class CrashFound(DetectorError):
    """The detector crashed on an example; ``entry`` is what the record keeps of it."""

    def __init__(self, message: str, *, hint: str = "", entry: dict[str, Any]) -> None:
        super().__init__(message, hint=hint)
        self.entry = entry


def _copy(tally: Tally) -> Tally:
    return replace(tally)
