"""``fuzz:`` -> what the search may change, what stays, and what always runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.spec.build import Builder
from synnodtest.spec.expectations import companion
from synnodtest.spec.model import Fuzz, Location
from synnodtest.spec.nodes import EMPTY, Node, plain
from synnodtest.spec.plain import tidy
from synnodtest.spec.values import Constant, Value

_GROUPS = ("radiomics", "perturbations", "companion", "place")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}


def build_fuzz(builder: Builder, node: Node) -> Fuzz | None:
    """Return the search, or None if it broke the schema; whatever else is wrong goes to the builder."""
    if not builder.clean(node):
        return None
    parts = node.mapping
    vary, stays = parts["vary"], parts.get("fixed", EMPTY)
    examples = parts.get("explicit", EMPTY).sequence
    builder.one_brightness({**vary.mapping, **stays.mapping}, vary.path)
    for item in examples:
        builder.one_brightness({**stays.mapping, **item.mapping}, item.path)
    varied = dict(_varied(builder, vary))
    fixed = _point(builder, stays)
    whole = {"location", "companion"} & vary.mapping.keys()
    for name in sorted(n for n in fixed if n in varied or n.split(".")[0] in whole):
        where = stays.mapping[name.split(".")[0]]
        hint = "a second nodule's constants stand under 'vary', too" if name.startswith("companion.") else ""
        builder.complain_at_key(where, f"{name!r} is both varied and fixed", hint, stays.path)
    if "mimic_distance_mm" in varied and "mimic" not in varied.keys() | fixed.keys():
        builder.complain_at_key(
            vary.mapping["mimic_distance_mm"], "there is no 'mimic' at that distance", "vary or fix one"
        )
    place = vary.mapping.get("location")
    location = builder.location(place) if place else fixed.pop("location", Location())
    second = vary.mapping.get("companion")
    settings = {
        key: tidy(plain(parts[key]))
        for key in ("examples", "replicates", "confirm_trials", "search_with")
        if key in parts
    }
    return Fuzz(
        vary=varied,
        location=location,
        fixed=fixed,
        explicit=tuple(_point(builder, item) for item in examples),
        time_budget_s=_seconds(plain(parts["time_budget"])) if "time_budget" in parts else None,
        companion=companion(builder, second) if second else None,
        **settings,
        **_backgrounds(builder, parts.get("backgrounds", EMPTY)),
    )


def _varied(builder: Builder, vary: Node) -> Iterator[tuple[str, Value]]:
    for name, node in vary.mapping.items():
        members = node.mapping if name in _GROUPS else {}
        for key, inner in members.items():
            if name == "perturbations":
                yield f"{name}.{key}", builder.amount(inner, key)
            elif key != "location":
                yield f"{name}.{key}", _changing(builder, inner, key if name == "companion" else "")
        if name not in ("location", *_GROUPS):
            yield name, _changing(builder, node, name)


def _changing(builder: Builder, node: Node, quantity: str) -> Value:
    value = builder.value(node, quantity)
    if isinstance(value, Constant) and "companion" not in node.path:
        builder.complain(node, "does not vary", "give a range [low, high], or put it under 'fixed'")
    return value


def _point(builder: Builder, node: Node) -> dict[str, Any]:
    point: dict[str, Any] = {}
    for name, child in node.mapping.items():
        if name == "location":
            point[name] = builder.location(child)
        elif name in _GROUPS:
            point |= {f"{name}.{key}": plain(inner) for key, inner in child.mapping.items()}
        else:
            point[name] = plain(child)
    return point


def _backgrounds(builder: Builder, node: Node) -> Mapping[str, Any]:
    settings: dict[str, Any] = tidy(plain(node)) or {}
    if settings.get("count") == "auto":
        builder.complain(node.mapping["count"], "a search needs a number, not auto")
        settings["count"] = 1
    return settings


def _seconds(value: float | str) -> float:
    if not isinstance(value, str):
        return float(value)
    match = re.fullmatch(r"([\d.]+)\s*(s|min|h)", value)
    return float(match[1]) * _SECONDS[match[2]] if match else 0.0
