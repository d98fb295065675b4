"""What ``count: auto`` and the power of a plan need to be told under ``sampling.assume``."""

from __future__ import annotations

from synnodtest.expectations import find_check
from synnodtest.spec.build import Builder
from synnodtest.spec.messages import closest, problem
from synnodtest.spec.model import Behaviour, Expectation
from synnodtest.spec.source import Node
from synnodtest.spec.validation import kinds

__all__ = ["check_assumed"]

COMMON = ("discordant", "spread")
"""Names under ``assume`` that stand for no single expectation."""


def check_assumed(builder: Builder, parts: dict[str, Node], path: tuple[str | int, ...], behaviour: Behaviour) -> None:
    """Complain of an unknown name under ``assume``, and of ``count: auto`` without the value that it plans with."""
    known = {*kinds("expectation"), *COMMON, *(e.id for e in behaviour.expectations)}
    for name, _ in behaviour.sampling.assume:
        if name and name not in known:
            likely = closest(name, known)
            hint = f"; did you mean {likely!r}?" if likely else ""
            node = parts["sampling"].mapping["assume"].mapping[name]
            message = f"{name!r} is no expectation of this behaviour{hint}"
            builder.problems.append(problem(node.place, (*path, "sampling", "assume"), message))
    scenes = behaviour.scenes
    if scenes is None or scenes.count != "auto":
        return
    missing = _missing(behaviour)
    if missing:
        node = parts["scenes"].mapping["backgrounds"].mapping["count"]
        builder.complain(node, (*path, "scenes", "backgrounds", "count"), *missing)


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
    given = "; the number under 'assume' is no such share" if "" in assumed else ""
    return (
        f"auto needs 'sampling.assume': {kind} is planned with the share of discordant pairs{given}",
        "add sampling: {assume: {discordant: 0.05}}, the share of pairs whose two arms you expect to differ",
    )


def _assumes(expectation: Expectation) -> str:
    """Return what an expectation plans with: ``value``, ``pairs``, or nothing of either."""
    kind = find_check(expectation.kind)
    return "" if kind is None or kind.power is None else kind.power.assumes(kind.read(expectation.parameters))
