"""Envelope: what was claimed against what was tested."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, TypeGuard

from synnodtest.record.model import NoduleEntry, Record, SceneEntry
from synnodtest.record.words import age_band, number, plural, value_text
from synnodtest.report.context import Context
from synnodtest.report.figures.envelope import Claim, envelope_figure
from synnodtest.report.model import Section, Table


def envelope(context: Context) -> Section:
    """Return what the specs claim against what was really tested."""
    record = context.record
    scenes = record.accepted
    nodules = [n for s in scenes for n in s.nodules]
    claims = _claims(record, nodules)
    texts = [
        [key.replace("_", " "), value_text(value), _tested_text(key, value, scenes, nodules)]
        for spec in record.identification.specs
        for key, value in spec.scope.items()
        if not _is_range(value)
    ]
    ranges = [[c.label, f"{c.low:g} to {c.high:g}", c.tested_text(), c.remark()] for c in claims if c.low is not None]
    ranges += [[c.label, "not stated", c.tested_text(), ""] for c in claims if c.low is None]
    columns = ["Property", "Value", "Scenes", "Backgrounds"]
    known = "Backgrounds by what is known of them"
    data = {
        "figure": envelope_figure(claims, "f-envelope") if any(c.values for c in claims) else None,
        "ranges": Table("Ranges claimed and tested", ["Quantity", "Claimed", "Tested", "Remark"], ranges),
        "texts": Table("Further scope, as the specification words it", ["Scope", "Claimed", "Tested"], texts),
        "strata": Table(known, columns, _strata(scenes), numeric=columns[2:], most=60),
    }
    return Section("Intended use and envelope", "envelope", data, "" if scenes else "No scene was evaluated.")


def _is_range(value: object) -> TypeGuard[list[float]]:
    numbers = isinstance(value, list) and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
    return isinstance(value, list) and numbers and len(value) == 2


def _claims(record: Record, nodules: Sequence[NoduleEntry]) -> list[Claim]:
    """Return one claim per numeric quantity: realised diameter and contrast always, whatever else is claimed too."""
    ranges = _claimed(record)
    claims = []
    for key in dict.fromkeys(["diameter_mm", "contrast", *ranges]):
        asked = [float(v) for n in nodules if (v := n.asked(key)) is not None]
        got = [float(v) for n in nodules if (v := n.realised(key)) is not None]
        low, high = ranges.get(key, (None, None))
        if asked or got or low is not None:
            claims.append(Claim(key, low, high, asked, got))
    return claims


def _claimed(record: Record) -> dict[str, tuple[float, float]]:
    """Return the widest range that the specs claim, by quantity."""
    ranges: dict[str, tuple[float, float]] = {}
    for spec in record.identification.specs:
        for key, value in spec.scope.items():
            if _is_range(value):
                low, high = ranges.setdefault(key, (value[0], value[1]))
                ranges[key] = (min(low, value[0]), max(high, value[1]))
    return ranges


def _tested_text(key: str, value: Any, scenes: Sequence[SceneEntry], nodules: Sequence[NoduleEntry]) -> str:
    if "region" in key:
        met = Counter(r for n in nodules for r in n.regions)
        values = value if isinstance(value, list) else [value]
        return "; ".join(f"{w}: {plural(met[str(w)], 'nodule')}" for w in values)
    known = Counter(str(s.strata[key]) for s in scenes if s.strata.get(key))
    return (
        "; ".join(f"{v}: {plural(c, 'scene')}" for v, c in known.most_common(8)) or "authored; not measured by the run"
    )


def _strata(scenes: Sequence[SceneEntry]) -> list[list[object]]:
    backgrounds: dict[tuple[str, str], list[str]] = {}
    for scene in scenes:
        for key, value in scene.strata.items():
            band = age_band(value, str(value)) if key == "age" else str(value)
            backgrounds.setdefault((key, band), []).append(scene.background)
    return [[*pair, number(len(some)), number(len(set(some)))] for pair, some in sorted(backgrounds.items())]
