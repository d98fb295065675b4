"""What the page says of a result, as HTML: findings, requested against realised, notes, explorations."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

from synnodtest.api.comparison import Compared
from synnodtest.conspicuity import visibilities
from synnodtest.reference import real_nodules
from synnodtest.studio.explore import Exploration, Point
from synnodtest.studio.session import Result

__all__ = ["acceptance_html", "exploration_html", "findings_html", "message_html", "notes_html", "rows_html"]

MOST_FINDINGS = 8
LETTERS = "AB"


def message_html(text: str, hint: str = "", *, kind: str = "info") -> str:
    """Return the line that says what the page is doing, or what went wrong and what to do."""
    said = html.escape(text) + (f" <span>{html.escape(hint)}</span>" if hint else "")
    return f'<p class="message {kind}" role="status">{said}</p>'


def notes_html(notes: Sequence[str]) -> str:
    """Return what was read and noted of the file."""
    return "<ul class='notes'>" + "".join(f"<li>{html.escape(note)}</li>" for note in notes) + "</ul>"


def findings_html(result: Result | None, threshold: float) -> str:
    """Return the findings of the detectors side by side, those below the threshold counted."""
    if result is None:
        return ""
    parts = []
    for letter, (name, found) in zip(LETTERS, result.findings.items(), strict=False):
        kept = [(box, score) for box, score in found if score >= threshold]
        rows = "".join(
            f"<tr><td>{score:.3f}</td><td>{_box(box)}</td><td>{html.escape(_hit(box, result))}</td></tr>"
            for box, score in kept[:MOST_FINDINGS]
        )
        more = len(kept) - MOST_FINDINGS
        less = f"{len(found) - len(kept)} below {threshold:.2f}" + (f", {more} more above" if more > 0 else "")
        empty = "" if rows else "<tr><td colspan='3'>no finding</td></tr>"
        parts.append(
            f"<table><caption>{letter}: {html.escape(name)}</caption><thead><tr><th scope='col'>score</th>"
            f"<th scope='col'>box, px</th><th scope='col'>on</th></tr></thead>"
            f"<tbody>{rows}{empty}</tbody></table><p class='small'>{less}</p>"
        )
    return "<div class='pair'>" + "".join(f"<div>{part}</div>" for part in parts) + "</div>"


def _hit(box: Sequence[float], result: Result) -> str:
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    for truth in result.after.nodules:
        x_min, y_min, x_max, y_max = truth.box
        if x_min <= x <= x_max and y_min <= y <= y_max:
            return truth.name
    return "no nodule"


def rows_html(rows: Sequence[Sequence[Compared]], names: Sequence[str]) -> str:
    """Return requested against realised, nodule by nodule."""
    tables = []
    for name, quantities in zip(names, rows, strict=True):
        body = "".join(
            f"<tr><th scope='row'>{html.escape(_quantity(one))}</th><td>{_number(one.requested)}</td>"
            f"<td>{_number(one.realised)}</td></tr>"
            for one in quantities
        )
        tables.append(
            f"<table><caption>{html.escape(name)}</caption><thead><tr><td></td><th scope='col'>requested</th>"
            f"<th scope='col'>realised</th></tr></thead><tbody>{body}</tbody></table>"
        )
    return "".join(tables)


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
        lines.append(
            f"<li>{html.escape(truth.name)}: conspicuity {_number(seen.conspicuity)}{beside}; "
            f"contrast in place {_number(seen.contrast)}{redrawn}</li>"
        )
    kind = "error" if result.rejected else "good"
    return message_html(head, kind=kind) + f"<ul class='notes'>{''.join(lines)}</ul>"


def _beside_real_ones(conspicuity: float, diameter_mm: float) -> str:
    if not math.isfinite(conspicuity):
        return ""
    return f" ({html.escape(real_nodules().conspicuity(conspicuity, diameter_mm).sentence())})"


def exploration_html(made: Exploration, token: str, threshold: float) -> str:
    """Return how far an exploration is, its curve, its row of pictures and its table."""
    share = made.done / max(made.total, 1)
    state = "cancelled after" if made.cancelled else "done:" if made.done == made.total else "working:"
    bar = (
        f"<p class='small' role='status'>{html.escape(made.title)} with {html.escape(made.detector)}, {state} "
        f"{made.done} of {made.total} scenes</p>"
        f"<progress aria-label='scenes done' max='1' value='{share:.3f}'></progress>"
    )
    judged = [point for point in made.points if point.confidence is not None]
    parts = [bar, _summary(judged, threshold)]
    if made.kind == "sweep" and len(judged) > 1:
        parts.append(_curve(judged, threshold))
    if made.kind in ("sweep", "companion"):
        parts += [_strip(made, token), _table(made.points)]
    else:
        parts.append(_scale())
    if made.unplaced:
        parts.append(f"<p class='small'>{len(made.unplaced)} had no place: {html.escape(made.unplaced[0])}</p>")
    return "".join(parts)


def _summary(points: Sequence[Point], threshold: float) -> str:
    if not points:
        return ""
    values = [point.confidence or 0.0 for point in points]
    found = sum(value >= threshold for value in values)
    return (
        f"<p>Mean confidence {sum(values) / len(values):.2f}; {found} of {len(values)} nodules have a finding of at "
        f"least {threshold:.2f}.</p>"
    )


def _table(points: Sequence[Point]) -> str:
    body = "".join(
        f"<tr><th scope='row'>{html.escape(point.label)}</th><td>{_number(point.diameter_mm)}</td>"
        f"<td>{_number(point.contrast)}</td><td>{_number(point.confidence)}</td><td>{html.escape(point.rejected)}</td></tr>"
        for point in points
    )
    heads = "".join(f"<th scope='col'>{word}</th>" for word in ("scene", "mm", "contrast", "confidence", "excluded"))
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


def _strip(made: Exploration, token: str) -> str:
    figures = "".join(
        f"<figure><img src='studio/{token}/scene/{number}.png?{made.kind}={len(made.text)}' width='110' height='110' "
        f"alt='nodule, {html.escape(point.label)}'><figcaption>{html.escape(point.label)}<br>"
        f"confidence {_number(point.confidence)}</figcaption></figure>"
        for number, point in enumerate(made.points)
    )
    return f"<div class='strip'>{figures}</div>"


def _curve(points: Sequence[Point], threshold: float) -> str:
    """Return confidence over the swept quantity as a small SVG."""
    levels = [point.level for point in points]
    low, high = min(levels), max(levels)
    width, height, left, base = 420, 180, 44, 140

    def x(level: float) -> float:
        return left + (level - low) / max(high - low, 1e-9) * (width - left - 16)

    def y(value: float) -> float:
        return base - value * (base - 14)

    line = " ".join(f"{x(point.level):.1f},{y(point.confidence or 0.0):.1f}" for point in points)
    dots = "".join(f"<circle cx='{x(p.level):.1f}' cy='{y(p.confidence or 0.0):.1f}' r='4'/>" for p in points)
    ticks = "".join(
        f"<text x='{x(level):.1f}' y='{base + 16}' text-anchor='middle'>{level:g}</text>" for level in (low, high)
    ) + "".join(f"<text x='{left - 6}' y='{y(v) + 4:.1f}' text-anchor='end'>{v:g}</text>" for v in (0, 0.5, 1))
    name = html.escape(points[0].label.rsplit(" ", 1)[0])
    return (
        f"<svg class='curve' viewBox='0 0 {width} {height}' role='img' aria-label='confidence over {name}'>"
        f"<path d='M{left} 10V{base}H{width - 10}' class='axis'/>"
        f"<path d='M{left} {y(threshold):.1f}H{width - 10}' class='limit'/>"
        f"<polyline points='{line}'/>{dots}{ticks}"
        f"<text x='{(left + width) / 2:.0f}' y='{height - 6}' text-anchor='middle'>{name}</text>"
        f"<text x='{left + 4}' y='12'>confidence</text></svg>"
    )


def _scale() -> str:
    return (
        "<p class='small scale'>On the film: confidence 0 <span></span> 1; an open circle is a scene that a run would "
        "exclude.</p>"
    )


def _quantity(one: Compared) -> str:
    return f"{one.name.removesuffix('_mm').replace('_', ' ')}, mm" if one.unit else one.name.replace("_", " ")


def _box(box: Sequence[float]) -> str:
    return ", ".join(f"{edge:.0f}" for edge in box)


def _number(value: float | None) -> str:
    return "–" if value is None or not math.isfinite(value) else f"{value:.3g}"
