"""Checks that nodules, arms, sweeps, selections and strata which an expectation names are there in the scenes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from synnodtest.decoding import Schema
from synnodtest.evidence.conditions import as_condition
from synnodtest.expectations.language import Asked
from synnodtest.expectations.registry import kinds
from synnodtest.scene import LOOKS
from synnodtest.spec.build import Builder
from synnodtest.spec.messages import unknown
from synnodtest.spec.model import Scenes
from synnodtest.spec.nodes import EMPTY, KeyPath, Node, listed, plain
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
from synnodtest.spec.validation import definition
from synnodtest.spec.values import Constant, Sweep, Value


@dataclass(frozen=True)
class Item:
    """One entry under ``expect``: who takes complaints of it, its kind, and its node."""

    builder: Builder
    kind: str
    node: Node
    fuzz: bool

    @property
    def rules(self) -> Schema:
        """The definition of its kind in the schema."""
        entry = definition("fuzz_expectation" if self.fuzz else "expectation")["properties"][self.kind]
        return definition(entry["$ref"].rpartition("/")[2])

    def part(self, name: str) -> Node:
        """A parameter's node, empty if it is not given."""
        return self.node.mapping.get(name, EMPTY)

    def complain(self, name: str, message: str, hint: str = "") -> None:
        """Note a problem at a parameter, or at the expectation if the parameter is not given."""
        if name in self.node.mapping:
            self.builder.complain(self.part(name), message, hint)
        else:
            self.builder.complain_at_key(self.node, message, hint)

    def ask(self, parameters: Mapping[str, object], asked: Asked) -> None:
        """Note what its kind cannot work with, beyond the schema."""
        kind = kinds()[self.kind]
        for complaint in kind.asks(kind.read(parameters), asked):
            self.complain(*complaint)


def check_against_scenes(item: Item, scenes: Scenes, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Note whatever the expectation names and the scenes lack; return its ``strata`` if it has any."""
    kind = kinds()[item.kind]
    distractors = kind.judges_distractors
    if distractors and not scenes.distractors:
        hint = "scenes: {distractors: [{mimic: nipple}]}"
        item.complain("", f"{item.kind!r} needs a distractor, and the scenes draw none", hint)
        return {}
    if not scenes.nodules and kind.needs_nodules:
        item.complain("", f"{item.kind!r} needs a nodule, and the scenes plant none")
        return {}
    names = [part.name for part in (scenes.distractors if distractors else scenes.nodules)]
    if not _check_names(item, scenes, names, "distractor" if distractors else "nodule"):
        return {}
    judged = judged_quantities(scenes, parameters.get("of"), parameters.get("arm"), distractors=distractors)
    selection = _Selection(item, {"arm": list(scenes.arms), "name": names, "nodule": names}, judged)
    left = selection.left_by_where()
    over = str(item.part("over").value)
    if "over" in parameters and over not in selection.known:
        item.complain("over", unknown(over, selection.known, "the scenes give"))
        return {}
    key = next((name for name in ("across", "by") if name in parameters), None)
    strata = None if key is None else selection.strata(item.part(key))
    own_strata = {} if strata is None else {"strata": strata}
    item.ask({**parameters, **own_strata}, _asked(selection.known, left, strata))
    return own_strata


def _check_names(item: Item, scenes: Scenes, names: list[str], what: str) -> bool:
    """Return whether nodule (or distractor) and arms that an expectation names are there; note those that are not."""
    before = len(item.builder.problems)
    of, arm, reference = (item.part(key).value for key in ("of", "arm", "reference"))
    if of is not None and of not in names:
        item.complain("of", f"{what} {unknown(str(of), names, f'the {what}s')}")
    for key, named in (("arm", arm), ("reference", reference)):
        if named is None:
            continue
        if not scenes.arms:
            item.complain(key, f"there is no arm {named!r}: the scenes have no 'arms'")
        elif named not in scenes.arms:
            item.complain(key, f"arm {unknown(str(named), scenes.arms, 'the arms')}")
        elif of in names and of not in (*scenes.arms[str(named)].nodules, *scenes.arms[str(named)].distractors):
            item.complain(key, f"the arm {named!r} does not plant the {what} {of!r}")
    if arm is not None and arm == reference:
        item.complain("reference", f"the arm {arm!r} is compared with itself")
    return len(item.builder.problems) == before


def _asked(
    known: Mapping[str, list[Value]], remaining: Mapping[str, list[tuple[Any, ...]]], strata: Sequence[Stratum] | None
) -> Asked:
    """Return what the scenes give, as far as a kind of expectation may complain of it."""
    fixed = {name for name, values in known.items() if all(isinstance(value, Constant) for value in values)}
    swept = {name: [len(v.values) for v in values if isinstance(v, Sweep)] for name, values in known.items()}
    return Asked(
        fixed=frozenset(fixed),
        sweeps={name: max(levels) for name, levels in swept.items() if levels},
        left={name: max(map(len, parts)) for name, parts in remaining.items() if parts},
        strata=None if strata is None else len(strata),
        varied=frozenset(known.keys() - fixed),
    )


class _Selection:
    """Selections and strata of an expectation, held against what it judges.

    Args:
        item: The expectation.
        groups: Names of arms and of what is judged, by the word that ``where`` and ``by`` use.
        judged: Quantities of each nodule, or distractor, that is judged.
    """

    def __init__(self, item: Item, groups: Mapping[str, list[str]], judged: Sequence[Mapping[str, Value]]) -> None:
        self.known = named_values(judged)
        self._groups = groups
        self._judged = judged
        self._where = item.part("where")
        self._builder = item.builder

    def left_by_where(self) -> dict[str, list[tuple[Any, ...]]]:
        """Note conditions that nothing satisfies; return what remains of each quantity, per nodule."""
        remaining: dict[str, list[tuple[Any, ...]]] = {}
        for name, node in self._where.mapping.items():
            condition = as_condition(plain(node))
            if contradiction(condition):
                self._nothing(node, f"nothing is {condition_text(name, condition)}")
            elif name not in self.known:
                self._check_word(node, name, condition)
            else:
                remaining[name] = [admitted(value, condition) for value in self.known[name]]
                if not any(remaining[name]):
                    self._nothing(node, f"no {condition_text(name, condition)} among {self._range_text(name)}")
        if any(map(any, remaining.values())) and len(remaining) > 1 and not self._jointly(set(remaining)):
            self._nothing(self._where, "no nodule satisfies all of it")
        return remaining

    def _nothing(self, node: Node, why: str, hint: str = "") -> None:
        self._builder.complain(node, f"selects nothing: {why}", hint)

    def _check_word(self, node: Node, name: str, condition: Mapping[str, object]) -> None:
        """Note a condition on a word that the scenes do not give, or on what is no quantity at all."""
        words = [w for key in ("equals", "in") if key in condition for w in listed(condition[key])]
        group = self._groups.get(name, ())
        if name == "region":
            for word in words:
                self._builder.region(Node(word, node.mark, path=node.path))
        elif name == "mimic":
            self._nothing(node, "the scenes draw no distractor")
        elif name in self._groups:
            if words and not any(word in group for word in words):
                self._nothing(node, f"{name} {unknown(str(words[0]), group, 'there')}")
        elif name in definition("radiomics")["properties"]:
            self._nothing(node, f"no nodule requests the feature {name!r}")
        else:
            self._check_quantity(node, name)

    def _check_quantity(self, node: Node, name: str) -> None:
        """Note a quantity that no nodule has, and one that surely means another."""
        if name in LOOKS and name not in self.known:
            self._nothing(node, f"no nodule says its {name}", "give the nodule one; with a contrast it has no density")
        elif meant := misspelt(name, self.known):
            message = f"{name!r} is not known; did you mean {meant!r}?"
            self._builder.complain_at_key(node, message, path=node.path[:-1])

    def _jointly(self, names: set[str]) -> bool:
        conditions = {name: as_condition(plain(node)) for name, node in self._where.mapping.items() if name in names}
        return any(
            all(n not in values or can_hold(values[n], c) for n, c in conditions.items()) for values in self._judged
        )

    def _range_text(self, name: str) -> str:
        parts = []
        for value in self.known[name]:
            if value.levels:
                parts.append(", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value.levels))
            else:
                low, high = value.bounds
                parts.append(f"values drawn from {low:g} to {high:g}")
        return "; ".join(dict.fromkeys(parts))

    def strata(self, node: Node) -> tuple[Stratum, ...]:
        """Return the strata that ``by`` or ``across`` name, crossed; whatever is wrong is noted."""
        if isinstance(node.value, dict):
            per_name = [self._levelled(levels, name) for name, levels in node.value.items()]
        else:
            per_name = [self._own_levels(part, str(part.value)) for part in node.sequence or (node,)]
        self._check_overlap(node.path, per_name)
        return tuple(strata_of(per_name, plain(self._where) or {}))

    def _check_overlap(self, path: KeyPath, per_name: list[list[Stratum]]) -> None:
        """Note a name whose exact values both ``where`` and the strata choose: only ranges can be narrowed."""
        exact, where = {"equals", "in"}, self._where.mapping
        for stratum in (strata[0] for strata in per_name if strata):
            for name, condition in stratum.where.items():
                if name in where and exact & condition.keys() & as_condition(plain(where[name])).keys():
                    message = f"{name!r} is chosen twice, here and under 'where'"
                    self._builder.complain(self._where, message, path=path)

    def _levelled(self, node: Node, name: str) -> list[Stratum]:
        levels, known = plain(node), self.known.get(name)
        numbers = [level for level in levels if isinstance(level, (int, float))]
        if numbers and len(numbers) < len(levels):
            self._builder.complain(node, "mixes numbers (edges of bins) and texts (categories)")
            return []
        if numbers != sorted(numbers):
            self._builder.complain(node, "the edges of bins must rise")
            return []
        for part in node.sequence if name == "region" else ():
            self._builder.region(part)
        self._check_quantity(node, name)
        strata = bins(name, levels)
        for stratum in strata if known else ():
            if not any(can_hold(value, stratum.where[name]) for value in known or ()):
                message = f"the stratum {stratum.label} selects nothing among {self._range_text(name)}"
                self._builder.complain(node, message)
        return strata

    def _own_levels(self, node: Node, name: str) -> list[Stratum]:
        """Return the strata of a name whose levels the scenes give."""
        levels: list[Any] = [*self._groups.get(name, ())]
        levels = levels or [level for value in self.known.get(name, ()) for level in value.levels]
        if not levels:
            meant = misspelt(name, self.known)
            message = f"{name!r} is not known; did you mean {meant!r}?" if meant else f"{name!r} has no levels here"
            self._builder.complain(node, message, "" if meant else f"name them: {{{name}: [..]}}")
        texts = {f"{level:g}" if isinstance(level, float) else str(level): level for level in levels}
        return [Stratum(f"{name}={text}", {name: {"equals": level}}) for text, level in texts.items()]
