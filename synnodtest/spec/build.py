"""Validated nodes -> model, with the checks that a JSON Schema cannot make."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from synnodtest.errors import Problem
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.evidence.regions import AllOf, AnyOf, NotIn, RegionExpression
from synnodtest.perturbations.registry import perturbation_kinds
from synnodtest.spec.limits import LIMITS
from synnodtest.spec.messages import Path, closest, path_text, problem, unknown
from synnodtest.spec.model import (
    NOMINAL_MM,
    ArmSpec,
    DistractorSpec,
    Location,
    NoduleSpec,
    PerturbationSpec,
    Scenes,
    filled_mm,
)
from synnodtest.spec.source import EMPTY, Node, plain
from synnodtest.spec.values import Amount, Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

BRIGHTNESS = ("contrast", "density", "attenuation")
"""Each says how bright a nodule is; they exclude each other."""
_BRIGHTNESS_HINT = "contrast orders a brightness; density sets it by physics; attenuation draws the density"


class Builder:
    """Builds one behaviour's parts and notes what is wrong; parts that broke the schema are left out.

    Args:
        problems: Where complaints go; those of the schema are in it already.
        known_regions: Regions beyond the built-in ones.
    """

    def __init__(self, problems: list[Problem], known_regions: frozenset[str]) -> None:
        self.problems = problems
        self._regions = BUILT_IN_REGIONS | known_regions
        self._broken = [p.path for p in problems]

    def complain(self, node: Node, path: Path, message: str, hint: str = "") -> None:
        """Note a problem at a node's value."""
        self.problems.append(problem(node.mark, path, message, hint))

    def clean(self, path: Path) -> bool:
        """Return whether the schema found nothing wrong at a path and below it."""
        text = path_text(path)
        return not any(p == text or p.startswith((f"{text}.", f"{text}[")) for p in self._broken)

    # values ----------------------------------------------------------------------------------------------------

    def value(self, node: Node, path: Path, quantity: str = "") -> Value:
        """Return a value; impossible ranges are noted."""
        limits = LIMITS.get(quantity, (-math.inf, math.inf))
        if isinstance(node.value, tuple):
            return self._range(node, path, "uniform", limits)
        if not isinstance(node.value, dict):
            return Constant(_amount(node.value))
        kind, inner = next(iter(node.value.items()))
        if kind == "sweep":
            return Sweep(tuple(float(v) for v in plain(inner)))
        if kind == "choice":
            return Choice(tuple(float(v) for v in plain(inner)))
        return self._range(inner, (*path, kind), kind, limits)

    def words(self, node: Node) -> Value:
        """Return a value of words: one, all of a sweep, or one of a choice."""
        if isinstance(node.value, tuple):
            return Choice(tuple(map(str, plain(node))))
        if not isinstance(node.value, dict):
            return Constant(str(node.value))
        kind, inner = next(iter(node.value.items()))
        levels = tuple(map(str, plain(inner)))
        return Sweep(levels) if kind == "sweep" else Choice(levels)

    def one_brightness(self, parts: Mapping[str, Node], path: Path) -> None:
        """Note a nodule whose brightness is said twice."""
        orders = [name for name in BRIGHTNESS if name in parts]
        if len(orders) > 1:
            message = f"{' and '.join(map(repr, orders))} each say how bright the nodule is; give one of them"
            self.problems.append(problem(parts[orders[1]].place, (*path, orders[1]), message, _BRIGHTNESS_HINT))

    def _range(self, node: Node, path: Path, kind: str, limits: tuple[float, float]) -> Value:
        low, high = (float(v) for v in plain(node))
        if kind == "normal":
            if high <= 0:
                self.complain(node, path, f"the standard deviation must be above 0, not {high:g}")
            elif not limits[0] <= low <= limits[1]:
                self.complain(node, path, f"the mean must lie within {limits[0]:g} to {limits[1]:g}, not at {low:g}")
            return Normal(low, high, *limits)
        if kind == "log_uniform" and low <= 0:
            self.complain(node, path, f"a logarithm needs bounds above 0, not {low:g}")
        elif low == high:
            self.complain(node, path, f"the range [{low:g}, {high:g}] is a single value", f"write {low:g}")
        elif low > high:
            self.complain(node, path, f"the range [{low:g}, {high:g}] is empty", f"write [{high:g}, {low:g}]")
        return LogUniform(low, high) if kind == "log_uniform" else Uniform(low, high)

    # places ----------------------------------------------------------------------------------------------------

    def region(self, node: Node, path: Path) -> RegionExpression:
        """Return a region expression; unknown names are noted."""
        if isinstance(node.value, dict):
            kind, inner = next(iter(node.value.items()))
            if kind == "not":
                return NotIn(self.region(inner, (*path, kind)))
            parts = tuple(self.region(part, (*path, kind, i)) for i, part in enumerate(inner.sequence))
            return AnyOf(parts) if kind == "any" else AllOf(parts)
        name = str(node.value)
        if name not in self._regions:
            hint = "" if closest(name, self._regions) else _MASK_HINT
            self.complain(node, path, f"region {unknown(name, self._regions, 'built in')}", hint)
        return name

    def region_name(self, node: Node, path: Path) -> None:
        """Note a region's name that is not known."""
        self.region(Node(str(node.value), node.mark), path)

    def location(self, node: Node | None, path: Path) -> Location:
        """Return a location; contradictions are noted."""
        if node is None:
            return Location()
        parts = node.mapping
        place_keys = [key for key in ("region", "at_mm", "box_px") if key in parts]
        if len(place_keys) > 1:
            self.complain(parts[place_keys[1]], path, f"give one of {' and '.join(place_keys)}, not both")
        place: dict[str, Any] = {"region": None} if place_keys else {}
        if "region" in parts:
            place["region"] = self.region(parts["region"], (*path, "region"))
        if "at_mm" in parts:
            place["at_mm"] = tuple(float(v) for v in plain(parts["at_mm"]))
        if "box_px" in parts:
            place["box_px"] = self._box(parts["box_px"], (*path, "box_px"))
        avoid = parts.get("avoid", EMPTY).sequence
        place |= {name: str(parts[name].value) for name in ("beside", "under") if name in parts}
        place |= {"gap_mm": float(plain(parts["gap_mm"]))} if "gap_mm" in parts else {}
        self._one_place(parts, path)
        return Location(
            **place,
            min_distance_mm=float(plain(parts["min_distance_mm"])) if "min_distance_mm" in parts else 0.0,
            avoid=tuple(self.region(part, (*path, "avoid", i)) for i, part in enumerate(avoid)),
        )

    def _one_place(self, parts: Mapping[str, Node], path: Path) -> None:
        """Note a place beside or under a distractor that is said twice, or a gap beside nothing."""
        place_keys = [name for name in ("at_mm", "beside", "under") if name in parts]
        if len(place_keys) > 1:
            self.complain(parts[place_keys[1]], path, f"give one of {' and '.join(place_keys)}, not both")
        if "gap_mm" in parts and "beside" not in parts:
            self.complain(parts["gap_mm"], path, "'gap_mm' says how far beside a distractor", "give 'beside', too")

    def _box(self, node: Node, path: Path) -> tuple[float, ...]:
        box = tuple(float(v) for v in plain(node))
        if box[0] >= box[2] or box[1] >= box[3]:
            self.complain(node, path, "the box is empty", "the order is [x0, y0, x1, y1], x0 < x1 and y0 < y1")
        return box

    def perturbations(self, node: Node | None, path: Path) -> tuple[PerturbationSpec, ...]:
        """Return the perturbations in order, from a mapping or a list of mappings."""
        if node is None or not self.clean(path):
            return ()
        listed = isinstance(node.value, tuple)
        items = enumerate(node.sequence) if listed else [(0, node)]
        return tuple(
            PerturbationSpec(kind, self.amount(child, (*path, i, kind) if listed else (*path, kind), kind))
            for i, item in items
            for kind, child in item.mapping.items()
        )

    def amount(self, node: Node, path: Path, kind: str) -> Value:
        """Return the value of a perturbation."""
        if kind == "flip":
            return Constant("horizontal" if node.value is True else str(node.value))
        if kind == "shift_px":
            return Constant(tuple(float(v) for v in plain(node)))
        if perturbation_kinds()[kind].span is None:
            return Constant(str(node.value))
        return self.value(node, path, f"perturbations.{kind}")

    # scenes ----------------------------------------------------------------------------------------------------

    def scenes(self, node: Node, path: Path) -> Scenes | None:
        """Return the scenes, or None if they broke the schema."""
        nodules = self._nodules(node.mapping.get("nodules", EMPTY), (*path, "nodules"))
        names = tuple(n.name for n in nodules if n is not None)
        distractors = self._distractors(node.mapping.get("distractors", EMPTY), (*path, "distractors"), names)
        others = tuple(d.name for d in distractors)
        self._located(node, path, others)
        complete = None not in nodules
        arms = self._arms(node.mapping.get("arms", EMPTY), (*path, "arms"), names, others, complete=complete)
        perturbations = self.perturbations(node.mapping.get("perturbations"), (*path, "perturbations"))
        at = (*path, "prior_perturbations")
        earlier = self.perturbations(node.mapping.get("prior_perturbations"), at)
        if earlier and all(n is None or n.doubling_days is None for n in nodules):
            node_of = node.mapping["prior_perturbations"]
            self.complain(node_of, at, "no nodule grows, so that there is no prior", "give a nodule 'growth'")
        if not self.clean(path) or None in nodules:
            return None
        backgrounds = node.mapping["backgrounds"].mapping
        if "set" not in backgrounds or "count" not in backgrounds:
            missing = " and ".join(repr(key) for key in ("set", "count") if key not in backgrounds)
            where, hint = (*path, "backgrounds"), "such as {set: normal, count: 60}"
            self.problems.append(problem(node.mapping["backgrounds"].place, where, f"{missing} is missing", hint))
            return None
        return Scenes(
            set=plain(backgrounds["set"]),
            count=count if (count := plain(backgrounds["count"])) == "auto" else int(count),
            replicates=int(plain(node.mapping["replicates"])) if "replicates" in node.mapping else 1,
            nodules=tuple(n for n in nodules if n is not None),
            arms=arms,
            perturbations=perturbations,
            distractors=distractors,
            prior_perturbations=earlier,
        )

    def _nodules(self, node: Node, path: Path) -> list[NoduleSpec | None]:
        nodules: list[NoduleSpec | None] = []
        names: set[str] = set()
        for index, item in enumerate(node.sequence):
            at = (*path, index)
            default = "nodule" if index == 0 else f"nodule-{index + 1}"
            nodule = self._nodule(item, at, default) if self.clean(at) else None
            if nodule is not None and nodule.name in names:
                place = item.mapping.get("name", item)
                self.complain(place, at, f"two nodules are named {nodule.name!r}")
            names |= {nodule.name} if nodule else set()
            nodules.append(nodule)
        return nodules

    def _distractors(self, node: Node, path: Path, nodules: tuple[str, ...]) -> tuple[DistractorSpec, ...]:
        """Return the distractors; a name that a nodule or another distractor has is noted."""
        built: list[DistractorSpec] = []
        for index, item in enumerate(node.sequence):
            at = (*path, index)
            if not self.clean(at):
                continue
            default = "distractor" if index == 0 else f"distractor-{index + 1}"
            distractor = self._distractor(item, at, default)
            if distractor.name in (*nodules, *(d.name for d in built)):
                place = item.mapping.get("name", item)
                self.complain(place, at, f"two nodules or distractors are named {distractor.name!r}")
            built.append(distractor)
        return tuple(built)

    def _distractor(self, node: Node, path: Path, default: str) -> DistractorSpec:
        parts = node.mapping
        where = parts.get("location")
        for name in ("beside", "under"):
            if where is not None and name in where.mapping:
                self.complain(where.mapping[name], (*path, "location"), f"{name!r} places nodules, not distractors")
        return DistractorSpec(
            name=str(parts["name"].value) if "name" in parts else default,
            mimic=self.words(parts["mimic"]),
            location=None if where is None else self.location(where, (*path, "location")),
            size_mm=self.optional(parts, path, "size_mm"),
            hold=frozenset(plain(parts["hold"])) if "hold" in parts else frozenset(),
        )

    def _located(self, scenes: Node, path: Path, distractors: tuple[str, ...]) -> None:
        """Note nodules that lie beside or under a distractor that is not there."""
        for index, nodule in enumerate(scenes.mapping.get("nodules", EMPTY).sequence):
            where = nodule.mapping.get("location", EMPTY).mapping
            for name in ("beside", "under"):
                if name in where and where[name].value not in distractors:
                    problem = unknown(str(where[name].value), distractors, "the distractors")
                    self.complain(where[name], (*path, "nodules", index, "location", name), f"distractor {problem}")

    def _nodule(self, node: Node, path: Path, default: str) -> NoduleSpec:
        parts = node.mapping
        self.one_brightness(parts, path)
        features = parts.get("radiomics", EMPTY).mapping
        grown = parts.get("growth", EMPTY).mapping
        location = self.location(parts.get("location"), (*path, "location"))
        return NoduleSpec(
            name=str(parts["name"].value) if "name" in parts else default,
            diameter_mm=self._diameter(node, location, path),
            location=location,
            fills_box="diameter_mm" not in parts,
            contrast=self.optional(parts, path, "contrast"),
            density=self.optional(parts, path, "density"),
            attenuation=self.words(parts["attenuation"]) if "attenuation" in parts else None,
            margin=self.words(parts["margin"]) if "margin" in parts else None,
            lesion=self.words(parts["lesion"]) if "lesion" in parts else None,
            radiomics={name: self.value(v, (*path, "radiomics", name)) for name, v in features.items()},
            hold=frozenset(plain(parts["hold"])) if "hold" in parts else frozenset(),
            seed=int(plain(parts["seed"])) if "seed" in parts else None,
            doubling_days=self.optional(grown, (*path, "growth"), "doubling_days"),
            interval_days=self.optional(grown, (*path, "growth"), "interval_days"),
            line=node.mark.line,
            column=node.mark.column,
        )

    def _diameter(self, node: Node, location: Location, path: Path) -> Value:
        """Return the diameter that is given; without one a box says it, as far as it can before a pixel is read."""
        parts = node.mapping
        if "diameter_mm" in parts:
            return self.value(parts["diameter_mm"], (*path, "diameter_mm"), "diameter_mm")
        if location.box_px is None:
            hint = "give it, or location: {box_px: [x0, y0, x1, y1]}, which the nodule then fills"
            self.problems.append(problem(node.place, path, "'diameter_mm' is missing", hint))
            return Constant(1.0)
        if location.min_distance_mm or location.avoid:
            key = "min_distance_mm" if location.min_distance_mm else "avoid"
            message = f"box_px without diameter_mm says place and size, so that {key!r} has nothing left to choose"
            self.complain(
                parts["location"], (*path, "location"), message, "give diameter_mm: the centre is then drawn in the box"
            )
        return Constant(round(filled_mm(location.box_px, (NOMINAL_MM, NOMINAL_MM)), 4))

    def optional(self, parts: Mapping[str, Node], path: Path, name: str) -> Value | None:
        """Return the value under a name; None where it is not there."""
        return self.value(parts[name], (*path, name), name) if name in parts else None

    def _arms(
        self, node: Node, path: Path, names: tuple[str, ...], others: tuple[str, ...], *, complete: bool
    ) -> dict[str, ArmSpec]:
        arms: dict[str, ArmSpec] = {}
        for name, arm in node.mapping.items():
            at = (*path, name)
            if not self.clean(at):
                continue
            arms[name] = ArmSpec(
                nodules=self._chosen(arm, at, "nodule", names, told=complete),
                distractors=self._chosen(arm, at, "distractor", others, told=True),
                perturbations=self.perturbations(arm.mapping.get("perturbations"), (*at, "perturbations")),
            )
        return arms

    def _chosen(self, arm: Node, path: Path, what: str, names: tuple[str, ...], *, told: bool) -> tuple[str, ...]:
        """Return the nodules or distractors that an arm has, all where it names none; others are noted if ``told``."""
        listed = arm.mapping.get(f"{what}s")
        if listed is None:
            return names
        for index, node in enumerate(listed.sequence):
            if told and node.value not in names:
                at = (*path, f"{what}s", index)
                self.complain(node, at, f"{what} {unknown(str(node.value), names, f'the {what}s')}")
        return tuple(name for name in names if name in plain(listed))


_MASK_HINT = "a region of your own needs a mask: <radiograph>.<region>.png"


def _amount(value: object) -> Amount:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    return float(value)
