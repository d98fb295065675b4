"""A result as HTML: findings, requested against realised, notes, explorations."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import cache
from typing import Any

from synnodtest.api.comparison import Compared
from synnodtest.conspicuity import visibilities
from synnodtest.geometry import centre_of
from synnodtest.reference import real_nodules
from synnodtest.studio.explore import Exploration
from synnodtest.studio.session import Result
from synnodtest.templates import templates_of

MOST_FINDINGS = 8
"""Findings per detector that are listed, highest scores first; set by hand: a table to look at. The rest is counted."""
LETTERS = "AB"


@cache
def macros() -> Any:
    """Return the macros of ``tables.html.j2``; whatever they are given is escaped."""
    environment = templates_of("synnodtest.studio", "assets", escaped=True)
    environment.filters["figure"] = _number
    return environment.get_template("tables.html.j2").module


def message_html(text: str, hint: str = "", *, kind: str = "info") -> str:
    """Return the line that says what the page is doing, or what went wrong and what to do."""
    return str(macros().message(text, hint, kind))


def notes_html(notes: Sequence[str]) -> str:
    """Return what was read and noted of the file."""
    return str(macros().notes(notes))


def findings_html(result: Result | None, threshold: float) -> str:
    """Return the findings of the detectors side by side, those below the threshold counted."""
    if result is None:
        return ""
    detectors = []
    for letter, (name, marks) in zip(LETTERS, result.findings.items(), strict=False):
        rows = [(score, _box(box), _hit(box, result)) for box, score in marks if score >= threshold]
        more = len(rows) - MOST_FINDINGS
        less = f"{len(marks) - len(rows)} below {threshold:.2f}" + (f", {more} more above" if more > 0 else "")
        detectors.append((f"{letter}: {name}", rows[:MOST_FINDINGS], less))
    return str(macros().findings(detectors))


def _hit(box: Sequence[float], result: Result) -> str:
    x, y = centre_of(box)
    boxes = ((truth.name, truth.box) for truth in result.after.nodules)
    return next((n for n, (x0, y0, x1, y1) in boxes if x0 <= x <= x1 and y0 <= y <= y1), "no nodule")


def rows_html(rows: Sequence[Sequence[Compared]], names: Sequence[str]) -> str:
    """Return requested against realised, nodule by nodule."""
    return str(macros().compared(list(zip(names, rows, strict=True))))


def acceptance_html(result: Result) -> str:
    """Return whether a run would take the scene, how visible its nodules are, and how often they were redrawn."""
    if result.sham:
        return message_html("Sham: the same places edited without a nodule.")
    refused = f"A run would exclude this scene: {result.rejected}."
    head = refused if result.rejected else "A run would accept this scene."
    lines = []
    for truth, seen in zip(result.after.nodules, visibilities(result.after), strict=True):
        again = int(truth.requested.get("redrawn", 0))
        redrawn = f"; drawn again {again} times" if again else ""
        beside = _beside_real_ones(seen.conspicuity, float(truth.diameter_mm))
        visible = f"conspicuity {_number(seen.conspicuity)}{beside}; contrast in place {_number(seen.contrast)}"
        lines.append(f"{truth.name}: {visible}{redrawn}")
    return message_html(head, kind="error" if result.rejected else "good") + notes_html(lines)


def _beside_real_ones(conspicuity: float, diameter_mm: float) -> str:
    if not math.isfinite(conspicuity):
        return ""
    return f" ({real_nodules().conspicuity(conspicuity, diameter_mm).sentence()})"


def exploration_html(made: Exploration, token: str, threshold: float) -> str:
    """Return how far an exploration is, its curve, its row of pictures and its table."""
    share = made.done / max(made.total, 1)
    state = "cancelled after" if made.cancelled else "done:" if made.done == made.total else "working:"
    judged = [(point, point.confidence) for point in made.points if point.confidence is not None]
    return str(macros().exploration(made, token, share, state, judged, threshold))


def _box(box: Sequence[float]) -> str:
    return ", ".join(f"{edge:.0f}" for edge in box)


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3g}"
