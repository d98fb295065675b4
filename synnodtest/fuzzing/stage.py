"""The stage: plants an example on several backgrounds, runs the detector, and says whether the claim holds there."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from synnodtest.canonical import seed_of
from synnodtest.engine.bare import unplanted
from synnodtest.engine.engine import Engine
from synnodtest.engine.outcome import Outcome, to_trial
from synnodtest.errors import DetectorError, DetectorHung
from synnodtest.evidence.arm import UNTOUCHED_ARM
from synnodtest.evidence.trial import Evidence, Trial
from synnodtest.expectations.claim import BASE
from synnodtest.fuzzing.clock import Pace
from synnodtest.fuzzing.judged import Crashed, Judged, Placement, Replicate, rather, surely
from synnodtest.fuzzing.recipes import RecipeMaker
from synnodtest.matching import Matching
from synnodtest.planning.example import Example
from synnodtest.planning.place import MissingRegion, NoPlace, Placer
from synnodtest.planning.recipe import Recipe
from synnodtest.ports import Background

CHUNK = 8
"""Replicates per call of the engine when a clock is watched."""
LOOK = 30
"""Scenes after which a closer look at a failing example ends; they come some at a time."""
_Planted = tuple[Placement, list[Recipe]]


def _unwatched(shown: int) -> None:
    """Nobody is told."""


@dataclass(eq=False)
class Stage:
    """Place where examples are tried: one engine, some backgrounds, one namespace of seeds.

    Args:
        engine: Synthesizes and detects.
        maker: Turns examples into recipes.
        matching: Of the expectation.
        backgrounds: Those that may be used.
        namespace: ``search`` or ``confirm``.
        replicates: Scenes per judged example.
        watch: Told how many scenes were shown, every time that some were.
    """

    engine: Engine
    maker: RecipeMaker
    matching: Matching
    backgrounds: Sequence[Background]
    namespace: str
    replicates: int = 1
    watch: Callable[[int], None] = _unwatched

    def __post_init__(self) -> None:
        self.claim, self.pace = self.maker.claim, Pace()
        self._memo: dict[str, Judged | None] = {}

    @property
    def synthesizer(self) -> str:
        """Name of the synthesizer."""
        return self.engine.synthesizer.identity.name

    def judge(self, example: Example) -> Judged | None:
        """Return what comes of an example; None if it cannot be planted. Judged once, then remembered."""
        key = example.key()
        if key not in self._memo:
            self._memo[key] = self._judge(example)
        return self._memo[key]

    def _judge(self, example: Example) -> Judged | None:
        try:
            done = list(self.run(example, self.chosen(example)))
        except Crashed as error:
            return Judged(example, (), 0.0, -1.0, True, error)
        if len(done) < max(1, self.replicates // 2):
            return None
        share = float(np.mean([r.holds for r in done]))
        margin = float(np.mean([r.margin for r in done]))
        return Judged(example, tuple(done), share, margin, share < self.claim.rate - 1e-9)

    def surely_fails(self, judged: Judged) -> bool:
        """Return whether a failing example fails on further scenes too, so that shrinking does not end by chance.

        The same radiograph again counts once.

        Raises:
            Crashed: the detector crashed.
        """
        rate, holds = self.claim.rate, {r.content: r.holds for r in judged.replicates}
        shown, count = self.replicates, max(CHUNK, self.replicates)
        while (sure := surely(sum(holds.values()), len(holds), rate)) is None and shown < LOOK:
            more = self.run(judged.example, self.chosen(judged.example, shown, count))
            holds |= {r.content: r.holds for r in more}
            shown += count
        return rather(sum(holds.values()), len(holds), rate) if sure is None else sure

    def chosen(self, example: Example, skip: int = 0, count: int | None = None) -> list[tuple[Background, int]]:
        """Return the backgrounds (and replicate numbers) that an example is judged on; they hang on its parameters."""
        pool = self.pool(example)
        if not pool:
            return []
        rng = np.random.default_rng(seed_of("backgrounds", self.namespace, example.key()))
        order = [int(i) for i in rng.permutation(len(pool))]
        numbers = range(skip, skip + (self.replicates if count is None else count))
        return sorted(
            ((pool[order[i % len(pool)]], i // len(pool)) for i in numbers), key=lambda pair: (pair[0].id, pair[1])
        )

    def pool(self, example: Example) -> list[Background]:
        """Return the backgrounds that an example may stand on: of its view, or the one that it pins."""
        pinned, view = example.get("background"), example.get("view")
        return [
            b
            for b in self.backgrounds
            if pinned in (None, b.id) and (view is None or str(b.strata.get("view", "")) == str(view))
        ]

    def run(self, example: Example, where: Sequence[tuple[Background, int]]) -> Iterator[Replicate]:
        """Yield the replicates of one example that could be planted and were accepted."""
        yield from self.run_all((example, background, number) for background, number in where)

    def run_all(self, wanted: Iterator[Placement]) -> Iterator[Replicate]:
        """Yield a replicate per example and background; those that cannot be planted are left out.

        Raises:
            Crashed: the detector crashed.
        """
        while chunk := list(islice(wanted, CHUNK)):
            started = time.perf_counter()
            planted = [(placement, recipes) for placement in chunk if (recipes := self._recipes(*placement))]
            outcomes = iter(self._outcomes(planted))
            self.pace.note([background.id for _, background, _ in chunk], time.perf_counter() - started)
            self.watch(len(chunk))
            for (example, background, _), recipes in planted:
                replicate = self._replicate(example, background, list(islice(outcomes, len(recipes))))
                if replicate is not None:
                    yield replicate

    def _outcomes(self, planted: Sequence[_Planted]) -> list[object]:
        try:
            return list(self.engine.run(recipe for _, recipes in planted for recipe in recipes))
        except DetectorError as error:
            raise self._culprit(planted, error) from error

    def _culprit(self, planted: Sequence[_Planted], error: DetectorError) -> Crashed:
        """Return which of several scenes crashes the detector; all of them where none does on its own.

        A detector that hung is not called again: any of them may be to blame, and a replay tries one by one.
        """
        for placement, recipes in planted if not isinstance(error, DetectorHung) else ():
            try:
                list(self.engine.run(recipes))
            except DetectorError as again:
                return Crashed(again, [placement])
        return Crashed(error, [placement for placement, _ in planted])

    def _recipes(self, example: Example, background: Background, number: int) -> list[Recipe]:
        try:
            return self.maker.recipes(example, background, number, self.namespace)
        except (MissingRegion, NoPlace):
            return []

    def _replicate(self, example: Example, background: Background, outcomes: Sequence[object]) -> Replicate | None:
        trials: dict[str, Trial] = {}
        for outcome in outcomes:
            if not isinstance(outcome, Outcome):
                return None
            trial = to_trial(outcome, self.matching)
            if trial.rejected:
                return None
            trials[trial.arm] = trial
        if len(trials[BASE].nodules) < len(trials[BASE].scene.nodules) or not self.claim.tells(trials):
            return None
        margin = self.claim.margin(trials)
        return Replicate(example, background, trials, margin, self.claim.holds(margin))

    # --- beside the judging -------------------------------------------------------------------------------------

    def unjudged(self, placements: Sequence[Placement]) -> list[dict[str, object]]:
        """Return the scenes of examples, synthesized but not shown to the detector."""
        entries: list[dict[str, object]] = []
        for example, background, number in placements:
            scenes = {}
            for recipe in self._recipes(example, background, number):
                scene = Placer(self.engine.load(background)).place(recipe)
                digest = self.engine.radiograph(scene, background).content_sha256()
                scenes[recipe.arm] = {"id": scene.key(), "recipe": scene.as_dict(), "radiograph_sha256": digest}
            if scenes:
                entries.append({"background": background.id, "cluster": background.cluster, "scenes": scenes})
        return entries

    def sham(self, placements: Sequence[Placement]) -> tuple[list[Trial], list[Trial]]:
        """Return trials of the nodules' masks inpainted without a nodule, one per background, and untouched."""
        shams, untouched = [], []
        for placement in {one[1].id: one for one in placements}.values():
            recipe = next(iter(self._recipes(*placement)), None)
            if recipe is not None and recipe.nodules:
                shams.append(replace(recipe, mimics=()).as_sham())
                untouched.append(Recipe(recipe.behaviour, recipe.background, UNTOUCHED_ARM, 0, (), ()))
        return self._trials(shams), self._trials(untouched)

    def unplanted(self, evidence: Evidence) -> dict[str, Evidence]:
        """Return evidence of this stage as it would be had its nodules lain where there are none, by these places."""
        return unplanted(self.engine, self.backgrounds, evidence, self.matching)

    def _trials(self, recipes: Sequence[Recipe]) -> list[Trial]:
        return [to_trial(o, self.matching) for o in self.engine.run(recipes) if isinstance(o, Outcome)]


def run_in_time(
    stage: Stage, wanted: Sequence[Placement], enough: Callable[[], bool], most: int | None = None
) -> list[Replicate]:
    """Return the replicates of examples on backgrounds, some at a time, until ``enough`` says that time is up.

    Args:
        stage: Where they are tried.
        wanted: In the order in which they are tried.
        enough: Whether time is up.
        most: How many will do; None: all. Those that cannot be planted do not count.
    """
    done: list[Replicate] = []
    while wanted and (most is None or len(done) < most) and not enough():
        count = CHUNK if most is None else min(CHUNK, most - len(done))
        done += stage.run_all(iter(sorted(wanted[:count], key=lambda one: (one[1].id, one[2]))))
        wanted = wanted[count:]
    return done
