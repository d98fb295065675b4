"""Cautions: requests of a behaviour that are probably not meant: they pass detectors that should not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.expectations.limits import LARGEST_RADIUS_MM
from synnodtest.matching import Matching
from synnodtest.spec.expectations import asks_little
from synnodtest.spec.model import Behaviour

LOOSE_OVERLAP = 0.05
"""IoU asked for, below which nearly any touching box hits; set by hand. It makes a caution and changes no verdict."""
LARGE_ALPHA = 0.1
"""Twice the usual error rate of a bound."""


def cautions(behaviour: Behaviour) -> Iterator[str]:
    """Yield what is allowed and lets a detector pass for little."""
    asked = [expectation.parameters for expectation in behaviour.expectations]
    rules = [rule for p in asked if isinstance(rule := p.get("matching", behaviour.matching), Mapping)]
    for words in dict.fromkeys(loose for rule in rules if (loose := _loose(Matching.from_dict(rule)))):
        yield f"{behaviour.id!r}: {words}"
    alphas = [float(p.get("alpha", behaviour.sampling.alpha)) for p in asked]
    if max(alphas, default=0.0) > LARGE_ALPHA:
        yield f"{behaviour.id!r}: alpha is {max(alphas):g}: a detector exactly at the bound passes as often"
    for expectation in behaviour.expectations:
        for words in asks_little(expectation):
            yield f"{behaviour.id!r}: {expectation.id}: {words}"
    yield from _alike(behaviour, asked)


def _loose(rule: Matching) -> str:
    if rule.criterion == "iou":
        loose = rule.at_least < LOOSE_OVERLAP
        return f"a box hits that covers next to nothing (iou of {rule.at_least:g})" if loose else ""
    far = rule.tolerance_mm > LARGEST_RADIUS_MM  # a finding farther off lies beside any nodule
    return f"a finding hits whose centre lies up to {rule.tolerance_mm:g} mm beside the nodule" if far else ""


def _alike(behaviour: Behaviour, asked: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield arms that differ in nothing and are compared: only a control of the tool itself means that."""
    arms = {} if behaviour.scenes is None else behaviour.scenes.arms
    for pair in dict.fromkeys((p.get("arm"), p.get("reference")) for p in asked):
        one, other = (arms.get(str(name)) for name in pair)
        if one is not None and one == other and behaviour.gate != "integrity":
            message = f"the arms {pair[0]!r} and {pair[1]!r} differ in nothing"
            yield f"{behaviour.id!r}: {message}, so that any detector passes"
