"""Checks that nodules, arms, sweeps, selections and strata which an expectation names are there in the scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.evidence.trial import as_condition
from synnodtest.expectations import find_check
from synnodtest.expectations.asked import Asked
from synnodtest.scene import LOOKS
from synnodtest.spec.build import Builder
from synnodtest.spec.messages import Path, problem, unknown
from synnodtest.spec.model import Scenes
from synnodtest.spec.quantities import (
    Stratum,
    admitted,
    bins,
    can_hold,
    condition_text,
    contradiction,
    judged_quantities,
    misspelt,
    named_values,
    strata_of,
)
from synnodtest.spec.source import EMPTY, Node, listed, plain
from synnodtest.spec.validation import definition, definitions
from synnodtest.spec.values import Constant, Sweep, Value

Groups = Mapping[str, list[str]]
"""Names of arms and of what is judged, by the word that ``where`` and ``by`` use."""

_LOOKS_HINT = "give the nodule one; with a contrast it has no density"


@dataclass(frozen=True)
class Item:
    """One entry under ``expect``: its kind, parameters and place."""

    kind: str
    node: Node
    path: Path
    fuzz: bool

    @property
    def rules(self) -> Schema:
        """The definition of its kind in the schema."""
        searched = self.fuzz and f"fuzz_{self.kind}" in definitions()
        return definition(f"fuzz_{self.kind}" if searched else f"expect_{self.kind}")

    def part(self, name: str) -> Node:
        """A parameter's node, empty if it is not given."""
        return self.node.mapping.get(name, EMPTY)


def check_against_scenes(builder: Builder, item: Item, scenes: Scenes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Note whatever the expectation names and the scenes lack; return its ``strata`` if it has any."""
    kind = find_check(item.kind)
    distractors = kind is not None and kind.judges_distractors
    if distractors and not scenes.distractors:
        message = f"{item.kind!r} needs a distractor, and the scenes draw none"
        hint = "scenes: {distractors: [{mimic: nipple}]}"
        builder.problems.append(problem(item.node.place, item.path, message, hint))
        return {}
    if not scenes.nodules and (kind is None or kind.needs_nodules):
        message = f"{item.kind!r} needs a nodule, and the scenes plant none"
        builder.problems.append(problem(item.node.place, item.path, message))
        return {}
    names = [part.name for part in (scenes.distractors if distractors else scenes.nodules)]
    if not _check_names(builder, item, scenes, names, distractors=distractors):
        return {}
    judged = judged_quantities(scenes, parameters.get("of"), parameters.get("arm"), distractors=distractors)
    values_by_name = named_values(judged)
    groups: Groups = {"arm": list(scenes.arms), "name": names, "nodule": names}
    admitted_levels = _check_where(builder, item, groups, judged, values_by_name)
    if "over" in parameters and str(item.part("over").value) not in values_by_name:
        complain(builder, item, "over", unknown(str(item.part("over").value), values_by_name, "the scenes give"))
        return {}
    key = next((name for name in ("across", "by") if name in parameters), None)
    strata = None if key is None else _strata(builder, item, key, groups, values_by_name)
    own_strata = {} if strata is None else {"strata": strata}
    if kind is not None:
        asked = _asked(values_by_name, admitted_levels, strata)
        for complaint in kind.asks(kind.read({**parameters, **own_strata}), asked):
            complain(builder, item, *complaint)
    return own_strata


def _asked(
    known: Mapping[str, list[Value]], remaining: Mapping[str, list[tuple[Any, ...]]], strata: Sequence[Stratum] | None
) -> Asked:
    """Return what the scenes give, as far as a kind of expectation may complain of it."""
    fixed = {name for name, values in known.items() if all(isinstance(value, Constant) for value in values)}
    swept = {name: [v for v in values if isinstance(v, Sweep)] for name, values in known.items()}
    return Asked(
        fixed=frozenset(fixed),
        sweeps={name: max(len(sweep.values) for sweep in sweeps) for name, sweeps in swept.items() if sweeps},
        left={name: max(map(len, parts)) for name, parts in remaining.items() if parts},
        strata=None if strata is None else len(strata),
        varied=frozenset(known.keys() - fixed),
    )


def complain(builder: Builder, item: Item, name: str, message: str, hint: str = "") -> None:
    """Note a problem at a parameter, or at the expectation if the parameter is not given."""
    if name in item.node.mapping:
        builder.complain(item.part(name), (*item.path, name), message, hint)
    else:
        builder.problems.append(problem(item.node.place, item.path, message, hint))


def _check_names(builder: Builder, item: Item, scenes: Scenes, names: list[str], *, distractors: bool) -> bool:
    before = len(builder.problems)
    of = item.part("of").value
    what = "distractor" if distractors else "nodule"
    if of is not None and of not in names:
        complain(builder, item, "of", f"{what} {unknown(str(of), names, f'the {what}s')}")
    for key in ("arm", "reference"):
        arm = item.part(key).value
        if arm is None:
            continue
        if not scenes.arms:
            complain(builder, item, key, f"there is no arm {arm!r}: the scenes have no 'arms'")
        elif arm not in scenes.arms:
            complain(builder, item, key, f"arm {unknown(str(arm), scenes.arms, 'the arms')}")
        elif of in names and of not in (*scenes.arms[str(arm)].nodules, *scenes.arms[str(arm)].distractors):
            complain(builder, item, key, f"the arm {arm!r} does not plant the {what} {of!r}")
    arm, reference = item.part("arm").value, item.part("reference").value
    if arm is not None and arm == reference:
        complain(builder, item, "reference", f"the arm {arm!r} is compared with itself")
    return len(builder.problems) == before


def _check_where(
    builder: Builder,
    item: Item,
    groups: Groups,
    judged: Sequence[Mapping[str, Value]],
    known: Mapping[str, list[Value]],
) -> dict[str, list[tuple[Any, ...]]]:
    """Note conditions that nothing satisfies; return what remains of each quantity, per nodule."""
    remaining: dict[str, list[tuple[Any, ...]]] = {}
    where = item.part("where")
    for name, node in where.mapping.items():
        path = (*item.path, "where", name)
        condition = as_condition(plain(node))
        if contradiction(condition):
            builder.complain(node, path, f"selects nothing: nothing is {condition_text(name, condition)}")
            continue
        _check_condition(builder, node, path, name, condition, groups, known)
        if name in known:
            remaining[name] = [admitted(value, condition) for value in known[name]]
    if remaining and not any(part for parts in remaining.values() for part in parts):
        return remaining
    if len(remaining) > 1 and not _jointly(judged, where, set(remaining)):
        builder.complain(where, (*item.path, "where"), "selects nothing: no nodule satisfies all of it")
    return remaining


def _check_condition(
    builder: Builder,
    node: Node,
    path: Path,
    name: str,
    condition: Mapping[str, object],
    groups: Groups,
    known: Mapping[str, list[Value]],
) -> None:
    if name in known:
        if not any(can_hold(value, condition) for value in known[name]):
            message = f"selects nothing: no {condition_text(name, condition)} among {_range_text(known[name])}"
            builder.complain(node, path, message)
        return
    words = [w for key in ("equals", "in") if key in condition for w in listed(condition[key])]
    if name == "region":
        for word in words:
            builder.region_name(Node(word, node.mark), path)
        return
    if name == "mimic":
        builder.complain(node, path, "selects nothing: the scenes draw no distractor")
        return
    if name in groups:
        if words and not any(word in groups[name] for word in words):
            builder.complain(node, path, f"selects nothing: {name} {unknown(str(words[0]), groups[name], 'there')}")
        return
    meant = misspelt(name, known)
    if name in LOOKS:
        builder.complain(node, path, f"selects nothing: no nodule says its {name}", _LOOKS_HINT)
    elif name in definition("radiomics")["properties"]:
        builder.complain(node, path, f"selects nothing: no nodule requests the feature {name!r}")
    elif meant is not None:
        builder.problems.append(problem(node.place, path[:-1], f"{name!r} is not known; did you mean {meant!r}?"))


def _jointly(judged: Sequence[Mapping[str, Value]], where: Node, names: set[str]) -> bool:
    conditions = {name: as_condition(plain(node)) for name, node in where.mapping.items() if name in names}
    return any(all(n not in values or can_hold(values[n], c) for n, c in conditions.items()) for values in judged)


def _range_text(values: list[Value]) -> str:
    parts = []
    for value in values:
        if value.levels:
            parts.append(", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value.levels))
        else:
            low, high = value.bounds
            parts.append(f"values drawn from {low:g} to {high:g}")
    return "; ".join(dict.fromkeys(parts))


def _strata(
    builder: Builder, item: Item, key: str, groups: Groups, known: Mapping[str, list[Value]]
) -> tuple[Stratum, ...]:
    node = item.part(key)
    path = (*item.path, key)
    per_name: list[list[Stratum]] = []
    if isinstance(node.value, dict):
        for name, levels in node.value.items():
            per_name.append(_levelled(builder, levels, (*path, name), name, known))
    else:
        for part in node.sequence or (node,):
            name = str(part.value)
            own = _own_levels(name, groups, known)
            if not own:
                hint = f"name them: {{{name}: [..]}}"
                meant = misspelt(name, known)
                message = f"{name!r} is not known; did you mean {meant!r}?" if meant else f"{name!r} has no levels here"
                builder.complain(part, path, message, "" if meant else hint)
            per_name.append(own)
    where = plain(item.part("where")) or {}
    _check_overlap(builder, item, path, per_name, where)
    return tuple(strata_of(per_name, where))


def _check_overlap(
    builder: Builder, item: Item, path: Path, per_name: list[list[Stratum]], where: Mapping[str, object]
) -> None:
    """Note a name whose exact values both ``where`` and the strata choose: only ranges can be narrowed."""
    exact = {"equals", "in"}
    for stratum in (strata[0] for strata in per_name if strata):
        for name, condition in stratum.where.items():
            if name in where and exact & condition.keys() & as_condition(where[name]).keys():
                builder.complain(item.part("where"), path, f"{name!r} is chosen twice, here and under 'where'")


def _levelled(builder: Builder, node: Node, path: Path, name: str, known: Mapping[str, list[Value]]) -> list[Stratum]:
    levels = plain(node)
    numbers = [level for level in levels if isinstance(level, (int, float))]
    if numbers and len(numbers) < len(levels):
        builder.complain(node, path, "mixes numbers (edges of bins) and texts (categories)")
        return []
    if numbers != sorted(numbers):
        builder.complain(node, path, "the edges of bins must rise")
        return []
    if name == "region":
        for index, part in enumerate(node.sequence):
            builder.region_name(part, (*path, index))
    meant = misspelt(name, known)
    if name in LOOKS and name not in known:
        builder.complain(node, path, f"selects nothing: no nodule says its {name}", _LOOKS_HINT)
    elif meant is not None:
        builder.problems.append(problem(node.place, path[:-1], f"{name!r} is not known; did you mean {meant!r}?"))
    strata = bins(name, levels)
    for stratum in strata if name in known else ():
        if not any(can_hold(value, stratum.where[name]) for value in known[name]):
            builder.complain(
                node, path, f"the stratum {stratum.label} selects nothing among {_range_text(known[name])}"
            )
    return strata


def _own_levels(name: str, groups: Groups, known: Mapping[str, list[Value]]) -> list[Stratum]:
    levels: list[Any] = list(groups.get(name, ())) or [level for value in known.get(name, []) for level in value.levels]
    texts = {f"{level:g}" if isinstance(level, float) else str(level): level for level in levels}
    return [Stratum(f"{name}={text}", {name: {"equals": level}}) for text, level in texts.items()]
