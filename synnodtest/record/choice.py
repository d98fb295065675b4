"""Which scenes of an expectation the gallery shows: the most damning, and some drawn at random on both sides."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from synnodtest.canonical import seed_sequence
from synnodtest.evidence.trial import Trial
from synnodtest.expectations import find_check
from synnodtest.expectations.grading import Grade, is_judged, missed_nodule
from synnodtest.planning.variants import Variant

__all__ = ["RANDOM", "WORST", "chosen", "chosen_of_search"]

WORST, RANDOM = 12, 6
"""Scenes named per expectation: the worst failures, and of random failures and random passes each."""


def chosen(trials: Iterable[Trial], variant: Variant, point: float, node_id: str) -> dict[str, list[str]]:
    """Return scene ids by role (``worst``, ``failing``, ``passing``) of a judged item.

    Args:
        trials: All that was evaluated.
        variant: The item.
        point: Its operating point.
        node_id: Seeds the random choice.
    """
    failing, passing = _sides(trials, variant, point)
    return {
        "worst": failing[:WORST],
        "failing": _sample(failing[WORST:], RANDOM, node_id, "failing"),
        "passing": _sample(passing, RANDOM, node_id, "passing"),
    }


def chosen_of_search(found: Mapping[str, Any], node_id: str) -> dict[str, Any]:
    """Return scene ids by role of a search, whose named failures (minimal, typical, worst) come first."""
    sides: dict[bool, list[str]] = {True: [], False: []}
    for trial in found["trials"]:
        sides[bool(trial["holds"])].append(list(trial["scenes"].values())[-1]["id"])
    roles: dict[str, str] = {}
    for role, scene_id in (found.get("shown") or {}).items():
        roles[scene_id] = f"{roles[scene_id]} and {role}" if scene_id in roles else role
    others = [s for s in sides[False] if s not in roles]
    return {
        "worst": list(roles),
        "roles": {scene_id: f"{role} failure" for scene_id, role in roles.items()},
        "failing": _sample(others, RANDOM, node_id, "failing"),
        "passing": _sample(sides[True], RANDOM, node_id, "passing"),
    }


def _sides(trials: Iterable[Trial], variant: Variant, point: float) -> tuple[list[str], list[str]]:
    """Return scene ids that speak against the detector, most damning first, and those that speak for it."""
    kind = find_check(variant.expectation.kind)
    grade = missed_nodule if kind is None else kind.grade
    parameters = variant.parameters if kind is None else kind.read(variant.parameters)
    graded: dict[str, Grade] = {}
    for trial in trials:
        if is_judged(parameters, trial):
            graded.setdefault(trial.scene_id, grade(parameters, trial, point))
    failing = sorted((k for k, one in graded.items() if one.bad), key=lambda k: (-graded[k].severity, k))
    return failing, [k for k, one in graded.items() if not one.bad]


def _sample(ids: list[str], count: int, *parts: str) -> list[str]:
    import numpy as np

    if len(ids) <= count:
        return list(ids)
    rng = np.random.default_rng(seed_sequence("gallery", *parts))
    return [ids[i] for i in sorted(rng.choice(len(ids), size=count, replace=False))]
