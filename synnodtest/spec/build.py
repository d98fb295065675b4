"""Validated nodes -> model, with the checks that a JSON Schema cannot make."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from synnodtest.errors import Problem
from synnodtest.evidence.region_names import BUILT_IN_REGIONS
from synnodtest.evidence.regions import AllOf, AnyOf, NotIn, RegionExpression
from synnodtest.spec import model
from synnodtest.spec.limits import LIMITS
from synnodtest.spec.messages import closest, path_text, problem, unknown
from synnodtest.spec.nodes import EMPTY, KeyPath, Node, plain
from synnodtest.spec.values import Choice, Constant, LogUniform, Normal, Sweep, Uniform, Value

BRIGHTNESS = ("contrast", "density", "attenuation")
"""Each says how bright a nodule is; they exclude each other."""
_BRIGHTNESS_HINT = "contrast orders a brightness; density sets it by physics; attenuation draws the density"
_MASK_HINT = "a region of your own needs a mask: <radiograph>.<region>.png"

Part = TypeVar("Part", model.NoduleSpec, model.DistractorSpec)


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

    def complain(self, node: Node, message: str, hint: str = "", path: KeyPath | None = None) -> None:
        """Note a problem at a node's value, under its path if no other is given."""
        self.problems.append(problem(node.mark, node.path if path is None else path, message, hint))

    def complain_at_key(self, node: Node, message: str, hint: str = "", path: KeyPath | None = None) -> None:
        """Note a problem at the key of a node, if it has one."""
        self.complain(replace(node, mark=node.place), message, hint, path)

    def clean(self, node: Node) -> bool:
        """Return whether the schema found nothing wrong at a node and below it."""
        text = path_text(node.path)
        return not any(p == text or p.startswith((f"{text}.", f"{text}[")) for p in self._broken)

    # values ----------------------------------------------------------------------------------------------------

    def value(self, node: Node, quantity: str = "") -> Value:
        """Return a value of numbers or words; impossible ranges are noted."""
        limits = LIMITS.get(quantity, (-math.inf, math.inf))
        if isinstance(node.value, tuple):
            words = any(isinstance(part.value, str) for part in node.value)
            return Choice(tuple(plain(node))) if words else self._range(node, "uniform", limits)
        if not isinstance(node.value, dict):
            return Constant(_amount(node.value))
        kind, inner = next(iter(node.value.items()))
        if kind in ("sweep", "choice"):
            levels = tuple(map(_amount, plain(inner)))
            return Sweep(levels) if kind == "sweep" else Choice(levels)
        return self._range(inner, kind, limits)

    def given(self, node: Node, *names: str) -> dict[str, Any]:
        """Return what stands under some of these names: of a quantity its value, of :data:`_READ` what that reads."""
        parts = {name: node.mapping[name] for name in names if name in node.mapping}
        return {n: _READ[n](plain(part)) if n in _READ else self.value(part, n) for n, part in parts.items()}

    def one_brightness(self, parts: Mapping[str, Node], path: KeyPath) -> None:
        """Note a nodule whose brightness is said twice."""
        orders = [name for name in BRIGHTNESS if name in parts]
        if len(orders) > 1:
            message = f"{' and '.join(map(repr, orders))} each say how bright the nodule is; give one of them"
            self.complain_at_key(parts[orders[1]], message, _BRIGHTNESS_HINT, (*path, orders[1]))

    def _range(self, node: Node, kind: str, limits: tuple[float, float]) -> Value:
        low, high = (float(v) for v in plain(node))
        if kind == "normal":
            if high <= 0:
                self.complain(node, f"the standard deviation must be above 0, not {high:g}")
            elif not limits[0] <= low <= limits[1]:
                self.complain(node, f"the mean must lie within {limits[0]:g} to {limits[1]:g}, not at {low:g}")
            return Normal(low, high, *limits)
        if kind == "log_uniform" and low <= 0:
            self.complain(node, f"a logarithm needs bounds above 0, not {low:g}")
        elif low == high:
            self.complain(node, f"the range [{low:g}, {high:g}] is a single value", f"write {low:g}")
        elif low > high:
            self.complain(node, f"the range [{low:g}, {high:g}] is empty", f"write [{high:g}, {low:g}]")
        return LogUniform(low, high) if kind == "log_uniform" else Uniform(low, high)

    # places ----------------------------------------------------------------------------------------------------

    def region(self, node: Node) -> RegionExpression:
        """Return a region expression; unknown names are noted."""
        if isinstance(node.value, dict):
            kind, inner = next(iter(node.value.items()))
            if kind == "not":
                return NotIn(self.region(inner))
            parts = tuple(map(self.region, inner.sequence))
            return AnyOf(parts) if kind == "any" else AllOf(parts)
        name = str(node.value)
        if name not in self._regions:
            hint = "" if closest(name, self._regions) else _MASK_HINT
            self.complain(node, f"region {unknown(name, self._regions, 'built in')}", hint)
        return name

    def location(self, node: Node | None) -> model.Location:
        """Return a location; contradictions are noted."""
        if node is None:
            return model.Location()
        parts = node.mapping
        for places in (("region", "at_mm", "box_px"), ("at_mm", "beside", "under")):
            if len(said := [name for name in places if name in parts]) > 1:
                self.complain(parts[said[1]], f"give one of {' and '.join(said)}, not both", path=node.path)
        if "gap_mm" in parts and "beside" not in parts:
            message = "'gap_mm' says how far beside a distractor"
            self.complain(parts["gap_mm"], message, "give 'beside', too", node.path)
        place = self.given(node, "at_mm", "box_px", "beside", "under", "gap_mm", "min_distance_mm")
        if "box_px" in parts:
            self._check_box(parts["box_px"], place["box_px"])
        if "region" in parts or "at_mm" in parts or "box_px" in parts:
            place["region"] = self.region(parts["region"]) if "region" in parts else None
        return model.Location(**place, avoid=tuple(map(self.region, parts.get("avoid", EMPTY).sequence)))

    def _check_box(self, node: Node, box: tuple[float, ...]) -> None:
        if box[0] >= box[2] or box[1] >= box[3]:
            self.complain(node, "the box is empty", "the order is [x0, y0, x1, y1], x0 < x1 and y0 < y1")

    def perturbations(self, node: Node | None) -> tuple[model.PerturbationSpec, ...]:
        """Return the perturbations in order, from a mapping or a list of mappings."""
        if node is None or not self.clean(node):
            return ()
        items = (pair for item in node.sequence or (node,) for pair in item.mapping.items())
        return tuple(model.PerturbationSpec(kind, self.amount(child, kind)) for kind, child in items)

    def amount(self, node: Node, kind: str) -> Value:
        """Return the value of a perturbation."""
        if kind == "flip":
            return Constant("horizontal" if node.value is True else str(node.value))
        if kind == "shift_px":
            return Constant(_numbers(plain(node)))
        return self.value(node, f"perturbations.{kind}")

    # scenes ----------------------------------------------------------------------------------------------------

    def scenes(self, node: Node) -> model.Scenes | None:
        """Return the scenes, or None if they broke the schema."""
        parts = node.mapping
        nodules = self._named("nodule", parts.get("nodules", EMPTY), self._nodule, ())
        names = tuple(n.name for n in nodules)
        distractors = self._named("distractor", parts.get("distractors", EMPTY), self._distractor, names)
        others = tuple(d.name for d in distractors)
        self._located(node, others)
        arms = self._arms(parts.get("arms", EMPTY), names, others, len(parts.get("nodules", EMPTY).sequence))
        perturbations = self.perturbations(parts.get("perturbations"))
        earlier = self.perturbations(parts.get("prior_perturbations"))
        if earlier and all(n.doubling_days is None for n in nodules):
            message = "no nodule grows, so that there is no prior"
            self.complain(parts["prior_perturbations"], message, "give a nodule 'growth'")
        if not self.clean(node):
            return None
        backgrounds = parts["backgrounds"].mapping
        if missing := " and ".join(repr(key) for key in ("set", "count") if key not in backgrounds):
            self.complain_at_key(parts["backgrounds"], f"{missing} is missing", "such as {set: normal, count: 60}")
            return None
        return model.Scenes(
            set=plain(backgrounds["set"]),
            count=count if (count := plain(backgrounds["count"])) == "auto" else int(count),
            nodules=nodules,
            arms=arms,
            perturbations=perturbations,
            distractors=distractors,
            prior_perturbations=earlier,
            **self.given(node, "replicates"),
        )

    def _named(
        self, what: str, node: Node, build: Callable[[Node, str], Part], taken: tuple[str, ...]
    ) -> tuple[Part, ...]:
        """Return the nodules or distractors of a list; a name that another of them has, or that is taken, is noted."""
        among = "nodules" if what == "nodule" else "nodules or distractors"
        built: list[Part] = []
        for index, item in enumerate(node.sequence):
            if not self.clean(item):
                continue
            given = item.mapping.get("name")
            default = what if index == 0 else f"{what}-{index + 1}"
            part = build(item, default if given is None else str(given.value))
            if part.name in (*taken, *(one.name for one in built)):
                self.complain(given or item, f"two {among} are named {part.name!r}", path=item.path)
            built.append(part)
        return tuple(built)

    def _distractor(self, node: Node, name: str) -> model.DistractorSpec:
        parts = node.mapping
        where = parts.get("location")
        for word in ("beside", "under"):
            if where is not None and word in where.mapping:
                self.complain(where.mapping[word], f"{word!r} places nodules, not distractors", path=where.path)
        return model.DistractorSpec(
            name=name,
            location=None if where is None else self.location(where),
            **self.given(node, "mimic", "size_mm", "hold"),
        )

    def _located(self, scenes: Node, distractors: tuple[str, ...]) -> None:
        """Note nodules that lie beside or under a distractor that is not there."""
        for nodule in scenes.mapping.get("nodules", EMPTY).sequence:
            where = nodule.mapping.get("location", EMPTY).mapping
            for node in (where[name] for name in ("beside", "under") if name in where):
                if node.value not in distractors and self.clean(node):
                    self.complain(node, f"distractor {unknown(str(node.value), distractors, 'the distractors')}")

    def _nodule(self, node: Node, name: str) -> model.NoduleSpec:
        parts = node.mapping
        self.one_brightness(parts, node.path)
        features = parts.get("radiomics", EMPTY).mapping
        location = self.location(parts.get("location"))
        return model.NoduleSpec(
            name=name,
            diameter_mm=self._diameter(node, location),
            location=location,
            fills_box="diameter_mm" not in parts,
            radiomics={feature: self.value(value, feature) for feature, value in features.items()},
            line=node.mark.line,
            column=node.mark.column,
            **self.given(node, "contrast", "density", "attenuation", "margin", "lesion", "hold", "seed"),
            **self.given(parts.get("growth", EMPTY), "doubling_days", "interval_days"),
        )

    def _diameter(self, node: Node, location: model.Location) -> Value:
        """Return the diameter that is given; without one a box says it, as far as it can before a pixel is read."""
        parts = node.mapping
        if "diameter_mm" in parts:
            return self.value(parts["diameter_mm"], "diameter_mm")
        if location.box_px is None:
            hint = "give it, or location: {box_px: [x0, y0, x1, y1]}, which the nodule then fills"
            self.complain_at_key(node, "'diameter_mm' is missing", hint)
            return Constant(1.0)
        if location.min_distance_mm or location.avoid:
            key = "min_distance_mm" if location.min_distance_mm else "avoid"
            message = f"box_px without diameter_mm says place and size, so that {key!r} has nothing left to choose"
            self.complain(parts["location"], message, "give diameter_mm: the centre is then drawn in the box")
        return Constant(round(model.filled_mm(location.box_px, (model.NOMINAL_MM, model.NOMINAL_MM)), 4))

    def _arms(
        self, node: Node, nodules: tuple[str, ...], others: tuple[str, ...], listed: int
    ) -> dict[str, model.ArmSpec]:
        """Return the arms; what they name is held against the nodules where all that are listed could be built."""
        return {
            name: model.ArmSpec(
                nodules=self._chosen(arm, "nodule", nodules, told=len(nodules) == listed),
                distractors=self._chosen(arm, "distractor", others, told=True),
                perturbations=self.perturbations(arm.mapping.get("perturbations")),
            )
            for name, arm in node.mapping.items()
            if self.clean(arm)
        }

    def _chosen(self, arm: Node, what: str, names: tuple[str, ...], *, told: bool) -> tuple[str, ...]:
        """Return the nodules or distractors that an arm has, all where it names none; others are noted if ``told``."""
        listed = arm.mapping.get(f"{what}s")
        if listed is None:
            return names
        for node in listed.sequence:
            if told and node.value not in names:
                self.complain(node, f"{what} {unknown(str(node.value), names, f'the {what}s')}")
        return tuple(name for name in names if name in plain(listed))


def _numbers(values: list[float]) -> tuple[float, ...]:
    return tuple(map(float, values))


_READ: Mapping[str, Callable[[Any], Any]] = {
    "at_mm": _numbers,
    "box_px": _numbers,
    "beside": str,
    "under": str,
    "gap_mm": float,
    "min_distance_mm": float,
    "hold": frozenset,
    "seed": int,
    "replicates": int,
}
"""Readers of what is neither a quantity nor made of other parts."""


def _amount(value: object) -> float | str:
    return str(value) if isinstance(value, bool) or not isinstance(value, (int, float)) else float(value)
