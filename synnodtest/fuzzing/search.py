"""The search: stored failures, the coverage phase, then Hypothesis with the margin as its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Literal

from synnodtest.fuzzing.coverage import coverage_points
from synnodtest.fuzzing.judged import Crashed, Judged
from synnodtest.fuzzing.shrink import shrink
from synnodtest.fuzzing.stage import Stage
from synnodtest.planning.difficulty import Difficulties, Space
from synnodtest.planning.example import Example

Stop = Literal["examples", "time budget", "interrupted", "crash", "space exhausted"]
ROUNDS = 3
"""Starts of Hypothesis, each with another seed, since one may end before it has drawn all examples; set by hand, more
seldom find any."""


class _Enough(BaseException):
    """Ends the search: time is up, or the detector crashed."""


class _Full(BaseException):
    """Ends Hypothesis's run: all examples were tried."""


@dataclass
class Search:
    """One search over a space of examples.

    Args:
        stage: Judges examples.
        space: The space.
        example_at: From a point of the space to its example.
        examples: How many examples to try.
        seed: Of Hypothesis and of the coverage phase.
        enough: Whether time is up.
    """

    stage: Stage
    space: Space
    example_at: Callable[[Difficulties], Example]
    examples: int
    seed: int
    enough: Callable[[], bool]
    judged: dict[Difficulties, Judged | None] = field(default_factory=dict)
    explicit: list[Judged] = field(default_factory=list)
    left_out: list[Example] = field(default_factory=list)
    """Explicit examples that could not be planted."""
    stopped: Stop = "examples"
    crash: tuple[Difficulties | None, Judged] | None = None
    phases: dict[str, int] = field(default_factory=dict)
    unplaced: int = 0
    covered: bool = False
    first_failing: int | None = None
    """Number of the first example that failed, among those that could be planted, explicit and stored ones too."""

    @property
    def tried(self) -> int:
        """Examples of the search proper that could be planted."""
        return self.phases.get("coverage", 0) + self.phases.get("hypothesis", 0)

    # --- looking ------------------------------------------------------------------------------------------------

    def run(self, explicit: Sequence[Example], stored: Sequence[Difficulties]) -> None:
        """Try explicit examples, stored failures, the coverage phase and Hypothesis's examples, in this order."""
        try:
            for example in explicit:
                self._explicit(example)
            for point in stored:
                self._try(point, "stored")
            self._coverage()
            if len(self.space):
                self._hypothesis(self.examples - self.phases.get("coverage", 0))
        except _Enough:
            pass
        except KeyboardInterrupt:
            self.stopped = "interrupted"
            raise

    def _coverage(self) -> None:
        most = max(1, self.examples // 2)
        for point in coverage_points(self.space, most, self.seed) if len(self.space) else [()]:
            if self._try(point, "coverage") is None:
                self.unplaced += 1
        self.covered = True

    def _explicit(self, example: Example) -> None:
        judged = self.stage.judge(example)
        if judged is None:
            self.left_out.append(example)
            return
        self.phases["explicit"] = self.phases.get("explicit", 0) + 1
        self.explicit.append(judged)
        self._note(judged)
        if judged.crash:
            self.crashed(None, judged)
            raise _Enough

    def _try(self, point: Difficulties, phase: str) -> Judged | None:
        if self.enough():
            self.stopped = "time budget"
            raise _Enough
        judged = self.judge(point)
        if judged is not None:
            self.phases[phase] = self.phases.get(phase, 0) + 1
            self._note(judged)
            if judged.crash:
                raise _Enough
        return judged

    def _note(self, judged: Judged) -> None:
        if judged.fails and self.first_failing is None:
            self.first_failing = sum(self.phases.values())

    def crashed(self, point: Difficulties | None, judged: Judged) -> None:
        """Note a crash of the detector; the first one is kept."""
        self.stopped, self.crash = "crash", self.crash or (point, judged)
        if point is not None:
            self.judged[point] = judged

    def judge(self, point: Difficulties) -> Judged | None:
        """Return what comes of a point; judged once, then remembered. A crash is kept, wherever it happens."""
        if point not in self.judged:
            judged = self.stage.judge(self.example_at(point))
            self.judged[point] = judged
            if judged is not None and judged.crash:
                self.crashed(point, judged)
        return self.judged[point]

    def _hypothesis(self, examples: int) -> None:
        for number in range(ROUNDS):
            missing = examples - self.phases.get("hypothesis", 0)
            if missing > 0:
                self._draw(missing, self.seed + number)
            if not any(self.judged.values()):  # nothing has a place: another round would draw hundreds in vain
                break
        if self.phases.get("hypothesis", 0) < examples:
            self.stopped = "space exhausted"

    def _draw(self, examples: int, number: int) -> None:
        from hypothesis import HealthCheck, Phase, Verbosity, given, reject, seed, settings, target
        from hypothesis.errors import Unsatisfiable

        from synnodtest.strategies import points

        last = self.phases.get("hypothesis", 0) + examples

        @seed(number)
        @settings(
            max_examples=examples + 1,  # the first is always the easiest, and that is known
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.target),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(points(self.space))
        def attempt(drawn: Difficulties) -> None:
            point = self.space.plain(drawn)
            if point in self.judged:
                judged = self.judged[point]
            elif self.phases.get("hypothesis", 0) == last:
                raise _Full
            else:
                judged = self._try(point, "hypothesis")
            if judged is None:
                reject()
            target(-judged.margin, label="margin to violation")

        with suppress(_Full, Unsatisfiable):
            attempt()

    def shrunk_crash(self) -> Crashed:
        """Return the crash, shrunk to the easiest example that still crashes the detector."""
        assert self.crash is not None
        point, judged = self.crash
        crash = judged.crash
        assert crash is not None
        if point is None or crash.hung:
            return crash

        def crashes(at: Difficulties) -> bool:
            judgement = self.judge(at)
            return judgement is not None and judgement.crash is not None

        easiest = self.judge(shrink(self.space, point, crashes, self.enough))
        return easiest.crash if easiest is not None and easiest.crash is not None else crash
