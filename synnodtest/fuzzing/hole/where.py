"""Place in the chest: a region or a distance in place of the parameters of a place, and the share that it takes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from synnodtest.fuzzing.failure_rule import FROM, INSIDE, Rule, failure_rule
from synnodtest.fuzzing.hole.box import Box
from synnodtest.fuzzing.hole.probes import Probes, Seen

PLACES = 48
"""Scenes all over the region by which the place is told."""
PLAIN = 0.85
"""Share of failing plus share of holding scenes told rightly, minus 1, from which on a rule says the place."""
BETTER = 0.04
"""By how much a rule must tell scenes better than a plainer one: than the parameters of the place, than a region."""
DRAWN = 600
"""Places drawn for the share of a rule on the place: to within 0.04; none is planted."""


def place_rule(probes: Probes, box: Box, placed: Sequence[int], plain: float = PLAIN) -> Box | None:
    """Return the box with a rule in place of the parameters of the place; None where those tell as well.

    Args:
        probes: Tries points.
        box: With stretches of height and across.
        placed: Dimensions of the place.
        plain: How well a rule must tell scenes.
    """
    wide = box
    for index in placed:
        wide = wide.with_(index, (box.space.dimensions[index].bounds,))
    probed = probes.look(wide.drawn(PLACES, probes.rng("places")))
    candidates: list[tuple[float, Rule | None, Box]] = [
        (_balance([box.contains(s.point) for s in probed], probed), None, box)
    ]
    for side in _sides(box, wide, placed):
        sample = [s for s in probed if side.contains(s.point)]
        for kind in (INSIDE, FROM):
            rule = failure_rule([s.replicate for s in sample], probes.places.surroundings, only=(kind,), least=plain)
            if rule is not None:
                predicted = [side.contains(s.point) and tells(rule, s, probes) for s in probed]
                candidates.append((_balance(predicted, probed), rule, side))
    best = candidates[0]
    for candidate in candidates[1:]:
        best = candidate if candidate[0] > max(best[0] + BETTER, plain) else best
    return None if best[1] is None else replace(best[2], rule=best[1])


def _sides(box: Box, wide: Box, placed: Sequence[int]) -> Iterator[Box]:
    """Yield all places, then those of the failing part."""
    yield wide
    for index in placed:
        if box.space.dimensions[index].levels and index in box.stretches:
            yield wide.with_(index, box.of(index))


def tells(rule: Rule, seen: Seen, probes: Probes) -> bool:
    """Return whether a rule tells a scene to fail."""
    return rule.tells_failing(rule.value(seen.replicate, probes.places.surroundings))


def _balance(told: Sequence[bool], seen: Sequence[Seen]) -> float:
    failing = [t for t, s in zip(told, seen, strict=True) if not s.holds]
    holding = [not t for t, s in zip(told, seen, strict=True) if s.holds]
    if not failing or not holding:
        return -1.0
    return sum(failing) / len(failing) + sum(holding) / len(holding) - 1


def cut(box: Box, rule: Rule) -> Box:
    """Return a box without what a rule tells to hold."""
    if rule.name.startswith((FROM, INSIDE)):
        return replace(box, rule=box.rule or rule)
    index = next(k for k, d in enumerate(box.space) if d.name == rule.name)
    dimension = box.space.dimensions[index]
    low, high = dimension.bounds
    failing = [k for k in range(low, high + 1) if rule.tells_failing(float(dimension.value(k)))]
    inside = ([k for k in failing if a <= k <= b] for a, b in box.of(index))
    stretches = tuple((some[0], some[-1]) for some in inside if some)
    return box.with_(index, stretches) if stretches else box


def share_of(box: Box, probes: Probes) -> float:
    """Return the share of the searched space that a box takes, its rule by drawn places."""
    if box.rule is None:
        return box.share()
    inside = 0
    for number, point in enumerate(box.drawn(DRAWN, probes.rng("share"))):
        example = probes.example(point)
        pool = probes.stage.pool(example)
        inside += bool(pool) and probes.keeps(box.rule, example, pool[number % len(pool)])
    return box.share() * inside / DRAWN
