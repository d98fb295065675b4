"""The search: stored failures, the coverage phase, then Hypothesis with the margin as its target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from synnodtest.fuzzing.coverage import coverage_points
from synnodtest.fuzzing.shrink import shrink
from synnodtest.fuzzing.stage import Judged, Stage
from synnodtest.planning.difficulty import Difficulties, Space
from synnodtest.planning.example import Example

__all__ = ["Candidate", "Search", "Stop"]

Stop = Literal["examples", "time budget", "interrupted", "crash", "space exhausted"]
MOST_DISTINCT = 3
"""Distinct failures of one expectation that are followed up."""
MOST_TRIED = 24
"""Failing points that are looked at for a further, distinct failure."""


class _Enough(BaseException):
    """Ends Hypothesis's run: time is up."""


@dataclass(frozen=True)
class Candidate:
    """A failing example that awaits confirmation.

    Args:
        example: The example, shrunk where it has a place in the space.
        start: What it was shrunk from.
        point: Its difficulties; None for an explicit example.
        matters: Parameters that cannot be made easier, the one whose easing helps most first.
        origin: ``explicit`` or ``search``.
        judged: What the search saw of it.
        start_point: Difficulties of ``start``.
    """

    example: Example
    start: Example
    point: Difficulties | None
    matters: tuple[str, ...]
    origin: str
    judged: Judged
    start_point: Difficulties | None = None


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
    stopped: Stop = "examples"
    crash: tuple[Difficulties | None, Judged] | None = None
    phases: dict[str, int] = field(default_factory=dict)
    tried: int = 0

    # --- looking ------------------------------------------------------------------------------------------------

    def run(self, explicit: Sequence[Example], stored: Sequence[Difficulties]) -> None:
        """Try explicit examples, stored failures, the coverage phase and Hypothesis's examples, in this order."""
        try:
            for example in explicit:
                self._explicit(example)
            for point in stored:
                self._try(point, "stored")
            for point in coverage_points(self.space, max(1, self.examples // 2), self.seed) if len(self.space) else []:
                self._try(point, "coverage")
            if len(self.space):
                self._hypothesis(self.examples - self.phases.get("coverage", 0))
            else:
                self._try((), "coverage")
        except _Enough:
            pass
        except KeyboardInterrupt:
            self.stopped = "interrupted"
            raise
        self.tried = self.phases.get("coverage", 0) + self.phases.get("hypothesis", 0)

    def _explicit(self, example: Example) -> None:
        judged = self.stage.judge(example)
        self.phases["explicit"] = self.phases.get("explicit", 0) + 1
        if judged is None:
            return
        self.explicit.append(judged)
        if judged.crash:
            self._crashed(None, judged)

    def _try(self, point: Difficulties, phase: str) -> Judged | None:
        if self.enough():
            self.stopped = "time budget"
            raise _Enough
        judged = self.judge(point)
        if judged is not None:
            self.phases[phase] = self.phases.get(phase, 0) + 1
            if judged.crash:
                self._crashed(point, judged)
        return judged

    def _crashed(self, point: Difficulties | None, judged: Judged) -> None:
        self.stopped, self.crash = "crash", (point, judged)
        raise _Enough

    def judge(self, point: Difficulties) -> Judged | None:
        """Return what comes of a point; judged once, then remembered."""
        if point not in self.judged:
            self.judged[point] = self.stage.judge(self.example_at(point))
        return self.judged[point]

    def _hypothesis(self, examples: int) -> None:
        from hypothesis import HealthCheck, Phase, Verbosity, given, reject, seed, settings, target
        from hypothesis import strategies as st
        from hypothesis.errors import Unsatisfiable

        if examples <= 0:
            return

        @seed(self.seed)
        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.target),
            suppress_health_check=list(HealthCheck),
            verbosity=Verbosity.quiet,
        )
        @given(st.tuples(*(st.integers(*d.bounds) for d in self.space)))
        def attempt(point: Difficulties) -> None:
            known = point in self.judged
            judged = self.judge(point) if known else self._try(point, "hypothesis")
            if judged is None:
                reject()
            target(-judged.margin, label="margin to violation")

        try:
            attempt()
        except Unsatisfiable:
            self.stopped = "space exhausted"

    # --- what was found -----------------------------------------------------------------------------------------

    def failing(self) -> list[Difficulties]:
        """Return the failing points, easiest first."""
        points = [p for p, judged in self.judged.items() if judged is not None and judged.fails and not judged.crash]
        return sorted(points, key=lambda p: (round(self.space.effort(p), 9), p))

    def candidates(self) -> Iterator[Candidate]:
        """Yield distinct failures, shrunk: those of explicit examples first, then each with another cause."""
        for judged in self.explicit:
            if judged.fails and not judged.crash:
                example = judged.example
                yield Candidate(example, example, None, (), "explicit", judged)
        causes: list[frozenset[str]] = []
        for start in self.failing()[:MOST_TRIED]:
            if len(causes) == MOST_DISTINCT or (causes and self.enough()):
                return
            point = start
            for cause in causes:
                point = self.space.eased(point, cause)
            if causes and not self.fails(point):
                continue
            point = shrink(self.space, point, self.fails, self.enough)
            cause = frozenset(self.space.needed(point))
            if cause in causes or (not cause and causes):
                continue
            causes.append(cause)
            yield self._candidate(start, point)
            if not cause:
                return

    def fails(self, point: Difficulties) -> bool:
        """Return whether a point can be planted and fails; a crash is no failure."""
        judged = self.judge(point)
        return judged is not None and judged.fails and not judged.crash

    def _candidate(self, start: Difficulties, point: Difficulties) -> Candidate:
        judged = self.judged[point]
        assert judged is not None
        return Candidate(
            judged.example, self.example_at(start), point, self._matters(point), "search", judged, start_point=start
        )

    def _matters(self, point: Difficulties) -> tuple[str, ...]:
        """Return the parameters that are not at their easiest, the one whose easing raises the margin most first."""
        names = self.space.needed(point)
        gain = {n: self._margin(self.space.eased(point, frozenset({n}))) - self._margin(point) for n in names}
        return tuple(sorted(names, key=lambda n: (-gain[n], n)))

    def _margin(self, point: Difficulties) -> float:
        judged = self.judged.get(point)
        return 0.0 if judged is None else judged.margin

    def shrunk_crash(self) -> Judged:
        """Return the crash, shrunk to the easiest example that still crashes the detector."""
        assert self.crash is not None
        point, judged = self.crash
        if point is None or "no answer within" in judged.crash:
            return judged

        def crashes(at: Difficulties) -> bool:
            found = self.judge(at)
            return found is not None and bool(found.crash)

        return self.judge(shrink(self.space, point, crashes, self.enough)) or judged
