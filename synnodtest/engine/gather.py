"""The evidence of one item: its groups of scenes, shown to the detector, matched and handed to its check."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from synnodtest.canonical import sha256_of
from synnodtest.engine.job import Unplaced
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.engine.parts import Parts, scenes_of
from synnodtest.engine.scene_outcomes import SceneOutcomes
from synnodtest.engine.sham import ShamResult, judge_sham, sham_not_needed
from synnodtest.errors import InvalidEvidence, SynnodError
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations import Kind, Ruling, find_check, known_checks
from synnodtest.expectations.early import sequential_judge
from synnodtest.matching import Matching
from synnodtest.planning.draw import background_count
from synnodtest.planning.groups import PLAIN, SHAM, Group, groups_for
from synnodtest.planning.variants import Variant
from synnodtest.ports import Background
from synnodtest.spec.model import Behaviour

FEWER_BACKGROUNDS = "backgrounds asked for"
"""Ending of a shortfall's sentence that says how many backgrounds a set has."""


def fewer_backgrounds(reasons: Iterable[str]) -> list[str]:
    """Return those of the reasons why scenes are missing that say that a set has fewer backgrounds than asked for."""
    return [reason for reason in reasons if reason.endswith(FEWER_BACKGROUNDS)]


Judge = Callable[[Mapping[str, object], Evidence], Ruling]


@dataclass(frozen=True)
class Item:
    """An expectation of a behaviour, with what its kind asks for.

    Args:
        behaviour: With scenes.
        variant: The expectation.
    """

    behaviour: Behaviour
    variant: Variant

    @cached_property
    def kind(self) -> Kind[Any]:
        """The kind of the expectation.

        Raises:
            SynnodError: nothing judges such an expectation.
        """
        registered = find_check(self.variant.expectation.kind)
        if registered is None:
            raise SynnodError(
                f"the expectation {self.variant.expectation.kind!r} is known to the language but not built yet",
                hint=f"these can be judged: {', '.join(known_checks())}",
            )
        return registered

    @property
    def is_sequential(self) -> bool:
        """True where evidence is gathered until it decides."""
        return self.behaviour.sampling.sequential

    @property
    def judge(self) -> Judge:
        """The kind that rules on the evidence."""
        return sequential_judge(self.kind.name, self.variant.parameters) if self.is_sequential else self.kind.judge

    @property
    def groups(self) -> tuple[Group, ...]:
        """The scenes that the expectation needs, without those of the sham control."""
        parameters = self.variant.parameters
        return groups_for(self.kind.arms_for(parameters), scenes_of(self.behaviour), parameters)

    @property
    def matching(self) -> Matching:
        """When a finding hits a nodule."""
        return Matching.from_dict(self.variant.parameters.get("matching", self.behaviour.matching))

    @property
    def alpha(self) -> float:
        """One-sided error rate of each bound."""
        return float(self.variant.parameters.get("alpha", self.behaviour.sampling.alpha))


class Gatherer:
    """Evidence of items, and the sham control beside it.

    Args:
        parts: Synthesizers and backgrounds.
        shown: Scenes and their outcomes.
        seed: The master seed.
    """

    def __init__(self, parts: Parts, shown: SceneOutcomes, seed: int) -> None:
        self._parts = parts
        self._shown = shown
        self._seed = seed

    def evidence(self, item: Item, synthesizer: str, backgrounds: Sequence[Background]) -> Evidence:
        """Return the evidence of an item on some of its backgrounds.

        Raises:
            InvalidEvidence: no background of the whole set has a region that the behaviour needs.
        """
        behaviour, matching = item.behaviour, item.matching
        trials: list[Trial] = []
        shortfall: Counter[str] = Counter()
        there = len(self._parts.backgrounds(behaviour))
        for group in item.groups:
            outcomes = self._shown.outcomes(behaviour, synthesizer, group, backgrounds)
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
            seed=self._seed,
            shortfall=shortfall,
        )

    def _with_ids_of(self, synthesizer: str, behaviour: Behaviour, trials: list[Trial]) -> list[Trial]:
        """Give the scenes of a further synthesizer ids of their own: their recipes are those of the first."""
        if synthesizer == self._parts.synthesizer_names(behaviour)[0]:
            return trials
        maker = self._parts.synthesizer(synthesizer).identity.key()
        return [replace(trial, scene_id=sha256_of([trial.scene_id, maker])) for trial in trials]

    def sham(self, item: Item, synthesizer: str, evidence: Evidence) -> ShamResult:
        """Return what the detector makes of the nodules' masks inpainted without a nodule."""
        behaviour, matching = item.behaviour, item.matching
        if not self.needs_sham(behaviour, synthesizer):
            return sham_not_needed()
        used = {t.background for t in (*evidence.trials, *evidence.rejected)}
        backgrounds = [b for b in self._parts.backgrounds(behaviour) if not evidence.order or b.id in used]
        edited, plain = (
            _trials(self._shown.outcomes(behaviour, synthesizer, group, backgrounds), matching)
            for group in (SHAM, PLAIN)
        )
        return judge_sham(edited, plain, item.variant.operating_point, matching, behaviour.sampling.alpha)

    def needs_sham(self, behaviour: Behaviour, synthesizer: str) -> bool:
        """Return whether an edit without a nodule could leave traces."""
        return bool(scenes_of(behaviour).nodules) and not self._parts.synthesizer(synthesizer).sham_is_identity


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
