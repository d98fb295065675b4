"""From a confirmed counterexample to the largest region around it that fails."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from synnodtest.fuzzing.confirm import rate_of
from synnodtest.fuzzing.failure_rule import FROM, INSIDE, failure_rule
from synnodtest.fuzzing.hole.box import Box, joined
from synnodtest.fuzzing.hole.edges import Edges
from synnodtest.fuzzing.hole.probes import PLACED, Probes, Seen
from synnodtest.fuzzing.hole.region import Region, Term
from synnodtest.fuzzing.hole.walk import failing_stretches
from synnodtest.fuzzing.hole.where import cut, place_rule, share_of, tells
from synnodtest.planning.difficulty import Difficulties, Dimension, Space
from synnodtest.statistics.distributions import hypergeom_cdf

CHECKED = 40
"""Scenes within the region, and as many outside of it: 40 failures of 40 put the rate that holds below 0.09."""
PEELED = 3
"""Most cuts of a region of which a part holds."""
ROUGHLY = 0.5
"""Share of failing plus share of holding scenes told rightly, minus 1, from which on a cut is tried; a cut that was an
accident shows no boundary later and is taken back."""
KEPT = 0.9
"""Share of the failing scenes within the region that a cut must keep: it takes away what holds, not half a hole."""
NOT_BY_CHANCE = 0.05
"""One-sided level of Fisher's test that a region fails more often than its surroundings, as docs/fuzzing.md states; the
usual one."""


class Explorer:
    """Walks outwards from one failing point.

    Args:
        probes: Tries points.
        start: The failing point.
        alpha: One-sided error rate of the region's own rate.
    """

    def __init__(self, probes: Probes, start: Difficulties, alpha: float) -> None:
        self.probes, self.start, self.alpha = probes, start, alpha
        self.space: Space = probes.space
        self.box = Box(self.space)
        self.held: dict[int, tuple[int, ...]] = {}
        self._unknown: set[int] = set()
        """Dimensions that the scenes did not do for."""

    def region(self) -> Region:
        """Return the region: survey along each parameter, a rule on the place, cuts, boundaries, and a fresh check."""
        self.probes.reserved = 5 * CHECKED // 2
        for index in range(len(self.space)):
            if self._has(index):
                self._survey(index, coarse=self._is_place(index))
        self._place()
        self._peel()
        edges = Edges(self.probes)
        bounded, self.box = set(self.box.stretches), edges.refined(self.box)
        complete = self.probes.left > 0
        if not complete:
            self._unknown |= bounded - set(self.box.stretches)
        self.probes.reserved = 0
        inside = self.probes.look(self.box.drawn(CHECKED, self.probes.rng("inside")), self.box)
        self._drop_levels(inside)
        outside = self._outside()
        return Region(
            terms=tuple(self._term(index, edges) for index in sorted(self.box.stretches)),
            rule=self.box.rule,
            border=edges.border,
            free=tuple(d.name for k, d in enumerate(self.space) if self._free(k, d)),
            share=share_of(self.box, self.probes),
            inside=_failed(inside),
            outside=_failed(outside),
            scenes=self.probes.tried,
            shown=self._falls_short(inside),
            complete=complete,
            parameters=tuple(_parameter(d) for d in self.space),
            points=tuple(self._row(s) for s in self.probes.seen),
        )

    # --- one parameter after the other --------------------------------------------------------------------------

    def _has(self, index: int) -> bool:
        """Return whether examples have the parameter: not that of a second nodule that is left out."""
        return index not in self.space.moot(self.start)

    def _is_place(self, index: int) -> bool:
        """Return whether a dimension is a height or a width, which a rule on the place may say better."""
        return self.space.dimensions[index].name in PLACED and not self.space.dimensions[index].levels

    def _survey(self, index: int, *, coarse: bool = False) -> None:
        start = self.start
        self._take(
            index, start[index], lambda k: self.probes.fails((*start[:index], k, *start[index + 1 :])), coarse=coarse
        )

    def _resurvey(self, index: int) -> None:
        """Survey a parameter again, at places that keep the rule."""
        free = self.box.with_(index, (self.space.dimensions[index].bounds,))
        self._take(index, None, lambda k: self.probes.fails_within(free, {index: (k, k)}))

    def _take(
        self, index: int, start: int | None, fails: Callable[[int], bool | None], *, coarse: bool = False
    ) -> None:
        dimension = self.space.dimensions[index]
        found, self.held[index] = failing_stretches(dimension, start, fails, coarse=coarse)
        if not self.probes.left:
            self._unknown.add(index)
        self.box = self.box.with_(index, joined(found) if self.held[index] and found else (dimension.bounds,))

    # --- places and what else tells -----------------------------------------------------------------------------

    def _placed(self) -> list[int]:
        return [k for k, d in enumerate(self.space) if d.name in PLACED]

    def _place(self) -> None:
        """Say the place by a region or a distance, where that tells failing scenes better than its parameters."""
        placed = self._placed()
        if not any(k in self.box.stretches and self._is_place(k) for k in placed):
            return
        rule = place_rule(self.probes, self.box, placed)
        if rule is None:
            for index in placed:
                if self._is_place(index) and index in self.box.stretches:
                    self._survey(index)
            return
        self.box = rule
        for index in range(len(self.space)):
            if index not in placed and index in self.box.stretches:
                self._resurvey(index)

    def _peel(self) -> None:
        """Cut away what holds within the region, until a fresh look finds nothing that tells it."""
        for _ in range(PEELED):
            probed = self.probes.look(self.box.drawn(CHECKED // 2, self.probes.rng("peel")), self.box)
            if all(not s.holds for s in probed):
                return
            evidence = probed + [s for s in self.probes.seen if s not in probed and self._within(s)]
            rule = failure_rule(
                [s.replicate for s in evidence], self.probes.places.surroundings, least=ROUGHLY, keeps=KEPT
            )
            if rule is None:
                return
            split = None
            if self.box.rule is None and rule.name.startswith((FROM, INSIDE, "place.")):
                split = place_rule(self.probes, self.box, self._placed(), ROUGHLY)
            self.box = split or cut(self.box, rule)

    def _within(self, seen: Seen) -> bool:
        rule = self.box.rule
        return self.box.contains(seen.point) and (rule is None or tells(rule, seen, self.probes))

    # --- what it comes to ---------------------------------------------------------------------------------------

    def _drop_levels(self, inside: Sequence[Seen]) -> None:
        """Take back levels that a fresh look does not show to hold more often than the region."""
        for index in [k for k in self.box.stretches if self.space.dimensions[k].levels]:
            dimension = self.space.dimensions[index]
            failing = {k for a, b in self.box.of(index) for k in range(a, b + 1)}
            others = tuple((k, k) for k in range(dimension.bounds[0], dimension.bounds[1] + 1) if k not in failing)
            beside = self.box.with_(index, others)
            probed = self.probes.look(beside.drawn(CHECKED // 2, self.probes.rng("levels", index)), beside)
            (f1, n1), (f2, n2) = _failed(inside), _failed(probed)
            if n2 and hypergeom_cdf(f2, n2, f1 + f2, n1 + n2) > NOT_BY_CHANCE:  # Fisher's exact test
                self.box = self.box.with_(index, (dimension.bounds,))

    def _outside(self) -> list[Seen]:
        whole = Box(self.space)
        points = list(whole.drawn(2 * CHECKED, self.probes.rng("outside")))
        rule = self.box.rule
        if rule is None:
            return self.probes.look([p for p in points if not self.box.contains(p)][:CHECKED])
        beyond = replace(rule, below=not rule.below)
        return self.probes.look(points[:CHECKED], whole, lambda e, b: self.probes.keeps(beyond, e, b))

    def _falls_short(self, inside: Sequence[Seen]) -> bool:
        """Return whether the rate inside surely falls short of the rate asked for."""
        rate = rate_of([s.replicate for s in inside], self.alpha)
        return rate.usable and rate.upper < self.probes.stage.claim.rate

    def _free(self, index: int, dimension: Dimension) -> bool:
        by_rule = self.box.rule is not None and dimension.name in PLACED
        bounded = index not in self.box.stretches and index not in self._unknown
        return bounded and not by_rule and self._has(index) and len(set(dimension.bounds)) > 1

    def _term(self, index: int, edges: Edges) -> Term:
        dimension = self.space.dimensions[index]
        if dimension.levels:
            levels = tuple(dimension.levels[k] for a, b in self.box.of(index) for k in range(a, b + 1))
            return Term(dimension.name, levels=levels, said=self._said(dimension, levels))
        return edges.term(index, self.box, self.held.get(index, ()))

    def _row(self, seen: Seen) -> tuple[object, ...]:
        values = (seen.replicate.example.get(d.name) for d in self.space)
        return (*(round(v, 4) if isinstance(v, float) else v for v in values), not seen.holds)

    def _said(self, dimension: Dimension, levels: tuple[object, ...]) -> str:
        if dimension.name == "place.part":
            sides = self.probes.example(self.space.easiest).sides_of
            words = [("right", "left")[int(str(p))] if sides else f"part {int(str(p)) + 1}" for p in levels]
            return f"in the {' and '.join(words)} {sides.replace('_', ' ')}".strip()
        if dimension.name == "companion.present":
            return "beside a second nodule" if levels == (True,) else "alone"
        level_words = " or ".join("left out" if v is None else str(v) for v in levels)
        return f"with {dimension.name.rpartition('.')[2]} {level_words}"


def _parameter(dimension: Dimension) -> dict[str, object]:
    levels = ["left out" if v is None else v for v in dimension.levels] or None
    return {"name": dimension.name, "levels": levels, "range": None if levels else list(dimension.range)}


def _failed(seen: Sequence[Seen]) -> tuple[int, int]:
    return sum(not s.holds for s in seen), len(seen)
