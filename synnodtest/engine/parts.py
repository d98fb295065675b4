"""The parts of a campaign: detector, synthesizers, backgrounds and the engines on them, each made once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from synnodtest.engine.engine import Engine
from synnodtest.engine.executor import SceneSource
from synnodtest.engine.judgement import Providers
from synnodtest.engine.tally import Tally
from synnodtest.evidence.clusters import with_copies_joined
from synnodtest.evidence.regions import RegionExpression
from synnodtest.expectations import kind_of
from synnodtest.planning.draw import background_count
from synnodtest.planning.item import scenes_of
from synnodtest.ports import Background, BackgroundSet, Synthesizer
from synnodtest.spec.model import Behaviour
from synnodtest.store import Store


class Parts:
    """Whatever providers give, held for the time of a campaign.

    Args:
        providers: Detector, synthesizers and backgrounds.
        store: Where finished work goes and comes from.

    Attributes:
        silent: Content of the radiographs on which the detector was asked in this run and found nothing.
    """

    def __init__(self, providers: Providers, store: Store) -> None:
        self.providers = providers
        self.store = store
        self.silent: set[str] = set()
        self._synthesizers: dict[str, Synthesizer] = {}
        self._set = cache(providers.backgrounds)
        self._backgrounds: dict[tuple[str, int], tuple[Background, ...]] = {}
        self._engines: dict[SceneSource, Engine] = {}

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
        return self._set(scenes_of(behaviour).set, background_count(behaviour))

    def backgrounds(self, behaviour: Behaviour) -> Sequence[Background]:
        """Return the backgrounds that a behaviour stands on; copies of one radiograph are one cluster."""
        key = (scenes_of(behaviour).set, count := background_count(behaviour))
        if key not in self._backgrounds:
            self._backgrounds[key] = with_copies_joined(self._set(*key).backgrounds[:count])
        return self._backgrounds[key]

    def source(self, behaviour: Behaviour, synthesizer: str) -> SceneSource:
        """Return the source of a behaviour's scenes."""
        return SceneSource(
            scenes_of(behaviour).set, background_count(behaviour), synthesizer, _control_regions(behaviour)
        )

    def engine(self, behaviour: Behaviour, synthesizer: str) -> Engine:
        """Return the engine that runs a behaviour on one synthesizer."""
        return self.engine_on(self.source(behaviour, synthesizer))

    def engine_on(self, source: SceneSource) -> Engine:
        """Return the engine that makes the scenes of a source; made once."""
        if source not in self._engines:
            self._engines[source] = Engine(
                self._set(source.set_name, source.count),
                self.synthesizer(source.synthesizer),
                self.providers.detector,
                self.store,
                controls=source.controls,
                silent=self.silent,
            )
        return self._engines[source]

    def tally(self) -> Tally:
        """Return what all engines together have done."""
        total = Tally()
        for engine in self._engines.values():
            total.add(engine.tally)
        return total


def _control_regions(behaviour: Behaviour) -> tuple[RegionExpression, ...]:
    regions = []
    for expectation in behaviour.expectations if behaviour.scenes is not None else ():
        kind = kind_of(expectation.kind)
        regions.append(kind.control_region(kind.read(expectation.parameters)))
    return tuple(dict.fromkeys(region for region in regions if region is not None))
