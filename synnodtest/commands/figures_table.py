"""What ``evaluate detector`` measured, as a table for reading."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from synnodtest.counted import counted

HEAD = f"{'value':>7}  {'90% interval':<14} {'nodules':>7}  figure"


def figures_table(figures: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a table per data set.

    Args:
        figures: Data set -> what :func:`synnodtest.evaluation.detector.evaluate` returned.
    """
    for name, found in figures.items():
        identity = found["identity"]
        of = f"{counted(found['images'], 'image')}, {counted(found['nodules'], 'nodule')}"
        yield f"{identity.get('name', '')} on {name}: {of}"
        yield f"hit: {found['matching']}"
        yield HEAD
        for label, entry in _rows(found):
            yield _row(label, entry)
        yield ""


def _rows(found: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    precision = found["average_precision"]
    yield "average precision at IoU 0.50", precision["at_0.50"]
    yield "average precision, mean of IoU 0.50 to 0.95", precision["at_0.50:0.95"]
    for rate, entry in found["froc_bounds"].items():
        yield f"sensitivity at {rate} false positives per image", entry
    for size, entry in found["by_size"].items():
        yield f"sensitivity at 1 false positive per image, {size}", entry
    for region, entry in found["by_region"].items():
        yield f"sensitivity at 1 false positive per image, in {region.replace('_', ' ')}", entry
    yield "AUC of images", found["auc"]
    yield "NODE21 score", found["node21_score_bounds"]


def _row(label: str, entry: Mapping[str, Any] | None) -> str:
    known = entry or {}
    bounds = known.get("lower"), known.get("upper")
    interval = "" if None in bounds else f"{bounds[0]:.3f} to {bounds[1]:.3f}"
    value = "-" if known.get("value") is None else f"{known['value']:.3f}"
    return f"{value:>7}  {interval:<14} {known.get('nodules', ''):>7}  {label}"
