"""A campaign: one detector against all behaviours. Gathers the evidence of an expectation and has it ruled on."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial

from synnodtest.canonical import sha256_of
from synnodtest.engine.gather import FEWER_BACKGROUNDS, until_decided
from synnodtest.engine.job import Unplaced
from synnodtest.engine.judgement import Gathered
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.engine.scene_outcomes import SceneOutcomes
from synnodtest.engine.sham import ShamResult, ShamStatus, judge_ranked, judge_sham, sham_not_needed
from synnodtest.errors import InvalidEvidence
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations import find_check, kind_of
from synnodtest.matching import Matching
from synnodtest.planning.draw import background_count
from synnodtest.planning.groups import PLAIN, SHAM
from synnodtest.planning.item import Item, scenes_of
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Behaviour


class Campaign(SceneOutcomes):
    """One detector against behaviours; scenes that expectations share are made once. Arguments: see its base."""

    def gather(self, behaviour: Behaviour, variant: Variant) -> Gathered:
        """Synthesize, detect and match whatever the item needs, and hand it to its check.

        Raises:
            InvalidEvidence: a gate failed; the item is INVALID.
            SynnodError: something other than the detector's judgement is broken.
        """
        started = time.perf_counter()
        item = Item(behaviour, variant)
        judge = item.judge
        names = self.synthesizer_names(behaviour)
        evidence = {name: self._evidence(item, name) for name in names}
        sham = {name: self._sham(item, name, evidence[name]) for name in names}
        broken = [result.sentence for result in sham.values() if result.status is ShamStatus.INVALID]
        if broken:
            raise InvalidEvidence(f"sham control: {broken[0]}")
        rulings = {name: judge(variant.parameters, trials) for name, trials in evidence.items()}
        return Gathered(behaviour, variant, evidence, rulings, sham, time.perf_counter() - started)

    def first_radiographs(self, behaviour: Behaviour, variant: Variant) -> Iterator[Radiograph]:
        """Yield the first radiograph of each group of scenes that an item needs; the detector is not asked."""
        for name in self.synthesizer_names(behaviour):
            for group in Item(behaviour, variant).groups:
                first = self.engine(behaviour, name).first_radiograph(self.recipes(behaviour, group))
                if first is not None:
                    yield first

    def cost(self, behaviour: Behaviour, variant: Variant) -> tuple[int, int]:
        """Return how many scenes an item needs, and how many of them are finished already.

        Of a sequential run it is the most that it can take. The sham control is among them.
        """
        registered = find_check(variant.expectation.kind) is not None
        scenes = done = 0
        for name in self.synthesizer_names(behaviour):
            groups = list(Item(behaviour, variant).groups) if registered else []
            if self._needs_sham(behaviour, name):
                groups += [g for g in (SHAM, PLAIN) if g not in groups]
            for group in groups:
                total, finished = self.cost_of(behaviour, name, group)
                scenes, done = scenes + total, done + finished
        return scenes, done

    def most_bare(self, behaviour: Behaviour, variant: Variant) -> int:
        """Return how many scenes without nodules are shown, at most, where a pass is asked about in them; else 0.

        Scenes that differ in their nodules alone are one, whatever synthesizer plants them.
        """
        kind = kind_of(variant.expectation.kind)
        alone = kind.hits_alone(kind.read(variant.parameters))
        if not (alone or kind.curve):
            return 0
        recipes = (r for group in Item(behaviour, variant).groups for r in self.recipes(behaviour, group))
        return len(
            {
                (r.background.id, r.perturbations, r.mimics, r.pair, r.prior_perturbations)
                for r in recipes
                if any(nodule.name not in r.ghosts for nodule in r.nodules)
                and (alone or r.mimics)  # a curve has shown the others untouched
            }
        )

    def _evidence(self, item: Item, synthesizer: str) -> Evidence:
        backgrounds, on = self.backgrounds(item.behaviour), partial(self._evidence_on, item, synthesizer)
        return until_decided(on, item, backgrounds, self.seed) if item.is_sequential else on(backgrounds)

    def _evidence_on(self, item: Item, synthesizer: str, backgrounds: Sequence[Background]) -> Evidence:
        """Return the evidence of an item on some of its backgrounds.

        Raises:
            InvalidEvidence: no background of the whole set has a region that the behaviour needs.
        """
        behaviour, matching = item.behaviour, item.matching
        trials: list[Trial] = []
        shortfall: Counter[str] = Counter()
        there = len(self.backgrounds(behaviour))
        for group in item.groups:
            outcomes = self.outcomes(behaviour, synthesizer, group, backgrounds)
            shortfall.update(outcome.reason for outcome in outcomes if isinstance(outcome, Unplaced))
            if len(backgrounds) == there:
                _refuse_missing_region(behaviour, outcomes)
            trials += self._with_ids_of(synthesizer, behaviour, _trials(outcomes, matching))
        count = background_count(behaviour)
        if there < count:
            shortfall[f"the set has {there} of the {count} {FEWER_BACKGROUNDS}"] = count - there
        return Evidence(
            trials=tuple(t for t in trials if not t.rejected),
            rejected=tuple(t for t in trials if t.rejected),
            operating_point=item.variant.operating_point,
            alpha=item.alpha,
            seed=self.seed,
            shortfall=shortfall,
        )

    def _with_ids_of(self, synthesizer: str, behaviour: Behaviour, trials: list[Trial]) -> list[Trial]:
        """Give the scenes of a further synthesizer ids of their own: their recipes are those of the first."""
        if synthesizer == self.synthesizer_names(behaviour)[0]:
            return trials
        maker = self.synthesizer(synthesizer).identity.key()
        return [replace(trial, scene_id=sha256_of([trial.scene_id, maker])) for trial in trials]

    def _sham(self, item: Item, synthesizer: str, evidence: Evidence) -> ShamResult:
        """Return what the detector makes of the nodules' masks inpainted without a nodule."""
        behaviour, matching = item.behaviour, item.matching
        if not self._needs_sham(behaviour, synthesizer):
            return sham_not_needed()
        used = {t.background for t in (*evidence.trials, *evidence.rejected)}
        backgrounds = [b for b in self.backgrounds(behaviour) if not evidence.order or b.id in used]
        edited, plain = (
            _trials(self.outcomes(behaviour, synthesizer, group, backgrounds), matching) for group in (SHAM, PLAIN)
        )
        point, alpha = item.variant.operating_point, behaviour.sampling.alpha
        if item.kind.threshold_free(item.parameters):
            return judge_ranked(edited, plain, evidence.own(), point, matching, alpha)
        return judge_sham(edited, plain, point, matching, alpha)

    def _needs_sham(self, behaviour: Behaviour, synthesizer: str) -> bool:
        """Return whether an edit without a nodule could leave traces."""
        return bool(scenes_of(behaviour).nodules) and not self.synthesizer(synthesizer).sham_is_identity


def _trials(outcomes: Sequence[Outcome | Unplaced], matching: Matching) -> list[Trial]:
    return [to_trial(outcome, matching) for outcome in outcomes if isinstance(outcome, Outcome)]


def _refuse_missing_region(behaviour: Behaviour, outcomes: Sequence[Outcome | Unplaced]) -> None:
    """Refuse evidence where no background of the set has a region that the behaviour needs."""
    missing = sorted({item.missing_region for item in outcomes if isinstance(item, Unplaced) and item.missing_region})
    if missing and not any(isinstance(item, Outcome) for item in outcomes):
        raise InvalidEvidence(
            f"no background of the set {scenes_of(behaviour).set!r} has the region {', '.join(map(repr, missing))}",
            hint=f"put a mask beside each radiograph (<stem>.{missing[0]}.png) or name it in the manifest "
            f"(column {missing[0]}_mask)",
        )
