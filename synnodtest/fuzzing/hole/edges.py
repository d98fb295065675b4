"""Boundaries of a region: fresh scenes on either side of each, and the interval in which the rate crosses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from synnodtest.fuzzing.failure_rule import FROM, Rule
from synnodtest.fuzzing.hole.box import Box, Stretch, joined
from synnodtest.fuzzing.hole.probes import Probes, Seen
from synnodtest.fuzzing.hole.region import Boundary, Part, Term
from synnodtest.planning.difficulty import Dimension
from synnodtest.planning.example import Example
from synnodtest.ports import Background
from synnodtest.statistics import Crossing, crossing

SCENES = 24
"""Scenes around a boundary at once."""
WINDOWS = (0.05, 0.12, 0.3)
"""Half widths of the window around a boundary, as shares of the range, until a crossing is shown."""
NEAR_MM = (4.0, 8.0, 16.0)
"""The same of a distance from a border."""
NARROW = 0.15
"""Width of the interval of a distance, as a share of it, from which on no more scenes are spent on it."""
CLOSER = 3
"""Further looks at a distance, each about the interval that the last one left, at most."""

Window = tuple[float, float]


class Edges:
    """Finds the boundaries of a box.

    Args:
        probes: Tries points.
    """

    def __init__(self, probes: Probes) -> None:
        self.probes = probes
        self.border: Boundary | None = None
        self._found: dict[tuple[int, int], Crossing] = {}
        """By dimension and difficulty."""

    def refined(self, box: Box) -> Box:
        """Return the box with every boundary where the rate was shown to cross; others are taken back."""
        if box.rule is not None and box.rule.name.startswith(FROM):
            box = self._with_border(box, box.rule)
        for index in sorted(box.stretches):
            if not box.space.dimensions[index].levels:
                box = box.with_(index, self._stretches(box, index))
        return box

    def _stretches(self, box: Box, index: int) -> tuple[Stretch, ...]:
        low, high = box.space.dimensions[index].bounds
        stretches = box.of(index)
        cuts = sorted({k for pair in stretches for k in pair if k not in (low, high)})
        ends = [
            [k if k in (low, high) else self._edge(box, index, k, side == 1, cuts) for side, k in enumerate(pair)]
            for pair in stretches
        ]
        return joined((a, b) for a, b in ends if a <= b) or ((low, high),)

    def _edge(self, box: Box, index: int, at: int, fails_below: bool, cuts: Sequence[int]) -> int:
        """Return the difficulty of a boundary, refined; the end of the range where no crossing is shown."""
        dimension = box.space.dimensions[index]
        low, high = dimension.bounds
        floor = max((c + at) // 2 for c in (2 * low - at, *cuts) if c < at)
        ceiling = min((c + at) // 2 for c in (2 * high - at, *cuts) if c > at)
        probed: list[Seen] = []
        for share in WINDOWS:
            half = max(1, int(share * (high - low)))
            window = (max(floor, at - half), min(ceiling, at + half))
            points = box.drawn(SCENES, self.probes.rng("edge", index, at), {index: window})
            probed += self.probes.look(points, box)
            crossing = self._crossing([s.point[index] for s in probed], probed, window, fails_below)
            if crossing is not None and crossing.sure:
                self._found[index, round(crossing.value)] = crossing
                return round(crossing.value)
        return high if fails_below else low

    def _crossing(
        self, values: Sequence[float], seen: Sequence[Seen], window: Window, fails_below: bool
    ) -> Crossing | None:
        return crossing(
            [float(v) for v in values],
            [s.holds for s in seen],
            [s.replicate.background.cluster for s in seen],
            self.probes.stage.claim.rate,
            fails_below=fails_below,
            window=window,
        )

    def _with_border(self, box: Box, rule: Rule) -> Box:
        """Return the box with the distance at which failing ends; without the rule where no crossing is shown."""
        probed: list[Seen] = []
        for half in NEAR_MM:
            window = (max(0.0, rule.threshold - half), rule.threshold + half)
            border = self._border(box, rule, probed, window, window)
            if border is not None and border.sure:
                border = self._closer(box, rule, probed, window, border)
                self.border = Boundary(border.value, border.lower, border.upper)
                return replace(box, rule=replace(rule, threshold=border.value))
        return box

    def _closer(self, box: Box, rule: Rule, seen: list[Seen], window: Window, found: Crossing) -> Crossing:
        """Return the distance after more scenes about it, as long as its interval is wide."""
        for _ in range(CLOSER):
            width = found.upper - found.lower
            if width <= NARROW * found.value:
                break
            about = (max(window[0], found.lower - width / 2), min(window[1], found.upper + width / 2))
            again = self._border(box, rule, seen, about, window)
            if again is None or not again.sure:
                break
            found = again
        return found

    def _border(self, box: Box, rule: Rule, seen: list[Seen], about: Window, window: Window) -> Crossing | None:
        """Add scenes whose distance lies in ``about`` to what was seen, and return the crossing within ``window``."""

        def near(example: Example, background: Background) -> bool:
            value = self.probes.measured(rule.name, example, background)
            return value is not None and about[0] <= value <= about[1]

        seen += self.probes.look(box.drawn(SCENES, self.probes.rng("border")), box, near)
        values = [rule.value(s.replicate, self.probes.places.surroundings) for s in seen]
        return self._crossing(values, seen, window, rule.below)

    # --- in the unit of the parameter ---------------------------------------------------------------------------

    def term(self, index: int, box: Box, held: Sequence[int]) -> Term:
        """Return what the region asks of a parameter, with the nearest values that were seen to hold."""
        dimension = box.space.dimensions[index]
        values = [float(dimension.value(k)) for k in held if not any(a <= k <= b for a, b in box.of(index))]
        parts = sorted((self._part(dimension, index, s, values) for s in box.of(index)), key=lambda p: p.start)
        nearest = {e.holds_at for part in parts for e in (part.low, part.high) if e is not None}
        return Term(dimension.name, tuple(parts), held=tuple(sorted(v for v in nearest if v is not None)))

    def _part(self, dimension: Dimension, index: int, stretch: Stretch, held: Sequence[float]) -> Part:
        first, last = (self._boundary(dimension, index, k) for k in stretch)
        start, end = (float(dimension.value(k)) for k in stretch)
        low, high = (first, last) if start <= end else (last, first)
        if low is not None:
            low = replace(low, holds_at=max((v for v in held if v < low.lower), default=None))
        if high is not None:
            high = replace(high, holds_at=min((v for v in held if v > high.upper), default=None))
        return Part(low, high, min(start, end), max(start, end))

    def _boundary(self, dimension: Dimension, index: int, at: int) -> Boundary | None:
        edge = self._found.get((index, at))
        if edge is None:
            return None
        low, high = dimension.bounds
        value, *ends = (
            float(dimension.value(min(max(round(k), low), high))) for k in (edge.value, edge.lower, edge.upper)
        )
        return Boundary(value, min(ends), max(ends))
