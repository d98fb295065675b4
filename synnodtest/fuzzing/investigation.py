"""The stages of one search: search, shrink, confirm, look longer, sweep, describe, control."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import cached_property

from synnodtest.fuzzing.candidates import Candidate, Candidates
from synnodtest.fuzzing.confirm import Confirmation, confirm, decide, longer
from synnodtest.fuzzing.control import EASY, Control, control_stage, responds
from synnodtest.fuzzing.describe import neighbourhood
from synnodtest.fuzzing.failure_rule import failure_rule
from synnodtest.fuzzing.hole.explore import Explorer
from synnodtest.fuzzing.hole.probes import Probes
from synnodtest.fuzzing.judged import Replicate
from synnodtest.fuzzing.ruling import Findings
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.setup import SearchSetup
from synnodtest.fuzzing.stage import CHUNK, LOOK
from synnodtest.fuzzing.sweep import sweep
from synnodtest.planning.example import Example
from synnodtest.planning.example_space import sides_of

DESCRIBED = 100
"""Examples of the local failure rate."""
SHAM_SCENES = 30
"""Scenes redrawn without a nodule and judged beside the untouched ones; set by hand: fewer hardly show that a detector
reacts to edits, each costs two."""
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


class Investigation:
    """One search and all that follows it.

    Args:
        setup: Its claim, space, backgrounds and stages.
    """

    def __init__(self, setup: SearchSetup) -> None:
        self.setup, self.clock = setup, setup.clock
        stage = setup.search_stage
        self.search = Search(stage, setup.space, setup.example, setup.fuzz.examples, setup.seed, self._search_enough)
        self.candidates = Candidates(self.search)
        self.interrupted = False
        self.control: Control | None = None
        self.easiest: list[Replicate] = []
        """Scenes of the easiest example, with the synthesizer under test."""
        self._so_far = Findings(setup.places.surroundings)

    @property
    def findings(self) -> Findings:
        """Outcome so far."""
        judged = map(self.search.judged.__getitem__, self.candidates.open())
        return replace(self._so_far, open=list(filter(None, judged)))

    @property
    def confirmed(self) -> bool:
        """True where a counterexample is confirmed."""
        return self._so_far.first is not None

    def run(self) -> None:
        """Go through all stages; Ctrl-C ends them and leaves what was found so far.

        Raises:
            Crashed: the detector crashed, outside the search; a crash of the search is left in ``search.crash``.
        """
        setup = self.setup
        try:
            if setup.fuzz.search_with and setup.fuzz.time_budget_s is not None:
                self._time_one()
            sides = sides_of(setup.space, setup.fuzz)
            explicit = [Example.of({**setup.fuzz.fixed, **e}, sides) for e in setup.fuzz.explicit]
            self.search.run(explicit, setup.failures.points())
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
        stage, easiest = self.setup.confirm_stage, self.setup.easiest
        list(stage.run(easiest, [(b, 0) for b in stage.pool(easiest)[:1]]))

    @property
    def _scene_s(self) -> float:
        return max(stage.pace.per_replicate_s for stage in (self.setup.search_stage, self.setup.confirm_stage))

    @property
    def _reading_s(self) -> float:
        return max(stage.pace.per_background_s for stage in (self.setup.search_stage, self.setup.confirm_stage))

    def _search_enough(self) -> bool:
        """Return whether only the time for a closer look and a confirmation is left, as far as measured."""
        stage, trials = self.setup.confirm_stage, self.setup.fuzz.confirm_trials
        unread = min(len(stage.backgrounds), LEAST_READ) - len(stage.pace.opened)
        reserved = SLACK * ((trials + LOOK) * self._scene_s + max(unread, 0) * self._reading_s)
        most = MOST_RESERVED_ONCE_FAILED if self.search.first_failing else MOST_RESERVED
        return self._left_s() <= min(reserved, most * (self.setup.fuzz.time_budget_s or 0.0))

    @cached_property
    def _most(self) -> int | None:
        """Most held-out backgrounds that confirmations may read, as time is when the first begins; None: all."""
        if math.isinf(self._left_s()):
            return None
        for_reading = self._left_s() / SLACK - (self.setup.fuzz.confirm_trials + LOOK) * self._scene_s
        opened = len(self.setup.confirm_stage.pace.opened)
        return max(LEAST_READ, opened + int(for_reading / max(self._reading_s, 1e-9)))

    def _enough(self) -> bool:
        """Return whether time is up, give or take half of what is tried at once."""
        return self._left_s() <= CHUNK / 2 * self._scene_s

    def _left_s(self) -> float:
        sham = 0 if self.setup.confirm_stage.engine.synthesizer.sham_is_identity else 2 * SHAM_SCENES
        return self.clock.left_s - sham * self._scene_s

    # --- stages -------------------------------------------------------------------------------------------------

    def _confirm_all(self) -> None:
        for candidate in self.candidates.distinct():
            if self.search.crash is not None:
                return
            confirmation = self._confirm(candidate)
            self.candidates.settle(candidate, confirmation.surely(self.setup.claim.rate, self.setup.alpha))
        self._decide()

    def _confirm(self, candidate: Candidate) -> Confirmation:
        setup = self.setup
        confirmation = confirm(
            setup.confirm_stage, candidate, setup.fuzz.confirm_trials, setup.alpha, self._enough, self._most
        )
        self._so_far.found.append(confirmation)
        return confirmation

    def _plant_easiest(self) -> None:
        """Plant the easiest example with the synthesizer under test where a search with another suspects nothing."""
        setup, stage = self.setup, self.setup.confirm_stage
        if not setup.fuzz.search_with or self._so_far.found:
            return
        where = [] if self._enough() else stage.chosen(setup.easiest, 0, setup.fuzz.replicates)
        self.easiest = list(stage.run(setup.easiest, where))
        if not self.easiest or sum(r.holds for r in self.easiest) < setup.claim.rate * len(self.easiest):
            self._confirm(Candidate(setup.easiest, setup.space.easiest, (), "search"))
            self._decide()

    def _decide(self) -> None:
        self._so_far.found = decide(self._so_far.found, self.setup.claim.rate, self.setup.alpha)

    def _look_longer(self) -> None:
        """Look longer, where nothing is confirmed, at what is not refuted either and at what was not followed up."""
        setup = self.setup
        for index in sorted(range(len(self._so_far.found)), key=lambda k: self._so_far.found[k].p_value):
            confirmation = self._so_far.found[index]
            if self.confirmed or confirmation.refuted or not confirmation.complete:
                continue
            self._so_far.found[index] = longer(setup.confirm_stage, confirmation, setup.alpha, self._enough, self._most)
            self._decide()
        left = self.candidates.surest_first(self.candidates.open())
        if left and not self.confirmed:
            examples = [setup.example(point) for point in left]
            self._so_far.swept = sweep(setup.confirm_stage, examples, setup.alpha, self._enough)

    def _describe(self) -> None:
        setup = self.setup
        first = self._so_far.first
        if first is None:
            return
        example = first.candidate.example
        around = neighbourhood(setup.confirm_stage, setup.space, example, DESCRIBED, setup.seed, self._enough)
        self._so_far.around = around
        self._so_far.rule = failure_rule([*first.replicates, *around.replicates], setup.places.surroundings)

    def _walk_out(self) -> None:
        """Look for the largest region around the first confirmed counterexample that fails."""
        setup, search = self.setup, self.search
        first = self._so_far.first
        point = None if first is None else first.candidate.point or setup.point_of(first.candidate.example)
        if first is None or point is None or not len(setup.space):
            return
        spent = sum(search.phases.values()) * setup.fuzz.replicates + len(first.replicates) + DESCRIBED
        probes = Probes(
            setup.confirm_stage, setup.space, setup.example, setup.places, setup.seed,
            min(MOST_WALKED, spent), self._enough,
        )  # fmt: skip
        self._so_far.region = Explorer(probes, point, setup.alpha).region()

    def _check_silence(self) -> None:
        setup = self.setup
        if self.confirmed or not setup.claim.about.needs_control:
            return
        alone = {k: v for k, v in setup.easiest.items if not k.startswith(("companion.", "place."))}
        example = Example.of(alone) if setup.maker.plants else EASY
        stage = control_stage(setup.confirm_stage, setup.maker)
        self.control = responds(stage, example, setup.alpha, self._enough, setup.claim.fall)

    def _keep(self) -> None:
        """Keep failing points for later searches, and forget those that fail no more."""
        failures = self.setup.failures
        for point in failures.points():
            judged = self.search.judged.get(point)
            if judged is not None and not judged.fails:
                failures.drop(point)
        for confirmation in self._so_far.found:
            if confirmation.candidate.point is not None and not confirmation.refuted:
                failures.save(confirmation.candidate.point)
