"""``fuzz:`` -> what the search may change, what stays, and what always runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.spec.build import Builder
from synnodtest.spec.expectations import companion
from synnodtest.spec.messages import Path, problem
from synnodtest.spec.model import Fuzz, Location
from synnodtest.spec.plain import VARIED_WORDS, tidy
from synnodtest.spec.source import EMPTY, Node, plain
from synnodtest.spec.values import Choice, Constant, Value

_GROUPS = ("radiomics", "perturbations", "companion", "place")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def build_fuzz(builder: Builder, node: Node, path: Path) -> Fuzz | None:
    """Return the search, or None if it broke the schema; whatever else is wrong goes to the builder."""
    if not builder.clean(path):
        return None
    parts = node.mapping
    vary = parts["vary"]
    stays = parts.get("fixed", EMPTY).mapping
    builder.one_brightness({**vary.mapping, **stays}, (*path, "vary"))
    for index, item in enumerate(parts.get("explicit", EMPTY).sequence):
        builder.one_brightness({**stays, **item.mapping}, (*path, "explicit", index))
    varied = dict(_varied(builder, vary, (*path, "vary")))
    fixed = _point(builder, parts.get("fixed", EMPTY), (*path, "fixed"))
    for name in fixed.keys() & (varied.keys() | ({"location"} if "location" in vary.mapping else set())):
        where = parts["fixed"].mapping[name.split(".")[0]]
        builder.problems.append(problem(where.place, (*path, "fixed"), f"{name!r} is both varied and fixed"))
    place = vary.mapping.get("location")
    second = vary.mapping.get("companion")
    location = builder.location(place, (*path, "vary", "location")) if place else fixed.pop("location", Location())
    explicit = parts.get("explicit", EMPTY).sequence
    settings = {
        key: tidy(plain(parts[key]))
        for key in ("examples", "replicates", "confirm_trials", "search_with")
        if key in parts
    }
    return Fuzz(
        vary=varied,
        location=location,
        fixed=fixed,
        explicit=tuple(_point(builder, item, (*path, "explicit", i)) for i, item in enumerate(explicit)),
        time_budget_s=_seconds(plain(parts["time_budget"])) if "time_budget" in parts else None,
        companion=companion(builder, second, (*path, "vary", "companion")) if second else None,
        **settings,
        **_backgrounds(builder, parts.get("backgrounds", EMPTY), (*path, "backgrounds")),
    )


def _varied(builder: Builder, node: Node, path: Path) -> Iterator[tuple[str, Value]]:
    for name, child in node.mapping.items():
        at = (*path, name)
        if name == "location":
            continue
        if name in VARIED_WORDS:
            yield name, Choice(tuple(plain(child)))
        elif name in _GROUPS:
            for key, inner in child.mapping.items():
                if key == "location":
                    continue
                if name == "perturbations":
                    yield f"{name}.{key}", builder.amount(inner, (*at, key), key)
                else:
                    yield f"{name}.{key}", _changing(builder, inner, (*at, key), key if name == "companion" else "")
        else:
            yield name, _changing(builder, child, at, name)


def _changing(builder: Builder, node: Node, path: Path, quantity: str) -> Value:
    value = builder.value(node, path, quantity)
    if isinstance(value, Constant) and "companion" not in path:
        builder.complain(node, path, "does not vary", "give a range [low, high], or put it under 'fixed'")
    return value


def _point(builder: Builder, node: Node, path: Path) -> dict[str, Any]:
    point: dict[str, Any] = {}
    for name, child in node.mapping.items():
        if name == "location":
            point[name] = builder.location(child, (*path, name))
        elif name in _GROUPS:
            point |= {f"{name}.{key}": plain(inner) for key, inner in child.mapping.items()}
        else:
            point[name] = plain(child)
    return point


def _backgrounds(builder: Builder, node: Node, path: Path) -> Mapping[str, Any]:
    settings: dict[str, Any] = tidy(plain(node)) or {}
    if settings.get("count") == "auto":
        builder.complain(node.mapping["count"], (*path, "count"), "a search needs a number, not auto")
        settings["count"] = 1
    return settings


def _seconds(value: float | str) -> float:
    if not isinstance(value, str):
        return float(value)
    match = re.fullmatch(r"([\d.]+)\s*(s|min|h)", value)
    return float(match[1]) * _SECONDS[match[2]] if match else 0.0
