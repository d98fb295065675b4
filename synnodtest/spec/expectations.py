"""``expect:`` -> expectations, with the checks of names, sweeps, selections and margins."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from synnodtest.spec.build import EMPTY, Builder
from synnodtest.spec.messages import Path, problem, unknown
from synnodtest.spec.model import Behaviour, Companion, Expectation, Scenes
from synnodtest.spec.quantities import (
    Stratum,
    admitted,
    as_condition,
    bins,
    can_hold,
    condition_text,
    contradiction,
    misspelt,
    named_values,
    strata_of,
)
from synnodtest.spec.source import Node, plain
from synnodtest.spec.validation import definition, kinds, validate
from synnodtest.spec.values import Constant, Sweep, Value

__all__ = ["FUZZ_EXPECTATIONS", "SCENE_EXPECTATIONS", "build_expectations", "companion", "matching"]

PAIRED = frozenset({"non_inferior", "superior", "equivalent", "invariant"})
WITHOUT_NODULES = frozenset({"false_positives_per_image", "specificity", "python"})
LEAST_LEVELS = 5

SCENE_EXPECTATIONS = kinds("expectation")
FUZZ_EXPECTATIONS = kinds("fuzz_expectation")


@dataclass(frozen=True)
class _Item:
    """One entry under ``expect``: its kind, parameters and place."""

    kind: str
    node: Node
    path: Path
    fuzz: bool

    @property
    def rules(self) -> Mapping[str, Any]:
        """The definition of its kind in the schema."""
        name = self.kind if self.kind == "python" or not self.fuzz else f"{self.kind}"
        return definition(f"fuzz_{name}" if self.fuzz and self.kind != "python" else f"expect_{name}")

    def part(self, name: str) -> Node:
        """A parameter's node, empty if it is not given."""
        return self.node.mapping.get(name, EMPTY)


def build_expectations(
    builder: Builder, node: Node, path: Path, behaviour: Behaviour, fuzz: bool
) -> tuple[Expectation, ...]:
    """Return the expectations under ``expect``; whatever is wrong goes to the builder.

    Args:
        builder: Takes complaints.
        node: The list under ``expect``.
        path: Its path.
        behaviour: The behaviour without expectations; its scenes are None if they could not be built.
        fuzz: Whether it is a fuzz behaviour.
    """
    found: list[Expectation] = []
    ids: dict[str, int] = {}
    repeats: dict[str, int] = {}
    for index, entry in enumerate(node.sequence):
        item = _item(builder, entry, (*path, index), fuzz)
        if item is None:
            continue
        repeats[item.kind] = repeats.get(item.kind, 0) + 1
        expectation = _expectation(builder, item, behaviour, index, repeats[item.kind])
        if expectation.id in ids:
            place = item.part("id") if "id" in item.node.mapping else item.node
            first = ids[expectation.id]
            message = f"two expectations are called {expectation.id!r}; the first stands in line {first}"
            builder.problems.append(problem(place.place, item.path, message))
        ids[expectation.id] = expectation.line
        found.append(expectation)
    return tuple(found)


def _item(builder: Builder, entry: Node, path: Path, fuzz: bool) -> _Item | None:
    allowed = FUZZ_EXPECTATIONS if fuzz else SCENE_EXPECTATIONS
    other = SCENE_EXPECTATIONS if fuzz else FUZZ_EXPECTATIONS
    for key, child in entry.mapping.items():
        if key in other and key not in allowed:
            needs, have = ("scenes", "fuzz") if fuzz else ("fuzz", "scenes")
            message = f"{key!r} needs {needs!r}, and this behaviour has {have!r}"
            builder.problems.append(problem(child.place, path, message, f"it may expect {', '.join(allowed)}"))
            return None
    wrong = validate(entry, "fuzz_expectation" if fuzz else "expectation", path)
    builder.problems.extend(wrong)
    if wrong:
        return None
    kind, child = next(iter(entry.mapping.items()))
    return _Item(kind, child, (*path, kind), fuzz)


def _expectation(builder: Builder, item: _Item, behaviour: Behaviour, index: int, repeat: int) -> Expectation:
    properties = item.rules["properties"]
    given = plain(item.node) if isinstance(item.node.value, dict) else {"function": item.node.value}
    parameters: dict[str, Any] = {n: rule["default"] for n, rule in properties.items() if "default" in rule}
    parameters |= given
    parameters.pop("id", None)
    parameters.setdefault("alpha", behaviour.sampling.alpha)
    points = parameters.get("operating_point", behaviour.operating_point)
    parameters["operating_point"] = [float(p) for p in (points if isinstance(points, (list, tuple)) else [points])]
    own = item.part("matching")
    parameters["matching"] = matching(builder, own, (*item.path, "matching")) if own.value else dict(behaviour.matching)
    if "region" in given:
        parameters["region"] = builder.region(item.part("region"), (*item.path, "region"))
    if "under" in given:
        parameters["under"] = builder.perturbations(item.part("under"), (*item.path, "under"))
    if "companion" in given:
        parameters["companion"] = companion(builder, item.part("companion"), (*item.path, "companion"))
    if behaviour.scenes is not None:
        parameters |= _check_against_scenes(builder, item, behaviour.scenes, parameters)
    _check_margins(builder, item, parameters)
    name = str(item.part("id").value or (item.kind if repeat == 1 else f"{item.kind}-{repeat}"))
    place = item.node.place
    return Expectation(item.kind, parameters, place.line, place.column, index, name)


def matching(builder: Builder, node: Node, path: Path) -> dict[str, Any]:
    """Return a matching with its default filled in; a parameter of the other criterion is noted."""
    given: dict[str, Any] = plain(node)
    iou = given.get("criterion") == "iou"
    own, alien = ("at_least", "tolerance_mm") if iou else ("tolerance_mm", "at_least")
    if alien in given:
        other = "centre-in-nodule" if iou else "iou"
        message = f"{alien!r} belongs to the criterion {other!r}, not to {given['criterion']!r}"
        builder.problems.append(problem(node.mapping[alien].place, path, message))
    return {"criterion": given["criterion"], own: given.get(own, 0.2 if iou else 5)}


def companion(builder: Builder, node: Node, path: Path) -> Companion:
    """Return the second nodule of a fuzzed example."""
    parts = node.mapping

    def optional(name: str) -> Value | None:
        return builder.value(parts[name], (*path, name), name) if name in parts else None

    return Companion(
        diameter_mm=optional("diameter_mm") or Constant(20.0),
        contrast=optional("contrast"),
        distance_mm=optional("distance_mm"),
        location=builder.location(parts.get("location"), (*path, "location")),
    )


# against the scenes ---------------------------------------------------------------------------------------------


def _check_against_scenes(
    builder: Builder, item: _Item, scenes: Scenes, parameters: Mapping[str, Any]
) -> dict[str, Any]:
    if not scenes.nodules and item.kind not in WITHOUT_NODULES:
        message = f"{item.kind!r} needs a nodule, and the scenes plant none"
        builder.problems.append(problem(item.node.place, item.path, message))
        return {}
    if not _check_names(builder, item, scenes):
        return {}
    of = parameters.get("of")
    known = named_values(scenes, of)
    admitted_levels = _check_where(builder, item, scenes, known)
    if "over" in parameters:
        _check_over(builder, item, known, admitted_levels)
    if item.kind == "size_at_sensitivity" and all(isinstance(v, Constant) for v in known.get("diameter_mm", [])):
        _complain(builder, item, "diameter_mm", "needs nodules of different 'diameter_mm', and it is fixed")
    key = "across" if item.kind == "parity" else "by"
    if key not in parameters:
        return {}
    strata = _strata(builder, item, key, scenes, known)
    return {"strata": strata}


def _complain(builder: Builder, item: _Item, name: str, message: str, hint: str = "") -> None:
    builder.problems.append(
        problem(
            item.part(name).mark if name in item.node.mapping else item.node.place,
            (*item.path, name) if name in item.node.mapping else item.path,
            message,
            hint,
        )
    )


def _check_names(builder: Builder, item: _Item, scenes: Scenes) -> bool:
    before = len(builder.problems)
    of = item.part("of").value
    names = [nodule.name for nodule in scenes.nodules]
    if of is not None and of not in names:
        _complain(builder, item, "of", f"nodule {unknown(str(of), names, 'the nodules')}")
    for key in ("arm", "reference"):
        arm = item.part(key).value
        if arm is None:
            continue
        if not scenes.arms:
            _complain(builder, item, key, f"there is no arm {arm!r}: the scenes have no 'arms'")
        elif arm not in scenes.arms:
            _complain(builder, item, key, f"arm {unknown(str(arm), scenes.arms, 'the arms')}")
        elif of in names and of not in scenes.arms[str(arm)].nodules:
            _complain(builder, item, key, f"the arm {arm!r} does not plant the nodule {of!r}")
    arm, reference = item.part("arm").value, item.part("reference").value
    if arm is not None and arm == reference:
        _complain(builder, item, "reference", f"the arm {arm!r} is compared with itself")
    return len(builder.problems) == before


def _check_where(
    builder: Builder, item: _Item, scenes: Scenes, known: Mapping[str, list[Value]]
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
        _check_condition(builder, node, path, name, condition, scenes, known)
        if name in known:
            remaining[name] = [admitted(value, condition) for value in known[name]]
    if remaining and not any(part for parts in remaining.values() for part in parts):
        return remaining
    if len(remaining) > 1 and not _jointly(scenes, where, item.part("of").value, set(remaining)):
        builder.complain(where, (*item.path, "where"), "selects nothing: no nodule satisfies all of it")
    return remaining


def _check_condition(
    builder: Builder,
    node: Node,
    path: Path,
    name: str,
    condition: Mapping[str, Any],
    scenes: Scenes,
    known: Mapping[str, list[Value]],
) -> None:
    if name in known:
        if not any(can_hold(value, condition) for value in known[name]):
            message = f"selects nothing: no {condition_text(name, condition)} among {_range_text(known[name])}"
            builder.complain(node, path, message)
        return
    words = [w for key in ("equals", "in") if key in condition for w in _listed(condition[key])]
    if name == "region":
        for word in words:
            builder.region_name(Node(word, node.mark), path)
        return
    groups = {"arm": list(scenes.arms), "name": [n.name for n in scenes.nodules]}
    groups["nodule"] = groups["name"]
    if name in groups:
        if words and not any(word in groups[name] for word in words):
            builder.complain(node, path, f"selects nothing: {name} {unknown(str(words[0]), groups[name], 'there are')}")
        return
    meant = misspelt(name, known)
    if name in definition("radiomics")["properties"]:
        builder.complain(node, path, f"selects nothing: no nodule requests the feature {name!r}")
    elif meant is not None:
        builder.problems.append(problem(node.place, path[:-1], f"{name!r} is not known; did you mean {meant!r}?"))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _jointly(scenes: Scenes, where: Node, of: Any, names: set[str]) -> bool:
    conditions = {name: as_condition(plain(node)) for name, node in where.mapping.items() if name in names}
    for nodule in scenes.nodules:
        if of is not None and nodule.name != of:
            continue
        values = nodule.values()
        if all(name not in values or can_hold(values[name], c) for name, c in conditions.items()):
            return True
    return False


def _range_text(values: list[Value]) -> str:
    parts = []
    for value in values:
        if value.levels:
            parts.append(", ".join(f"{v:g}" if isinstance(v, float) else str(v) for v in value.levels))
        else:
            low, high = value.bounds
            parts.append(f"values drawn from {low:g} to {high:g}")
    return "; ".join(dict.fromkeys(parts))


def _check_over(
    builder: Builder, item: _Item, known: Mapping[str, list[Value]], remaining: Mapping[str, list[tuple[Any, ...]]]
) -> None:
    name = str(item.part("over").value)
    if name not in known:
        _complain(builder, item, "over", unknown(name, known, "the scenes give"))
        return
    if item.kind != "monotone":
        if all(isinstance(value, Constant) for value in known[name]):
            _complain(builder, item, "over", f"{name!r} does not vary", "give it {sweep: [..]} or {uniform: [a, b]}")
        return
    sweeps = [value for value in known[name] if isinstance(value, Sweep)]
    if not sweeps:
        hint = f"give it {{sweep: [..]}} with at least {LEAST_LEVELS} levels"
        _complain(builder, item, "over", f"{name!r} is not swept", hint)
        return
    levels = max(len(sweep.values) for sweep in sweeps)
    if levels < LEAST_LEVELS:
        message = f"{name!r} has {levels} levels; 'monotone' needs at least {LEAST_LEVELS}"
        _complain(builder, item, "over", message)
        return
    left = max((len(part) for part in remaining.get(name, [])), default=LEAST_LEVELS)
    if 0 < left < LEAST_LEVELS:
        message = f"leaves {left} levels of {name!r}; 'monotone' needs at least {LEAST_LEVELS}"
        _complain(builder, item, "where", message)


# strata and margins ---------------------------------------------------------------------------------------------


def _strata(
    builder: Builder, item: _Item, key: str, scenes: Scenes, known: Mapping[str, list[Value]]
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
            found = _own_levels(name, scenes, known)
            if not found:
                hint = f"name them: {{{name}: [..]}}"
                meant = misspelt(name, known)
                message = f"{name!r} is not known; did you mean {meant!r}?" if meant else f"{name!r} has no levels here"
                builder.complain(part, path, message, "" if meant else hint)
            per_name.append(found)
    strata = tuple(strata_of(per_name))
    if item.kind == "parity" and len(strata) == 1:
        builder.complain(node, path, "a comparison needs at least two groups")
    return strata


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
    if meant is not None:
        builder.problems.append(problem(node.place, path[:-1], f"{name!r} is not known; did you mean {meant!r}?"))
    strata = bins(name, levels)
    for stratum in strata if name in known else ():
        if not any(can_hold(value, stratum.where[name]) for value in known[name]):
            builder.complain(
                node, path, f"the stratum {stratum.label} selects nothing among {_range_text(known[name])}"
            )
    return strata


def _own_levels(name: str, scenes: Scenes, known: Mapping[str, list[Value]]) -> list[Stratum]:
    groups: dict[str, list[Any]] = {"arm": list(scenes.arms), "name": [n.name for n in scenes.nodules]}
    groups["nodule"] = groups["name"]
    levels = groups.get(name) or [level for value in known.get(name, []) for level in value.levels]
    texts = {f"{level:g}" if isinstance(level, float) else str(level): level for level in levels}
    return [Stratum(f"{name}={text}", {name: {"equals": level}}) for text, level in texts.items()]


def _check_margins(builder: Builder, item: _Item, parameters: Mapping[str, Any]) -> None:
    metric = parameters.get("metric")
    margin = parameters.get("margin")
    if metric in {"sensitivity", "specificity"} and isinstance(margin, (int, float)) and margin >= 1:
        _complain(
            builder,
            item,
            "margin",
            f"a difference of rates is below 1, and the margin is {margin:g}",
            "0.10 means ten percentage points",
        )
    if item.kind == "localization":
        wanted = "at_least" if metric == "iou" else "at_most"
        if wanted not in parameters:
            _complain(builder, item, "metric", f"the metric {metric!r} is judged with {wanted!r}")
