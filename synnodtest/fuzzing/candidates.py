"""Candidates of a search: failing points, told apart and shrunk, that await confirmation."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from synnodtest.fuzzing.judged import Crashed, Judged
from synnodtest.fuzzing.search import Search
from synnodtest.fuzzing.shrink import shrink
from synnodtest.planning.difficulty import Difficulties
from synnodtest.planning.example import Example

MOST_DISTINCT = 3
"""Distinct failures of one expectation that are followed up."""
MOST_TRIED = 24
"""Failing points that are looked at for a further, distinct failure."""
MOST_CONFIRMATIONS = 9
"""Candidates that are confirmed in all; set by hand: three for each distinct failure. Each takes 60 scenes and its part
of the error rate."""
HARDER = (0.0, 0.05, 0.25, 1.0)
"""Candidates of one failure: the shrunk point, then points further on the way back to what it was shrunk from."""


@dataclass(frozen=True)
class Candidate:
    """A failing example that awaits confirmation.

    Args:
        example: The example, shrunk where it has a place in the space.
        point: Its difficulties; None for an explicit example.
        matters: Parameters that cannot be made easier, the one whose easing helps most first.
        origin: ``explicit`` or ``search``.
    """

    example: Example
    point: Difficulties | None
    matters: tuple[str, ...]
    origin: str


class Candidates:
    """The failing points of a search, and what became of them.

    Args:
        search: The search, done.
    """

    def __init__(self, search: Search) -> None:
        self.search, self.space = search, search.space
        self.settled: dict[Difficulties, bool] = {}
        """Points that went through a confirmation, and whether it confirmed them."""
        self._explicit: list[tuple[Example, bool]] = []
        """The same of explicit examples."""
        self._sure: dict[Difficulties, bool] = {}

    def failing(self) -> list[Difficulties]:
        """Return the failing points, easiest first."""
        judged = self.search.judged.items()
        return self.space.easiest_first(p for p, one in judged if one and one.fails and not one.crash)

    def distinct(self) -> Iterator[Candidate]:
        """Yield distinct failures, shrunk: those of explicit examples first, then each with another cause.

        After each, the caller says with :meth:`settle` what a confirmation came to. A point that is not confirmed
        counts as holding from then on, and the failure that led there is approached from its hard side.
        """
        for judged in self.search.explicit:
            if judged.fails and not judged.crash:
                yield Candidate(judged.example, None, (), "explicit")
        causes: list[frozenset[str]] = []
        points: set[Difficulties] = set()
        while len(causes) < MOST_DISTINCT and frozenset() not in causes and len(points) < MOST_TRIED:
            failing = self.failing()  # the surest first once an easy one proved unsure
            starts = failing if all(self.settled.values()) else self.surest_first(failing)
            start = next((p for p in starts if p not in points), None)
            if start is None or (self.settled and self.search.enough()):
                return
            points.add(start)
            point = start
            for cause in causes:
                point = self.space.eased(point, cause)
            if not self.fails(point):
                continue
            easy = shrink(self.space, point, self.fails, self.search.enough)
            for candidate in self._approach(point, easy, causes):
                if len(self.settled) >= MOST_CONFIRMATIONS:
                    return
                assert candidate.point is not None
                again = next((one for example, one in self._explicit if example == candidate.example), None)
                if again is None:
                    yield candidate
                else:  # promoted from here
                    self.settled[candidate.point] = again
                if self.settled.get(candidate.point):
                    causes.append(frozenset(self.space.needed(candidate.point)))
                    break

    def surest_first(self, points: Sequence[Difficulties]) -> list[Difficulties]:
        """Return failing points in the order of how many of their scenes failed, and by how much."""

        def held(point: Difficulties) -> tuple[float, float]:
            judgement = self.search.judged[point]
            return (1.0, 0.0) if judgement is None else (judgement.share, judgement.margin)

        return sorted(points, key=lambda p: (held(p), p))

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
            yield Candidate(self.search.example_at(point), point, self._matters(point), "search")

    def settle(self, candidate: Candidate, confirmed: bool) -> None:
        """Note what a confirmation came to."""
        if candidate.point is None:
            self._explicit.append((candidate.example, confirmed))
        else:
            self.settled[candidate.point] = confirmed

    def fails(self, point: Difficulties) -> bool:
        """Return whether a point can be planted and surely fails; a crash is no failure."""
        judged = self.search.judge(point)
        if judged is None or not judged.fails or judged.crash or self.settled.get(point) is False:
            return False
        if point not in self._sure:
            try:
                self._sure[point] = self.search.stage.surely_fails(judged)
            except Crashed as crash:
                self.search.crashed(point, replace(judged, crash=crash))
                return False
        return self._sure[point]

    def open(self) -> list[Difficulties]:
        """Return failing points that no confirmation settled and no closer look cleared."""
        return [p for p in self.failing() if self._sure.get(p, True) and p not in self.settled]

    def _matters(self, point: Difficulties) -> tuple[str, ...]:
        """Return the parameters that the failure hangs on, the one whose easing raises the margin most first.

        A point on the way back to its start is not at the boundary in all of them: one that may be at its easiest
        without ending the failure does not matter. One whose easiest value cannot be planted matters where an easier
        one that can be ended the failure. Where neither is so of any alone, all are named.
        """
        names = self.space.needed(point)
        eased = {n: self._eased(point, n) for n in names}
        judged = self.search.judged.get(point)
        here = 0.0 if judged is None else judged.margin
        gain = {n: 0.0 if one is None else one.margin - here for n, one in eased.items()}
        deciding = [n for n, one in eased.items() if (self._ended(point, n) if one is None else not one.fails)]
        return tuple(sorted(deciding or names, key=lambda n: (-gain[n], n)))

    def _eased(self, point: Difficulties, name: str) -> Judged | None:
        at = self.space.eased(point, frozenset({name}))
        judgement = self.search.stage.judge(self.search.example_at(at))
        if judgement is not None and judgement.crash:
            self.search.crashed(at, judgement)
        return judgement

    def _ended(self, point: Difficulties, name: str) -> bool:
        """Return whether the claim was seen to hold at a point that is easier in this parameter alone."""
        at = [dimension.name for dimension in self.space].index(name)
        return any(
            judged is not None and not judged.fails and abs(other[at]) < abs(point[at])
            for other, judged in self.search.judged.items()
            if (*other[:at], *other[at + 1 :]) == (*point[:at], *point[at + 1 :])
        )
