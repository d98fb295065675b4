"""Quantities that ``over``, ``where`` and ``by`` can name in a behaviour, and whether a condition can hold there."""

from __future__ import annotations

import difflib
import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from synnodtest.evidence.conditions import Condition, as_condition, holds
from synnodtest.grouping import grouped
from synnodtest.spec.model import NoduleSpec, Scenes
from synnodtest.spec.values import Choice, Uniform, Value

FACTS = frozenset({"view", "sex", "age"})
"""Of those names, what a background may lack."""
WORDS = frozenset({"region", "arm", "name", "nodule", "mimic", "patient"}) | FACTS
"""Names that ``where`` and ``by`` know beside the quantities of nodules."""
_EXACT = frozenset({"equals", "in"})
"""Words of a condition that name values, not a range."""


class Stratum(NamedTuple):
    """One subgroup: what a reader calls it, and all ``where`` conditions that hold in it."""

    label: str
    where: Mapping[str, Condition]


def judged_quantities(
    scenes: Scenes, of: str | None = None, arm: str | None = None, *, distractors: bool = False
) -> list[Mapping[str, Value]]:
    """Return the quantities of what an expectation judges: of each nodule, or of each distractor.

    That is all of them, the one named ``of``, or those of one arm. A nodule also has the mimics that its scenes hold.
    """
    chosen = scenes.arms.get(arm or "")
    chosen_distractors = [one for one in scenes.distractors if chosen is None or one.name in chosen.distractors]
    if distractors:
        return [one.values() for one in chosen_distractors if of in (None, one.name)]
    mimics = [one.mimic for one in chosen_distractors]
    beside = {"mimic": mimics[0] if len(mimics) == 1 else Choice(_words(mimics))} if mimics else {}
    planted = [one for one in scenes.nodules if chosen is None or one.name in chosen.nodules]
    return [{**beside, **quantities(one)} for one in planted if of in (None, one.name)]


def _words(values: Iterable[Value]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(str(level) for value in values for level in value.levels))


def named_values(judged: Iterable[Mapping[str, Value]]) -> dict[str, list[Value]]:
    """Return every quantity of what is judged by name, with its value in each."""
    return grouped(pair for values in judged for pair in values.items())


FREE: Mapping[str, Value] = {
    "conspicuity": Uniform(-math.inf, math.inf),
    "contrast_in_place": Uniform(-math.inf, math.inf),
    "contrast": Uniform(0.0, 1.0),
    "density": Uniform(0.0, math.inf),
}
"""Quantities of every nodule, whatever its spec says; a value that is given is never as wide."""


def quantities(nodule: NoduleSpec) -> dict[str, Value]:
    """Return the quantities of one nodule by name; contrast and density that are not given can be anything."""
    own = nodule.values()
    return {name: value for name, value in FREE.items() if name != "density" or "contrast" not in own} | own


def misspelt(name: str, known: Mapping[str, object]) -> str | None:
    """Return the quantity that ``name`` surely means, though it is none; else None (a stratum of the manifest)."""
    if name in known or name in WORDS:
        return None
    close = difflib.get_close_matches(name.lower(), sorted({*known, *WORDS}), n=1, cutoff=0.75)
    return close[0] if close else None


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
    if _EXACT & condition.keys():
        named = [*condition.get("in", ()), *([condition["equals"]] if "equals" in condition else [])]
        return not any(holds(value, condition) for value in named)
    return bool(condition.get("at_least", -math.inf) > condition.get("at_most", math.inf))


def can_hold(value: Value, condition: Condition) -> bool:
    """Return whether a value can satisfy a condition (with more than probability 0)."""
    return bool(admitted(value, condition))


def admitted(value: Value, condition: Condition) -> tuple[Any, ...]:
    """Return the levels that satisfy a condition; for a continuous value its admitted range, if there is one."""
    if value.levels:
        return tuple(level for level in value.levels if holds(level, condition))
    bottom, top = value.bounds
    low, high = max(condition.get("at_least", bottom), bottom), min(condition.get("at_most", top), top)
    return ((low, high),) if low < high and not _EXACT & condition.keys() else ()


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


def strata_of(per_name: list[list[Stratum]], where: Mapping[str, object]) -> Iterator[Stratum]:
    """Yield the strata of several names, crossed, each narrowed by the expectation's own ``where``."""
    own = {name: as_condition(raw) for name, raw in where.items()}
    for combination in itertools.product(*per_name):
        conditions = dict(own)
        for stratum in combination:
            for name, condition in stratum.where.items():
                conditions[name] = _both(conditions.get(name, {}), condition)
        yield Stratum(",".join(stratum.label for stratum in combination), conditions)


def _both(a: Condition, b: Condition) -> Condition:
    both = {**a, **b}
    if "at_least" in a and "at_least" in b:
        both["at_least"] = max(a["at_least"], b["at_least"])
    if "at_most" in a and "at_most" in b:
        both["at_most"] = min(a["at_most"], b["at_most"])
    return both
