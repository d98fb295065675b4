"""What a sequential run (``sampling: {sequential: true}``) can stop early, and complaints about the rest."""

from __future__ import annotations

from synnodtest.spec.build import EMPTY, Builder
from synnodtest.spec.messages import Path, problem
from synnodtest.spec.model import Behaviour, Expectation
from synnodtest.spec.source import Node
from synnodtest.spec.values import Sweep

__all__ = ["SEQUENTIAL_PAIRED", "SEQUENTIAL_RATES", "can_stop", "check_sequential"]

SEQUENTIAL_RATES = frozenset({"sensitivity", "specificity", "detected"})
SEQUENTIAL_PAIRED = frozenset({"non_inferior", "superior"})
_METRICS = frozenset({"sensitivity", "specificity"})


def can_stop(kind: str, metric: str = "sensitivity") -> bool:
    """Return whether e-values exist for an expectation: for rates and paired rates alone."""
    return kind in SEQUENTIAL_RATES or (kind in SEQUENTIAL_PAIRED and metric in _METRICS)


def check_sequential(builder: Builder, parts: dict[str, Node], path: Path, behaviour: Behaviour) -> None:
    """Note whatever of a behaviour cannot be judged sequentially, and a cap without a sequential run.

    Args:
        builder: Takes complaints.
        parts: The behaviour's keys.
        path: Its path.
        behaviour: With expectations.
    """
    sampling = behaviour.sampling
    given = parts.get("sampling", EMPTY).mapping
    if not sampling.sequential:
        if sampling.max_scenes is not None and "sequential" not in given:
            hint = "add 'sequential: true', or say with 'count' how many backgrounds there are"
            message = "'max_scenes' is the cap of a sequential run, and this run is none"
            builder.problems.append(problem(given["max_scenes"].place, (*path, "sampling"), message, hint))
        return
    if "fuzz" in parts:
        message = "a search chooses its scenes by what it has seen, and is never judged sequentially"
        builder.problems.append(problem(given["sequential"].place, (*path, "sampling"), message))
    for expectation in behaviour.expectations if behaviour.fuzz is None else ():
        why = _refusal(behaviour, expectation)
        if why:
            node = parts["expect"].sequence[expectation.index]
            place = (*path, "expect", expectation.index, expectation.kind)
            hint = "give it a behaviour of its own with 'sampling: {sequential: false}'"
            builder.problems.append(problem(node.mapping[expectation.kind].place, place, why, hint))


def _refusal(behaviour: Behaviour, expectation: Expectation) -> str:
    kind, metric = expectation.kind, str(expectation.parameters.get("metric", "sensitivity"))
    if not can_stop(kind, metric):
        what = kind if kind not in SEQUENTIAL_PAIRED else f"{kind} of {metric}"
        able = ", ".join(sorted(SEQUENTIAL_RATES | SEQUENTIAL_PAIRED))
        return f"a sequential run cannot judge {what!r}; it can judge {able}"
    scenes = behaviour.scenes
    if kind in SEQUENTIAL_RATES or scenes is None or metric == "specificity":
        return ""
    sweeps = any(isinstance(value, Sweep) for nodule in scenes.nodules for value in nodule.values().values())
    if sweeps or scenes.replicates > 1:
        return "a sequential comparison of arms needs one pair per background: no sweep, and no 'replicates'"
    return ""
