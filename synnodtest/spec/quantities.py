"""What ``over``, ``where`` and ``by`` can name in a behaviour, and whether a condition can hold there."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from synnodtest.spec.model import Scenes
from synnodtest.spec.values import Choice, Constant, Sweep, Value

__all__ = ["Stratum", "bins", "can_hold", "condition_text", "contradiction", "misspelt", "named_values", "strata_of"]

Condition = Mapping[str, Any]

WORDS = frozenset({"region", "arm", "name", "nodule", "patient", "view", "sex", "age"})
"""Names that ``where`` and ``by`` know beside the quantities of nodules."""


class Stratum(NamedTuple):
    """One subgroup: what a reader calls it, and the ``where`` conditions that make it."""

    label: str
    where: Mapping[str, Condition]


def named_values(scenes: Scenes, of: str | None = None) -> dict[str, list[Value]]:
    """Return every quantity that the scenes give, by name, with its value in each nodule (or the one named ``of``)."""
    found: dict[str, list[Value]] = {}
    for nodule in scenes.nodules:
        if of is None or nodule.name == of:
            for name, value in nodule.values().items():
                found.setdefault(name, []).append(value)
    chains = [scenes.perturbations, *(arm.perturbations for arm in scenes.arms.values())]
    for perturbation in itertools.chain.from_iterable(chains):
        found.setdefault(perturbation.kind, []).append(perturbation.value)
    return found


def misspelt(name: str, known: Mapping[str, Any]) -> str | None:
    """Return the quantity that ``name`` surely means, though it is none; else None (a stratum of the manifest)."""
    if name in known or name in WORDS:
        return None
    close = difflib.get_close_matches(name.lower(), {*known, *WORDS, "diameter_mm", "contrast"}, n=1, cutoff=0.75)
    return close[0] if close else None


def as_condition(raw: Any) -> Condition:
    """Return a condition as a mapping; a bare value means ``equals``."""
    return raw if isinstance(raw, Mapping) else {"equals": raw}


def condition_text(name: str, condition: Condition) -> str:
    """Return a condition in words."""
    words = {"at_least": "at least", "at_most": "at most", "equals": "equal to", "in": "in"}
    return f"{name} " + " and ".join(f"{words[key]} {_text(value)}" for key, value in condition.items())


def _text(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_text, value)) + "]"
    return f"{value:g}" if isinstance(value, float) else str(value)


def contradiction(condition: Condition) -> bool:
    """Return whether no number or word at all can satisfy a condition."""
    low, high = condition.get("at_least", -math.inf), condition.get("at_most", math.inf)
    if low > high:
        return True
    wanted = _wanted(condition)
    return wanted is not None and not any(_within(value, low, high) for value in wanted)


def _wanted(condition: Condition) -> list[Any] | None:
    wanted: list[Any] | None = list(condition["in"]) if "in" in condition else None
    if "equals" in condition:
        equal = condition["equals"]
        wanted = [equal] if wanted is None or equal in wanted else []
    return wanted


def _within(value: Any, low: float, high: float) -> bool:
    if isinstance(value, (int, float)):
        return bool(low <= value <= high)
    return low == -math.inf and high == math.inf


def can_hold(value: Value, condition: Condition) -> bool:
    """Return whether a value can satisfy a condition (with more than probability 0)."""
    return bool(admitted(value, condition))


def admitted(value: Value, condition: Condition) -> tuple[Any, ...]:
    """Return the levels that satisfy a condition; for a continuous value its admitted range, if there is one."""
    low, high = condition.get("at_least", -math.inf), condition.get("at_most", math.inf)
    wanted = _wanted(condition)
    if isinstance(value, Constant | Sweep | Choice):
        return tuple(
            level
            for level in value.levels
            if _within(level, low, high) and (wanted is None or any(_same(level, w) for w in wanted))
        )
    bottom, top = value.bounds
    low, high = max(low, bottom), min(high, top)
    return ((low, high),) if low < high and wanted is None else ()


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return abs(float(a) - float(b)) < 1e-9
    return str(a) == str(b)


def bins(name: str, levels: list[Any]) -> list[Stratum]:
    """Return the strata of one name: numbers are edges of bins (the last one closed), texts are categories."""
    if not all(isinstance(level, (int, float)) for level in levels):
        if name == "region":
            return [Stratum(f"{name}={level}", {name: {"in": [level]}}) for level in levels]
        return [Stratum(f"{name}={level}", {name: {"equals": level}}) for level in levels]
    edges = [float(level) for level in levels]
    strata = []
    for low, high in itertools.pairwise(edges):
        below = high if high == edges[-1] else math.nextafter(high, -math.inf)
        strata.append(Stratum(f"{name}={low:g}-{high:g}", {name: {"at_least": low, "at_most": below}}))
    return strata


def strata_of(per_name: list[list[Stratum]]) -> Iterator[Stratum]:
    """Yield the strata of several names, crossed."""
    for combination in itertools.product(*per_name):
        where: dict[str, Condition] = {}
        for stratum in combination:
            where |= stratum.where
        yield Stratum(",".join(stratum.label for stratum in combination), where)
