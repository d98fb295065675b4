"""The stages of one search: search, shrink, confirm, look longer, sweep, describe, control."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

from synnodtest.fuzzing.clock import Clock
from synnodtest.fuzzing.confirm import Confirmation, confirm, decide, longer
from synnodtest.fuzzing.control import EASY, Control, control_stage, responds
from synnodtest.fuzzing.describe import neighbourhood
from synnodtest.fuzzing.findings import Findings
from synnodtest.fuzzing.ground import Ground
from synnodtest.fuzzing.hole.explore import Explorer
from synnodtest.fuzzing.hole.probes import Probes
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.stage import CHUNK, LOOK, Replicate
from synnodtest.fuzzing.suspects import Candidate, Suspects
from synnodtest.fuzzing.sweep import sweep
from synnodtest.fuzzing.telling import telling_rule
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import sides_of

DESCRIBED = 100
"""Examples of the local failure rate."""
SHAM_SCENES = 30
MOST_WALKED = 600
"""Scenes of the walk around a counterexample, and never more than the search and its confirmation took."""
MOST_RESERVED = 0.65
"""Share of a time budget that is kept for a confirmation, at most, while nothing has failed yet."""
MOST_RESERVED_ONCE_FAILED = 0.8
"""The same once an example has failed: a suspicion that is confirmed is worth more than a second one that is not."""
LEAST_READ = 20
"""Held-out backgrounds that a confirmation reads even where a time budget leaves no time for more."""
SLACK = 1.3
"""Times are measured under a load that changes."""


class Hunt:
    """One search and all that follows it.

    Args:
        ground: What it stands on.
        clock: Started before.
    """

    def __init__(self, ground: Ground, clock: Clock) -> None:
        self.ground, self.clock = ground, clock
        stage = ground.search_stage
        self.search = Search(
            stage, ground.space, ground.example, ground.fuzz.examples, ground.seed, self._search_enough
        )
        self.suspects = Suspects(self.search)
        self.interrupted = False
        self.control: Control | None = None
        self.easiest: list[Replicate] = []
        """Scenes of the easiest example, with the synthesizer under test."""
        self._made = Findings(ground.places.surroundings)

    @property
    def findings(self) -> Findings:
        """Outcome so far."""
        judged = [self.search.judged[point] for point in self.suspects.open()]
        left = [judgement for judgement in judged if judgement is not None]
        return replace(self._made, open=left)

    @property
    def confirmed(self) -> bool:
        """True where a counterexample is confirmed."""
        return self._made.first is not None

    def run(self) -> None:
        """Go through all stages; Ctrl-C ends them and leaves what was found so far.

        Raises:
            Crashed: the detector crashed, outside the search; a crash of the search is left in ``search.crash``.
        """
        ground = self.ground
        try:
            if ground.fuzz.search_with and ground.fuzz.time_budget_s is not None:
                self._time_one()
            sides = sides_of(ground.space, ground.fuzz)
            explicit = [Example.of({**ground.fuzz.fixed, **e}, sides) for e in ground.fuzz.explicit]
            self.search.run(explicit, ground.failures.points())
            for stage in (
                self._confirm_all, self._plant_easiest, self._look_longer, self._describe, self._walk_out,
                self._check_silence,
            ):  # fmt: skip
                if self.search.crash is None:
                    stage()
        except KeyboardInterrupt:
            self.interrupted = True
            self.search.stopped = "interrupted"
            self._decide()
        finally:
            self._keep()

    # --- time ---------------------------------------------------------------------------------------------------

    def _time_one(self) -> None:
        """Try one scene on the synthesizer under test, so that the time of a confirmation is known."""
        stage, easiest = self.ground.confirm_stage, self.ground.easiest
        list(stage.run(easiest, [(b, 0) for b in stage.pool(easiest)[:1]]))

    @property
    def _scene_s(self) -> float:
        return max(stage.pace.per_replicate_s for stage in (self.ground.search_stage, self.ground.confirm_stage))

    def _search_enough(self) -> bool:
        """Return whether only the time for a closer look and a confirmation is left, as far as measured."""
        stage, trials = self.ground.confirm_stage, self.ground.fuzz.confirm_trials
        unread = min(len(stage.backgrounds), LEAST_READ) - len(stage.pace.opened)
        reserved = SLACK * ((trials + LOOK) * self._scene_s + max(unread, 0) * self._reading_s)
        most = MOST_RESERVED_ONCE_FAILED if self.search.first_failing else MOST_RESERVED
        return self._left_s() <= min(reserved, most * (self.ground.fuzz.time_budget_s or 0.0))

    @property
    def _reading_s(self) -> float:
        return max(stage.pace.per_background_s for stage in (self.ground.search_stage, self.ground.confirm_stage))

    @cached_property
    def _most(self) -> int | None:
        """Most held-out backgrounds that confirmations may read, as time is when the first begins; None: all."""
        if math.isinf(self._left_s()):
            return None
        for_reading = self._left_s() / SLACK - (self.ground.fuzz.confirm_trials + LOOK) * self._scene_s
        opened = len(self.ground.confirm_stage.pace.opened)
        return max(LEAST_READ, opened + int(for_reading / max(self._reading_s, 1e-9)))

    def _enough(self) -> bool:
        """Return whether time is up, give or take half of what is tried at once."""
        return self._left_s() <= CHUNK / 2 * self._scene_s

    def _left_s(self) -> float:
        sham = 0 if self.ground.confirm_stage.engine.synthesizer.sham_is_identity else 2 * SHAM_SCENES
        return self.clock.left_s - sham * self._scene_s

    # --- stages -------------------------------------------------------------------------------------------------

    def _confirm_all(self) -> None:
        for candidate in self.suspects.candidates():
            if self.search.crash is not None:
                return
            confirmation = self._confirm(candidate)
            self.suspects.settle(candidate.point, confirmation.surely(self.ground.claim.rate, self.ground.alpha))
        self._decide()

    def _confirm(self, candidate: Candidate) -> Confirmation:
        ground = self.ground
        confirmation = confirm(
            ground.confirm_stage, candidate, ground.fuzz.confirm_trials, ground.alpha, self._enough, self._most
        )
        self._made.found.append(confirmation)
        return confirmation

    def _plant_easiest(self) -> None:
        """Plant the easiest example with the synthesizer under test where a search with another suspects nothing."""
        ground, stage = self.ground, self.ground.confirm_stage
        if not ground.fuzz.search_with or self._made.found:
            return
        where = [] if self._enough() else stage.chosen(ground.easiest, 0, ground.fuzz.replicates)
        self.easiest = list(stage.run(ground.easiest, where))
        if not self.easiest or sum(r.holds for r in self.easiest) < ground.claim.rate * len(self.easiest):
            self._confirm(Candidate(ground.easiest, ground.space.easiest, (), "search"))
            self._decide()

    def _decide(self) -> None:
        self._made.found = decide(self._made.found, self.ground.claim.rate, self.ground.alpha)

    def _look_longer(self) -> None:
        """Look longer, where nothing is confirmed, at what is not refuted either and at what was not followed up."""
        ground = self.ground
        for index in sorted(range(len(self._made.found)), key=lambda k: self._made.found[k].p_value):
            confirmation = self._made.found[index]
            if self.confirmed or confirmation.refuted or not confirmation.complete:
                continue
            self._made.found[index] = longer(ground.confirm_stage, confirmation, ground.alpha, self._enough, self._most)
            self._decide()
        left = self.suspects.surest_first(self.suspects.open())
        if left and not self.confirmed:
            examples = [ground.example(point) for point in left]
            self._made.swept = sweep(ground.confirm_stage, examples, ground.alpha, self._enough)

    def _describe(self) -> None:
        ground = self.ground
        first = self._made.first
        if first is None:
            return
        example = first.candidate.example
        around = neighbourhood(ground.confirm_stage, ground.space, example, DESCRIBED, ground.seed, self._enough)
        self._made.around = around
        self._made.rule = telling_rule([*first.replicates, *around.replicates], ground.places.surroundings)

    def _walk_out(self) -> None:
        """Look for the largest region around the first confirmed counterexample that fails."""
        ground, search = self.ground, self.search
        first = self._made.first
        point = None if first is None else first.candidate.point or ground.point_of(first.candidate.example)
        if first is None or point is None or not len(ground.space):
            return
        spent = sum(search.phases.values()) * ground.fuzz.replicates + len(first.replicates) + DESCRIBED
        probes = Probes(
            ground.confirm_stage, ground.space, ground.example, ground.places, ground.seed,
            min(MOST_WALKED, spent), self._enough,
        )  # fmt: skip
        self._made.region = Explorer(probes, point, ground.alpha).region()

    def _check_silence(self) -> None:
        ground = self.ground
        if self.confirmed or not ground.claim.about.needs_control:
            return
        example = ground.easiest if ground.maker.plants else EASY
        stage = control_stage(ground.confirm_stage, ground.maker)
        self.control = responds(stage, example, ground.alpha, self._enough)

    def _keep(self) -> None:
        """Keep failing points for later searches, and forget those that fail no more."""
        failures = self.ground.failures
        for point in failures.points():
            judged = self.search.judged.get(point)
            if judged is not None and not judged.fails:
                failures.drop(point)
        for confirmation in self._made.found:
            if confirmation.candidate.point is not None and not confirmation.refuted:
                failures.save(confirmation.candidate.point)
