"""Checks of ``sampling``: what ``count: auto`` must assume, and what a sequential run can stop early."""

from __future__ import annotations

from synnodtest.expectations.registry import kind_of, kinds
from synnodtest.spec.build import Builder
from synnodtest.spec.messages import meant
from synnodtest.spec.model import Behaviour, Expectation
from synnodtest.spec.nodes import EMPTY, Node
from synnodtest.spec.values import Sweep

COMMON = ("discordant", "spread", "drop_spread")
"""Names under ``assume`` that stand for no single expectation."""


def check_assumed(builder: Builder, parts: dict[str, Node], behaviour: Behaviour) -> None:
    """Complain of an unknown name under ``assume``, and of ``count: auto`` without the value that it plans with."""
    names = {*kinds(), *COMMON, *(e.id for e in behaviour.expectations)}
    for name, _ in behaviour.sampling.assume:
        if name and name not in names:
            node = parts["sampling"].mapping["assume"].mapping[name]
            message = f"{name!r} is no expectation of this behaviour{meant(name, names)}"
            builder.complain_at_key(node, message, path=node.path[:-1])
    scenes = behaviour.scenes
    if scenes is None or scenes.count != "auto":
        return
    missing = _missing(behaviour)
    if missing:
        builder.complain(parts["scenes"].mapping["backgrounds"].mapping["count"], *missing)


def _missing(behaviour: Behaviour) -> tuple[str, str] | None:
    """Return what is wrong and the remedy where nothing that is assumed serves any expectation that plans with it."""
    by_value = [e for e in behaviour.expectations if _assumes(e) == "value"]
    by_pairs = [e for e in behaviour.expectations if _assumes(e) == "pairs"]
    assumed = {name for name, _ in behaviour.sampling.assume}
    values = {"", *(n for e in by_value for n in (e.id, e.kind))} if by_value else set()
    pairs = {"discordant", *(n for e in by_pairs for n in (e.id, e.kind))} if by_pairs else set()
    if not (by_value or by_pairs) or assumed & (values | pairs):
        return None
    if by_value:
        return "auto needs 'sampling.assume'", "add sampling: {assume: 0.9}, the true value that you plan for"
    kind = by_pairs[0].kind
    remark = "; the number under 'assume' is no such share" if "" in assumed else ""
    return (
        f"auto needs 'sampling.assume': {kind} is planned with the share of discordant pairs{remark}",
        "add sampling: {assume: {discordant: 0.05}}, the share of pairs whose two arms you expect to differ",
    )


def _assumes(expectation: Expectation) -> str:
    """Return what an expectation plans with: ``value``, ``pairs``, or nothing of either."""
    kind = kind_of(expectation.kind)
    return "" if kind.power is None else kind.power.assumes(kind.read(expectation.parameters))


def check_sequential(builder: Builder, parts: dict[str, Node], behaviour: Behaviour) -> None:
    """Note whatever of a behaviour cannot be judged sequentially, and a cap without a sequential run.

    Args:
        builder: Takes complaints.
        parts: The behaviour's keys.
        behaviour: With expectations.
    """
    sampling = behaviour.sampling
    settings = parts.get("sampling", EMPTY).mapping
    if not sampling.sequential:
        if sampling.max_scenes is not None and "sequential" not in settings:
            hint = "add 'sequential: true', or say with 'count' how many backgrounds there are"
            message = "'max_scenes' is the cap of a sequential run, and this run is none"
            builder.complain_at_key(settings["max_scenes"], message, hint, parts["sampling"].path)
        return
    if "fuzz" in parts:
        message = "a search chooses its scenes by what it has seen, and is never judged sequentially"
        builder.complain_at_key(settings["sequential"], message, path=parts["sampling"].path)
    for expectation in behaviour.expectations if behaviour.fuzz is None else ():
        if why := _refusal(behaviour, expectation):
            node = parts["expect"].sequence[expectation.index].mapping[expectation.kind]
            builder.complain_at_key(node, why, "give it a behaviour of its own with 'sampling: {sequential: false}'")


def _refusal(behaviour: Behaviour, expectation: Expectation) -> str:
    kind = kind_of(expectation.kind)
    stop = kind.early_stop
    if stop is None or not kind.can_stop(expectation.parameters):
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
