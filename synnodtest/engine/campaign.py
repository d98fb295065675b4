"""A campaign: one detector against all behaviours. Gathers the evidence of an expectation and rules on it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

from synnodtest.engine.early_stop import until_decided
from synnodtest.engine.engine import Engine
from synnodtest.engine.executor import Executor, SceneSource
from synnodtest.engine.gather import Gatherer, Item
from synnodtest.engine.judgement import Gathered, Judgement, Providers, agree
from synnodtest.engine.parts import Parts
from synnodtest.engine.scene_outcomes import Progress, SceneOutcomes, silent
from synnodtest.engine.sham import ShamStatus
from synnodtest.engine.tally import Tally
from synnodtest.errors import InvalidEvidence
from synnodtest.evidence.regions import RegionExpression
from synnodtest.evidence.trial import Evidence
from synnodtest.expectations import find_check
from synnodtest.planning.groups import PLAIN, SHAM
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background, BackgroundSet, Synthesizer
from synnodtest.radiograph import Radiograph
from synnodtest.spec.model import Behaviour
from synnodtest.store import Store


class Campaign:
    """One detector against behaviours; scenes that expectations share are made once.

    Args:
        providers: Detector, synthesizers and backgrounds.
        store: Where finished work goes and comes from.
        seed: The master seed.
        progress: Tells how far the run is.
        executor: Brings scenes into the store before they are read; None: the engine makes them itself.
    """

    def __init__(
        self,
        providers: Providers,
        store: Store,
        *,
        seed: int = 0,
        progress: Progress = silent,
        executor: Executor | None = None,
    ) -> None:
        self.providers = providers
        self.seed = seed
        self.store = store
        self.progress = progress
        self._parts = Parts(providers, store)
        self._shown = SceneOutcomes(self._parts, seed, progress, executor)
        self._gatherer = Gatherer(self._parts, self._shown, seed)

    # --- parts --------------------------------------------------------------------------------------------------

    def synthesizer(self, name: str) -> Synthesizer:
        """Return a synthesizer by the text that names it; loaded once."""
        return self._parts.synthesizer(name)

    def loaded_synthesizers(self) -> tuple[str, ...]:
        """Return the texts of the synthesizers that were used."""
        return self._parts.loaded_synthesizers()

    def synthesizer_names(self, behaviour: Behaviour) -> tuple[str, ...]:
        """Return the synthesizers that a behaviour runs on."""
        return self._parts.synthesizer_names(behaviour)

    def background_set(self, behaviour: Behaviour) -> BackgroundSet:
        """Return the set that a behaviour stands on."""
        return self._parts.background_set(behaviour)

    def backgrounds(self, behaviour: Behaviour) -> Sequence[Background]:
        """Return the backgrounds that a behaviour stands on; copies of one radiograph are one cluster."""
        return self._parts.backgrounds(behaviour)

    def engine(self, behaviour: Behaviour, synthesizer: str) -> Engine:
        """Return the engine that runs a behaviour on one synthesizer."""
        return self._parts.engine(self._parts.source(behaviour, synthesizer))

    def engine_on(
        self, set_name: str, count: int, synthesizer: str, controls: tuple[RegionExpression, ...] = ()
    ) -> Engine:
        """Return the engine on so many backgrounds of a set; made once."""
        return self._parts.engine(SceneSource(set_name, count, synthesizer, controls))

    def tally(self) -> Tally:
        """Return what all engines together have done."""
        return self._parts.tally()

    # --- evidence and ruling ------------------------------------------------------------------------------------

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
        sham = {name: self._gatherer.sham(item, name, evidence[name]) for name in names}
        broken = [result.sentence for result in sham.values() if result.status is ShamStatus.INVALID]
        if broken:
            raise InvalidEvidence(f"sham control: {broken[0]}")
        rulings = {name: judge(variant.parameters, trials) for name, trials in evidence.items()}
        return Gathered(behaviour, variant, evidence, rulings, sham, time.perf_counter() - started)

    def _evidence(self, item: Item, synthesizer: str) -> Evidence:
        backgrounds = self.backgrounds(item.behaviour)
        if item.is_sequential:
            return until_decided(self._gatherer, item, synthesizer, backgrounds, self.seed)
        return self._gatherer.evidence(item, synthesizer, backgrounds)

    def first_radiographs(self, behaviour: Behaviour, variant: Variant) -> Iterator[Radiograph]:
        """Yield the first radiograph of each group of scenes that an item needs; the detector is not asked."""
        for name in self.synthesizer_names(behaviour):
            for group in Item(behaviour, variant).groups:
                first = self._shown.first(behaviour, name, group)
                if first is not None:
                    yield first

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

    def cost(self, behaviour: Behaviour, variant: Variant) -> tuple[int, int]:
        """Return how many scenes an item needs, and how many of them are finished already.

        Of a sequential run it is the most that it can take. The sham control is among them.
        """
        registered = find_check(variant.expectation.kind) is not None
        scenes = done = 0
        for name in self.synthesizer_names(behaviour):
            groups = list(Item(behaviour, variant).groups) if registered else []
            if self._gatherer.needs_sham(behaviour, name):
                groups += [g for g in (SHAM, PLAIN) if g not in groups]
            for group in groups:
                total, finished = self._shown.cost(behaviour, name, group)
                scenes, done = scenes + total, done + finished
        return scenes, done
