"""The search: stored failures, the coverage phase, then Hypothesis with the margin as its target."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Literal

from synnodtest.fuzzing.coverage import coverage_points
from synnodtest.fuzzing.shrink import shrink
from synnodtest.fuzzing.stage import Crashed, Judged, Stage
from synnodtest.planning.difficulty import Difficulties, Space
from synnodtest.planning.example import Example

__all__ = ["Candidate", "Search", "Stop"]

Stop = Literal["examples", "time budget", "interrupted", "crash", "space exhausted"]
MOST_DISTINCT = 3
"""Distinct failures of one expectation that are followed up."""
MOST_TRIED = 24
"""Failing points that are looked at for a further, distinct failure."""
MOST_CONFIRMATIONS = 9
HARDER = (0.0, 0.05, 0.25, 1.0)
"""Candidates of one failure: the shrunk point, then points further on the way back to what it was shrunk from."""
ROUNDS = 3


class _Enough(BaseException):
    """Ends the search: time is up, or the detector crashed."""


class _Full(BaseException):
    """Ends Hypothesis's run: all examples were tried."""


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
    left_out: list[Example] = field(default_factory=list)
    """Explicit examples that could not be planted."""
    stopped: Stop = "examples"
    crash: tuple[Difficulties | None, Judged] | None = None
    phases: dict[str, int] = field(default_factory=dict)
    unplaced: int = 0
    covered: bool = False
    settled: dict[Difficulties, bool] = field(default_factory=dict)
    """Points that went through a confirmation, and whether it confirmed them."""
    _sure: dict[Difficulties, bool] = field(default_factory=dict)

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
        self.phases["explicit"] = self.phases.get("explicit", 0) + 1
        if judged is None:
            self.left_out.append(example)
            return
        self.explicit.append(judged)
        if judged.crash:
            self._crashed(None, judged)
            raise _Enough

    def _try(self, point: Difficulties, phase: str) -> Judged | None:
        if self.enough():
            self.stopped = "time budget"
            raise _Enough
        judged = self.judge(point)
        if judged is not None:
            self.phases[phase] = self.phases.get(phase, 0) + 1
            if judged.crash:
                raise _Enough
        return judged

    def _crashed(self, point: Difficulties | None, judged: Judged) -> None:
        self.stopped, self.crash = "crash", self.crash or (point, judged)
        if point is not None:
            self.judged[point] = judged

    def judge(self, point: Difficulties) -> Judged | None:
        """Return what comes of a point; judged once, then remembered. A crash is kept, wherever it happens."""
        if point not in self.judged:
            judged = self.stage.judge(self.example_at(point))
            self.judged[point] = judged
            if judged is not None and judged.crash:
                self._crashed(point, judged)
        return self.judged[point]

    def _hypothesis(self, examples: int) -> None:
        for number in range(ROUNDS):
            missing = examples - self.phases.get("hypothesis", 0)
            if missing > 0:
                self._draw(missing, self.seed + number)
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
        def attempt(point: Difficulties) -> None:
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

    # --- what was found -----------------------------------------------------------------------------------------

    def failing(self) -> list[Difficulties]:
        """Return the failing points, easiest first."""
        points = [p for p, judged in self.judged.items() if judged is not None and judged.fails and not judged.crash]
        return sorted(points, key=lambda p: (round(self.space.effort(p), 9), p))

    def candidates(self) -> Iterator[Candidate]:
        """Yield distinct failures, shrunk: those of explicit examples first, then each with another cause.

        After each, the caller says with :meth:`settle` what a confirmation came to. A point that is not confirmed
        counts as holding from then on, and the failure that led there is approached from its hard side.
        """
        for judged in self.explicit:
            if judged.fails and not judged.crash:
                yield Candidate(judged.example, judged.example, None, (), "explicit", judged)
        causes: list[frozenset[str]] = []
        seen: set[Difficulties] = set()
        while len(causes) < MOST_DISTINCT and frozenset() not in causes and len(seen) < MOST_TRIED:
            start = next((p for p in self._starts() if p not in seen), None)
            if start is None or (self.settled and self.enough()):
                return
            seen.add(start)
            point = start
            for cause in causes:
                point = self.space.eased(point, cause)
            if not self.fails(point):
                continue
            for candidate in self._approach(point, shrink(self.space, point, self.fails, self.enough), causes):
                if len(self.settled) >= MOST_CONFIRMATIONS:
                    return
                yield candidate
                assert candidate.point is not None
                if self.settled.get(candidate.point):
                    causes.append(frozenset(self.space.needed(candidate.point)))
                    break

    def _starts(self) -> list[Difficulties]:
        """Return the failing points, easiest first; the surest first once an easy one proved unsure."""
        points = self.failing()
        if all(self.settled.values()):
            return points
        return sorted(points, key=lambda p: ((found := self.judged[p]) is not None and (found.share, found.margin), p))

    def _approach(
        self, start: Difficulties, easy: Difficulties, causes: Sequence[frozenset[str]]
    ) -> Iterator[Candidate]:
        """Yield the shrunk point, then harder ones up to the start; a cause that is known is left out."""
        done: set[Difficulties] = set()
        for share in HARDER:
            point = self.space.between(easy, start, share)
            cause = frozenset(self.space.needed(point))
            if point in done or cause in causes or (causes and not cause) or not self.fails(point):
                continue
            done.add(point)
            yield self._candidate(start, point)

    def settle(self, point: Difficulties | None, confirmed: bool) -> None:
        """Note what a confirmation came to."""
        if point is not None:
            self.settled[point] = confirmed

    def fails(self, point: Difficulties) -> bool:
        """Return whether a point can be planted and surely fails; a crash is no failure."""
        judged = self.judge(point)
        if judged is None or not judged.fails or judged.crash or self.settled.get(point) is False:
            return False
        if point not in self._sure:
            try:
                self._sure[point] = self.stage.surely_fails(judged)
            except Crashed as crash:
                self._crashed(point, replace(judged, crash=crash))
                return False
        return self._sure[point]

    def open(self) -> list[Difficulties]:
        """Return failing points that no confirmation settled and no closer look cleared."""
        return [p for p in self.failing() if self._sure.get(p, True) and p not in self.settled]

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

    def shrunk_crash(self) -> Crashed:
        """Return the crash, shrunk to the easiest example that still crashes the detector."""
        assert self.crash is not None
        point, judged = self.crash
        crash = judged.crash
        assert crash is not None
        if point is None or "no answer within" in str(crash):
            return crash

        def crashes(at: Difficulties) -> bool:
            found = self.judge(at)
            return found is not None and found.crash is not None

        easiest = self.judge(shrink(self.space, point, crashes, self.enough))
        return easiest.crash if easiest is not None and easiest.crash is not None else crash
