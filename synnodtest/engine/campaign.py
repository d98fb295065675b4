"""A campaign: one detector against all behaviours. Gathers the evidence of an expectation and rules on it."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from synnodtest.canonical import seed_sequence, sha256_of
from synnodtest.engine.engine import Engine, Tally, Unplaced
from synnodtest.engine.executor import Executor, Ground
from synnodtest.engine.judgement import Gathered, Judgement, Providers, agree
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.engine.sham import ShamResult, judge_sham, sham_not_needed
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.evidence.regions import RegionExpression
from synnodtest.evidence.ruling import Status
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations import Kind, Ruling, find_check, known_checks
from synnodtest.expectations.early import sequential_judge
from synnodtest.matching import Matching
from synnodtest.planning.draw import background_count
from synnodtest.planning.groups import PLAIN, SHAM, Group, groups_for
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background, BackgroundSet, Synthesizer
from synnodtest.spec.model import Behaviour, Scenes
from synnodtest.store import Store

__all__ = ["Campaign", "Gathered", "Judgement", "Providers"]

SEQUENTIAL_BATCH = 8
"""Clusters that a sequential run gathers between two looks; every one of them is looked at."""

_Key = tuple[str, Scenes, str, Group]
"""Behaviour, its scenes, synthesizer and group: what tells scenes that are made together from all others."""
Judge = Callable[[Mapping[str, Any], Evidence], Ruling]
Progress = Callable[[Iterable[Any], int, str], Iterable[Any]]


def _silent(items: Iterable[Outcome | Unplaced], total: int, label: str) -> Iterable[Outcome | Unplaced]:
    return items


class Campaign:
    """One detector against behaviours; scenes that expectations share are made once.

    Args:
        providers: Detector, synthesizers and backgrounds.
        store: Where finished work goes and comes from.
        seed: The master seed.
        progress: Wraps the stream of outcomes for a progress bar: ``(stream, total, label) -> stream``.
        executor: Brings scenes into the store before they are read; None: the engine makes them itself.
    """

    def __init__(
        self,
        providers: Providers,
        store: Store,
        *,
        seed: int = 0,
        progress: Progress = _silent,
        executor: Executor | None = None,
    ) -> None:
        self.providers = providers
        self.seed = seed
        self.store = store
        self._progress = progress
        self._executor = executor
        self._synthesizers: dict[str, Synthesizer] = {}
        self._sets: dict[tuple[str, int], BackgroundSet] = {}
        self._grounds: dict[tuple[str, int], tuple[Background, ...]] = {}
        self._engines: dict[tuple[str, int, str, tuple[RegionExpression, ...]], Engine] = {}
        self._outcomes: dict[_Key, dict[str, list[Outcome | Unplaced]]] = {}
        self._costs: dict[_Key, tuple[int, int]] = {}

    # --- parts --------------------------------------------------------------------------------------------------

    def synthesizer(self, name: str) -> Synthesizer:
        """Return a synthesizer by the text that names it; loaded once."""
        if name not in self._synthesizers:
            self._synthesizers[name] = self.providers.synthesizer(name)
        return self._synthesizers[name]

    def loaded_synthesizers(self) -> tuple[str, ...]:
        """Return the texts of the synthesizers that were used."""
        return tuple(self._synthesizers)

    def synthesizer_names(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return the synthesizers that a behaviour runs on."""
        return behaviour.synthesizers or (self.providers.default_synthesizer,)

    def background_set(self, behaviour: Behaviour) -> BackgroundSet:
        """Return the set that a behaviour stands on."""
        scenes = _scenes(behaviour)
        key = (scenes.set, background_count(behaviour))
        if key not in self._sets:
            self._sets[key] = self.providers.backgrounds(*key)
        return self._sets[key]

    def backgrounds(self, behaviour: Behaviour) -> Sequence[Background]:
        """Return the backgrounds that a behaviour stands on; copies of one radiograph are one cluster."""
        key = (_scenes(behaviour).set, count := background_count(behaviour))
        if key not in self._grounds:
            self._grounds[key] = with_copies_joined(self.background_set(behaviour).backgrounds[:count])
        return self._grounds[key]

    def engine(self, behaviour: Behaviour, synthesizer: str) -> Engine:
        """Return the engine that runs a behaviour on one synthesizer."""
        return self.engine_on(
            _scenes(behaviour).set, background_count(behaviour), synthesizer, _control_regions(behaviour)
        )

    def engine_on(
        self, set_name: str, count: int, synthesizer: str, controls: tuple[RegionExpression, ...] = ()
    ) -> Engine:
        """Return the engine on so many backgrounds of a set; made once."""
        key = (set_name, count, synthesizer, controls)
        if key not in self._engines:
            if (set_name, count) not in self._sets:
                self._sets[set_name, count] = self.providers.backgrounds(set_name, count)
            self._engines[key] = Engine(
                self._sets[set_name, count],
                self.synthesizer(synthesizer),
                self.providers.detector,
                self.store,
                controls=controls,
            )
        return self._engines[key]

    def tally(self) -> Tally:
        """Return what all engines together have done."""
        total = Tally()
        for engine in self._engines.values():
            for name, value in vars(engine.tally).items():
                setattr(total, name, getattr(total, name) + value)
        return total

    # --- evidence -----------------------------------------------------------------------------------------------

    def gather(self, behaviour: Behaviour, variant: Variant) -> Gathered:
        """Synthesize, detect and match whatever the item needs, and hand it to its check.

        Raises:
            InvalidEvidence: a gate failed; the item is INVALID.
            SynnodError: something other than the detector's judgement is broken.
        """
        started = time.perf_counter()
        found = find_check(variant.expectation.kind)
        if found is None:
            raise SynnodError(
                f"the expectation {variant.expectation.kind!r} is known to the language but not built yet",
                hint=f"these can be judged: {', '.join(known_checks())}",
            )
        judge: Judge = found.judge
        if behaviour.sampling.sequential:
            judge = sequential_judge(found.name, variant.parameters)
        evidence: dict[str, Evidence] = {}
        sham: dict[str, ShamResult] = {}
        for name in self.synthesizer_names(behaviour):
            if behaviour.sampling.sequential:
                evidence[name] = self._until_decided(behaviour, variant, found, name, judge)
            else:
                evidence[name] = self._evidence(behaviour, variant, found, name, self.backgrounds(behaviour))
            sham[name] = self._sham(behaviour, variant, name, evidence[name])
        broken = [result.sentence for result in sham.values() if result.status == "INVALID"]
        if broken:
            raise InvalidEvidence(f"sham control: {broken[0]}")
        rulings = {name: judge(variant.parameters, held) for name, held in evidence.items()}
        return Gathered(behaviour, variant, evidence, rulings, sham, time.perf_counter() - started)

    def cost(self, behaviour: Behaviour, variant: Variant) -> tuple[int, int]:
        """Return how many scenes an item needs, and how many of them are finished already.

        Of a sequential run it is the most that it can take. The sham control is among them.
        """
        found = find_check(variant.expectation.kind)
        scenes = done = 0
        for name in self.synthesizer_names(behaviour):
            groups = [] if found is None else self._groups(behaviour, variant, found)
            if _scenes(behaviour).nodules and not self.synthesizer(name).sham_is_identity:
                groups += [g for g in (SHAM, PLAIN) if g not in groups]
            for group in groups:
                wanted, finished = self._cost(behaviour, name, group)
                scenes, done = scenes + wanted, done + finished
        return scenes, done

    def _cost(self, behaviour: Behaviour, synthesizer: str, group: Group) -> tuple[int, int]:
        """Count the scenes of a group, once until something runs."""
        key = (behaviour.id, _scenes(behaviour), synthesizer, group)
        if key not in self._costs:
            recipes = group.recipes(behaviour, self.backgrounds(behaviour), self.seed)
            self._costs[key] = self.engine(behaviour, synthesizer).finished(recipes)
        return self._costs[key]

    def _told_apart(self, behaviour: Behaviour, synthesizer: str, trials: list[Trial]) -> list[Trial]:
        """Give the scenes of a further synthesizer ids of their own: their recipes are those of the first."""
        if synthesizer == self.synthesizer_names(behaviour)[0]:
            return trials
        maker = self.synthesizer(synthesizer).identity.key()
        return [replace(trial, scene_id=sha256_of([trial.scene_id, maker])) for trial in trials]

    def _groups(self, behaviour: Behaviour, variant: Variant, found: Kind[Any]) -> list[Group]:
        return list(groups_for(found.arms_for(variant.parameters), _scenes(behaviour), variant.parameters))

    def _until_decided(
        self, behaviour: Behaviour, variant: Variant, found: Kind[Any], synthesizer: str, judge: Judge
    ) -> Evidence:
        """Gather clusters in an order fixed before the run, a batch at a time, until the judge decides or none is left.

        The order hangs on the master seed and the behaviour alone.
        """
        clusters: dict[str, list[Background]] = {}
        for background in self.backgrounds(behaviour):
            clusters.setdefault(background.cluster, []).append(background)
        rng = np.random.default_rng(seed_sequence("sequential", self.seed, behaviour.id))
        order = [sorted(clusters)[i] for i in rng.permutation(len(clusters))]
        order = self._within_cap(behaviour, variant, found, [(name, clusters[name]) for name in order])
        taken: list[Background] = []
        evidence = Evidence(())
        for start in range(0, len(order), SEQUENTIAL_BATCH):
            taken += [b for name in order[start : start + SEQUENTIAL_BATCH] for b in clusters[name]]
            evidence = replace(self._evidence(behaviour, variant, found, synthesizer, taken), order=tuple(order))
            if judge(variant.parameters, evidence).status is not Status.INCONCLUSIVE:
                break
        return evidence

    def _within_cap(
        self, behaviour: Behaviour, variant: Variant, found: Kind[Any], clusters: list[tuple[str, list[Background]]]
    ) -> list[str]:
        """Return the clusters whose scenes together stay within ``max_scenes``."""
        most, kept, scenes = behaviour.sampling.max_scenes, [], 0
        groups = self._groups(behaviour, variant, found)
        for name, backgrounds in clusters:
            scenes += sum(len(list(g.recipes(behaviour, backgrounds, self.seed))) for g in groups)
            if most is not None and scenes > most:
                break
            kept.append(name)
        if not kept:
            raise SynnodError(
                f"behaviour {behaviour.id!r}: max_scenes: {most} is less than the {scenes} scenes of one background"
            )
        return kept

    def _evidence(
        self,
        behaviour: Behaviour,
        variant: Variant,
        found: Kind[Any],
        synthesizer: str,
        backgrounds: Sequence[Background],
    ) -> Evidence:
        matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))
        trials: list[Trial] = []
        shortfall: Counter[str] = Counter()
        for group in self._groups(behaviour, variant, found):
            outcomes = self.outcomes(behaviour, synthesizer, group, backgrounds)
            shortfall.update(item.reason for item in outcomes if isinstance(item, Unplaced))
            if len(backgrounds) == len(self.backgrounds(behaviour)):
                _refuse_missing_region(behaviour, outcomes)
            made = [to_trial(item, matching) for item in outcomes if isinstance(item, Outcome)]
            trials += self._told_apart(behaviour, synthesizer, made)
        wanted, there = background_count(behaviour), len(self.backgrounds(behaviour))
        if there < wanted:
            shortfall[f"the set has {there} of the {wanted} backgrounds asked for"] = wanted - there
        return Evidence(
            trials=tuple(t for t in trials if not t.rejected),
            rejected=tuple(t for t in trials if t.rejected),
            operating_point=variant.operating_point,
            alpha=float(variant.parameters.get("alpha", behaviour.sampling.alpha)),
            seed=self.seed,
            shortfall=shortfall,
        )

    def outcomes(
        self, behaviour: Behaviour, synthesizer: str, group: Group, backgrounds: Sequence[Background]
    ) -> list[Outcome | Unplaced]:
        """Return the outcomes of one group of scenes, each background run once per campaign."""
        key = (behaviour.id, _scenes(behaviour), synthesizer, group)
        known = self._outcomes.setdefault(key, {})
        missing = [b for b in backgrounds if b.id not in known]
        if missing:
            self._costs.clear()
            recipes = list(group.recipes(behaviour, missing, self.seed))
            label = f"{behaviour.id} {group.kind.word}"
            stream = self.engine(behaviour, synthesizer).run(recipes)
            if self._executor is None:
                made = list(self._progress(stream, len(recipes), label))
            else:
                ground = Ground(
                    _scenes(behaviour).set, background_count(behaviour), synthesizer, _control_regions(behaviour)
                )
                finished = (None for count in self._executor.finish(ground, recipes) for _ in range(count))
                deque(self._progress(finished, len(recipes), label), maxlen=0)
                made = list(stream)
            for background in missing:
                known[background.id] = []
            for item in made:
                known[item.recipe.background.id].append(item)
        return [item for b in backgrounds for item in known[b.id]]

    def _sham(self, behaviour: Behaviour, variant: Variant, synthesizer: str, evidence: Evidence) -> ShamResult:
        if not _scenes(behaviour).nodules or self.synthesizer(synthesizer).sham_is_identity:
            return sham_not_needed()
        matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))
        used = {t.background for t in (*evidence.trials, *evidence.rejected)}
        backgrounds = [b for b in self.backgrounds(behaviour) if not evidence.order or b.id in used]

        def trials(group: Group) -> list[Trial]:
            outcomes = self.outcomes(behaviour, synthesizer, group, backgrounds)
            return [to_trial(item, matching) for item in outcomes if isinstance(item, Outcome)]

        return judge_sham(trials(SHAM), trials(PLAIN), variant.operating_point, matching, behaviour.sampling.alpha)

    # --- ruling -------------------------------------------------------------------------------------------------

    def rule(self, gathered: Gathered) -> Judgement:
        """Return the ruling of all synthesizers together; pure, no model is touched."""
        return Judgement(
            gathered.behaviour,
            gathered.variant,
            agree(gathered.rulings),
            gathered.rulings,
            gathered.evidence,
            gathered.sham,
        )


def _scenes(behaviour: Behaviour) -> Scenes:
    if behaviour.scenes is None:
        raise SynnodError(f"behaviour {behaviour.id!r} has no scenes")
    return behaviour.scenes


def _control_regions(behaviour: Behaviour) -> tuple[RegionExpression, ...]:
    found = []
    for expectation in behaviour.expectations if behaviour.scenes is not None else ():
        kind = find_check(expectation.kind)
        found.append(None if kind is None else kind.control_region(kind.read(expectation.parameters)))
    return tuple(dict.fromkeys(region for region in found if region is not None))


def _refuse_missing_region(behaviour: Behaviour, outcomes: Sequence[Outcome | Unplaced]) -> None:
    """Refuse evidence where no background of the set has a region that the behaviour needs."""
    missing = sorted({item.missing_region for item in outcomes if isinstance(item, Unplaced) and item.missing_region})
    if missing and not any(isinstance(item, Outcome) for item in outcomes):
        raise InvalidEvidence(
            f"no background of the set {_scenes(behaviour).set!r} has the region {', '.join(map(repr, missing))}",
            hint=f"put a mask beside each radiograph (<stem>.{missing[0]}.png) or name it in the manifest "
            f"(column {missing[0]}_mask)",
        )
