"""Scenes of an expectation for the gallery: the most damning, and some drawn at random on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from synnodtest.canonical import seed_sequence
from synnodtest.evidence.trial import Trial
from synnodtest.expectations import kind_of
from synnodtest.expectations.kind import Grade, is_judged
from synnodtest.planning.variants import Variant

WORST, RANDOM = 12, 6
"""Scenes named per expectation: the worst failures, and of random failures and random passes each."""


@dataclass(frozen=True)
class Choice:
    """Scenes of one item that the gallery shows.

    Args:
        worst: The most damning failures.
        failing: Further failures, at random.
        passing: Scenes that speak for the detector, at random.
        roles: What a search calls the worst, by scene.
    """

    worst: tuple[str, ...]
    failing: tuple[str, ...]
    passing: tuple[str, ...]
    roles: Mapping[str, str] = field(default_factory=dict)


def chosen(trials: Iterable[Trial], variant: Variant, point: float, node_id: str) -> Choice:
    """Return the scenes of a judged item that the gallery shows.

    Args:
        trials: All that was evaluated.
        variant: The item.
        point: Its operating point.
        node_id: Seeds the random choice.
    """
    failing, passing = _sides(trials, variant, point)
    return Choice(
        tuple(failing[:WORST]),
        _sample(failing[WORST:], RANDOM, node_id, "failing"),
        _sample(passing, RANDOM, node_id, "passing"),
    )


def chosen_of_search(search: Any, node_id: str) -> Choice:
    """Return the scenes of a search, whose named failures (minimal, typical, worst) come first.

    Args:
        search: Plain values: ``trials``, the last of whose ``scenes`` by arm is judged, and ``shown``, scenes by role.
        node_id: Seeds the random choice.
    """
    sides: dict[bool, list[str]] = {True: [], False: []}
    for trial in search["trials"]:
        sides[trial["holds"]].append([*trial["scenes"].values()][-1]["id"])
    roles: dict[str, str] = {}
    for role, scene_id in search.get("shown", {}).items():
        roles[scene_id] = f"{roles[scene_id]} and {role}" if scene_id in roles else role
    others = [s for s in sides[False] if s not in roles]
    return Choice(
        tuple(roles),
        _sample(others, RANDOM, node_id, "failing"),
        _sample(sides[True], RANDOM, node_id, "passing"),
        {scene_id: f"{role} failure" for scene_id, role in roles.items()},
    )


def _sides(trials: Iterable[Trial], variant: Variant, point: float) -> tuple[list[str], list[str]]:
    """Return scene ids that speak against the detector, most damning first, and those that speak for it."""
    kind = kind_of(variant.expectation.kind)
    parameters = kind.read(variant.parameters)
    graded: dict[str, Grade] = {}
    for trial in trials:
        if is_judged(parameters, trial):
            graded.setdefault(trial.scene_id, kind.grade(parameters, trial, point))
    failing = sorted((k for k, one in graded.items() if one.bad), key=lambda k: (-graded[k].severity, k))
    return failing, [k for k, one in graded.items() if not one.bad]


def _sample(ids: list[str], count: int, *parts: str) -> tuple[str, ...]:
    import numpy as np

    if len(ids) <= count:
        return tuple(ids)
    rng = np.random.default_rng(seed_sequence("gallery", *parts))
    return tuple(ids[i] for i in sorted(rng.choice(len(ids), size=count, replace=False)))
