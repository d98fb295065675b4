"""A campaign: one detector against all behaviours. Gathers the evidence of an expectation and rules on it."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from synnodtest.checks.registry import Check, find_check, known_checks
from synnodtest.checks.ruling import Ruling, Status
from synnodtest.engine.engine import Engine, Tally, Unplaced
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.engine.sham import ShamResult, judge_sham, sham_not_needed
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.matching import Matching
from synnodtest.planning.draw import background_count
from synnodtest.planning.groups import PLAIN, SHAM, Group, groups_for
from synnodtest.planning.trial import Evidence, Trial
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background, BackgroundSet, Detector, Synthesizer
from synnodtest.spec.model import Behaviour, Scenes
from synnodtest.spec.regions import RegionExpression
from synnodtest.store import Store

__all__ = ["Campaign", "Gathered", "Judgement", "Providers"]

Progress = Callable[[Iterable[Outcome | Unplaced], int, str], Iterable[Outcome | Unplaced]]


def _silent(items: Iterable[Outcome | Unplaced], total: int, label: str) -> Iterable[Outcome | Unplaced]:
    return items


@dataclass(frozen=True)
class Providers:
    """Where a campaign gets its parts from.

    Args:
        detector: The system under test.
        synthesizer: By the text of ``--synthesizer``.
        backgrounds: By set name and the number wanted; may hold fewer.
        default_synthesizer: For behaviours that name none.
    """

    detector: Detector
    synthesizer: Callable[[str], Synthesizer]
    backgrounds: Callable[[str, int], BackgroundSet]
    default_synthesizer: str = "diffusion"


@dataclass
class Gathered:
    """The evidence of one item, per synthesizer, and what the check says of it.

    Checks run here already: one that breaks is a fault of the harness, not a verdict on the detector.
    """

    behaviour: Behaviour
    variant: Variant
    evidence: dict[str, Evidence]
    rulings: dict[str, Ruling]
    sham: dict[str, ShamResult]
    seconds: float = 0.0


@dataclass(frozen=True)
class Judgement:
    """What was ruled on one item, with the trials it rests on."""

    behaviour: Behaviour
    variant: Variant
    ruling: Ruling
    by_synthesizer: Mapping[str, Ruling]
    evidence: Mapping[str, Evidence]
    sham: Mapping[str, ShamResult] = field(default_factory=dict)


class Campaign:
    """One detector against behaviours; scenes that expectations share are made once.

    Args:
        providers: Detector, synthesizers and backgrounds.
        store: Where finished work goes and comes from.
        seed: The master seed.
        progress: Wraps the stream of outcomes for a progress bar: ``(stream, total, label) -> stream``.
    """

    def __init__(self, providers: Providers, store: Store, *, seed: int = 0, progress: Progress = _silent) -> None:
        self.providers = providers
        self.seed = seed
        self.store = store
        self._progress = progress
        self._synthesizers: dict[str, Synthesizer] = {}
        self._sets: dict[tuple[str, int], BackgroundSet] = {}
        self._engines: dict[tuple[str, int, str, tuple[RegionExpression, ...]], Engine] = {}
        self._outcomes: dict[tuple[str, Scenes, str, Group], list[Outcome | Unplaced]] = {}

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
        """Return the backgrounds that a behaviour stands on."""
        return tuple(self.background_set(behaviour).backgrounds)[: background_count(behaviour)]

    def engine(self, behaviour: Behaviour, synthesizer: str) -> Engine:
        """Return the engine that runs a behaviour on one synthesizer."""
        controls = _control_regions(behaviour)
        key = (_scenes(behaviour).set, background_count(behaviour), synthesizer, controls)
        if key not in self._engines:
            self._engines[key] = Engine(
                self.background_set(behaviour),
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
        evidence: dict[str, Evidence] = {}
        sham: dict[str, ShamResult] = {}
        for name in self.synthesizer_names(behaviour):
            evidence[name] = self._evidence(behaviour, variant, found, name)
            sham[name] = self._sham(behaviour, variant, name)
        broken = [result.sentence for result in sham.values() if result.status == "INVALID"]
        if broken:
            raise InvalidEvidence(f"sham control: {broken[0]}")
        rulings = {name: found.judge(variant.parameters, held) for name, held in evidence.items()}
        return Gathered(behaviour, variant, evidence, rulings, sham, time.perf_counter() - started)

    def _evidence(self, behaviour: Behaviour, variant: Variant, found: Check, synthesizer: str) -> Evidence:
        matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))
        trials: list[Trial] = []
        shortfall: Counter[str] = Counter()
        for group in groups_for(found.arms_for(variant.parameters), _scenes(behaviour), variant.parameters):
            outcomes = self.outcomes(behaviour, synthesizer, group)
            shortfall.update(item.reason for item in outcomes if isinstance(item, Unplaced))
            _refuse_missing_region(behaviour, outcomes)
            trials += [to_trial(item, matching) for item in outcomes if isinstance(item, Outcome)]
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

    def outcomes(self, behaviour: Behaviour, synthesizer: str, group: Group) -> list[Outcome | Unplaced]:
        """Return the outcomes of one group of scenes, run once per campaign."""
        key = (behaviour.id, _scenes(behaviour), synthesizer, group)
        if key not in self._outcomes:
            recipes = list(group.recipes(behaviour, self.backgrounds(behaviour), self.seed))
            stream = self.engine(behaviour, synthesizer).run(recipes)
            label = f"{behaviour.id} {group.kind.lstrip('@')}"
            self._outcomes[key] = list(self._progress(stream, len(recipes), label))
        return self._outcomes[key]

    def _sham(self, behaviour: Behaviour, variant: Variant, synthesizer: str) -> ShamResult:
        if not _scenes(behaviour).nodules or self.synthesizer(synthesizer).sham_is_identity:
            return sham_not_needed()
        matching = Matching.from_dict(variant.parameters.get("matching", behaviour.matching))

        def trials(group: Group) -> list[Trial]:
            outcomes = self.outcomes(behaviour, synthesizer, group)
            made = [to_trial(item, matching) for item in outcomes if isinstance(item, Outcome)]
            return [t for t in made if not t.rejected]

        return judge_sham(trials(SHAM), trials(PLAIN), variant.operating_point, matching, behaviour.sampling.alpha)

    # --- ruling -------------------------------------------------------------------------------------------------

    def rule(self, gathered: Gathered) -> Judgement:
        """Return the ruling of all synthesizers together; pure, no model is touched."""
        return Judgement(
            gathered.behaviour,
            gathered.variant,
            _agree(gathered.rulings),
            gathered.rulings,
            gathered.evidence,
            gathered.sham,
        )


def _agree(rulings: Mapping[str, Ruling]) -> Ruling:
    """FAILED only where all synthesizers agree on it, PASSED likewise; INCONCLUSIVE where they differ."""
    first = next(iter(rulings.values()))
    if len(rulings) == 1:
        return first
    notes = tuple(f"{name}: {ruling.sentence}" for name, ruling in rulings.items())
    if len({ruling.status for ruling in rulings.values()}) == 1:
        return replace(first, notes=first.notes + notes)
    verdicts = ", ".join(f"{name} {ruling.status}" for name, ruling in rulings.items())
    return replace(
        first,
        status=Status.INCONCLUSIVE,
        sentence=f"INCONCLUSIVE depends on the synthesizer: {verdicts}",
        notes=first.notes + notes,
    )


def _scenes(behaviour: Behaviour) -> Scenes:
    if behaviour.scenes is None:
        raise SynnodError(f"behaviour {behaviour.id!r} has no scenes")
    return behaviour.scenes


def _control_regions(behaviour: Behaviour) -> tuple[RegionExpression, ...]:
    regions = [e.parameters["region"] for e in behaviour.expectations if e.kind == "no_detection"]
    return tuple(dict.fromkeys(regions))


def _refuse_missing_region(behaviour: Behaviour, outcomes: Sequence[Outcome | Unplaced]) -> None:
    """Refuse evidence where no background of the set has a region that the behaviour needs."""
    missing = sorted({item.missing_region for item in outcomes if isinstance(item, Unplaced) and item.missing_region})
    if missing and not any(isinstance(item, Outcome) for item in outcomes):
        raise InvalidEvidence(
            f"no background of the set {_scenes(behaviour).set!r} has the region {', '.join(map(repr, missing))}",
            hint=f"put a mask beside each radiograph (<stem>.{missing[0]}.png) or name it in the manifest "
            f"(column {missing[0]}_mask)",
        )
