"""What a sequential run (``sampling: {sequential: true}``) can stop early, and complaints about the rest."""

from __future__ import annotations

from synnodtest.expectations.registry import find_check, kinds
from synnodtest.spec.build import EMPTY, Builder
from synnodtest.spec.messages import Path, problem
from synnodtest.spec.model import Behaviour, Expectation
from synnodtest.spec.source import Node
from synnodtest.spec.values import Sweep

__all__ = ["check_sequential"]


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
    kind = find_check(expectation.kind)
    stop = None if kind is None else kind.early_stop
    if kind is None or stop is None or not kind.can_stop(expectation.parameters):
        what = expectation.kind if stop is None else f"{expectation.kind} of {expectation.parameters.get('metric')}"
        able = ", ".join(sorted(name for name, other in kinds().items() if other.early_stop is not None))
        return f"a sequential run cannot judge {what!r}; it can judge {able}"
    scenes = behaviour.scenes
    if scenes is None or not stop.one_pair_each(kind.read(expectation.parameters)):
        return ""
    sweeps = any(isinstance(value, Sweep) for nodule in scenes.nodules for value in nodule.values().values())
    if sweeps or scenes.replicates > 1:
        return "a sequential comparison of arms needs one pair per background: no sweep, and no 'replicates'"
    return ""
