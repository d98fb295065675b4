"""The interval strip: one small drawing per estimate, its interval against the bound. Written without matplotlib."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from markupsafe import Markup, escape

from synnodtest.record.model import ComponentEntry
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import bound_text, estimate

WIDTH, HEIGHT, EDGE = 260, 30, 10
"""Size of the drawing and the room for its end marks, in px; set by hand: it stands in a line of a table."""
_LABEL = 32
"""Width of the label at an end of the axis; one at 0 within it would be printed over it."""
_FIXED = {"rate": (0.0, 1.0), "correlation": (-1.0, 1.0)}


def domain_of(components: Sequence[ComponentEntry]) -> tuple[float, float]:
    """Return the range over which components of one unit are drawn, bounds and intervals included."""
    unit = components[0].unit
    values = [float(v) for c in components for v in (c.value, c.lower, c.upper, c.bound) if v is not None]
    if unit == "rate" and values and components[0].side == "below" and max(values) < 0.5:
        return 0.0, _round_up(1.2 * max([*values, 0.01]))
    if unit in _FIXED:
        low, high = _FIXED[unit]
        return (0.0, high) if unit == "correlation" and values and min(values) >= 0 else (low, high)
    if unit == "difference" or any(c.side == "within" for c in components):
        reach = _reach(max([abs(v) for v in values] or [1.0]), 1.15)
        return -reach, reach
    low, high = min(0.0, *values, 0.0), max([*values, 0.01])
    if unit != "score":
        return (-_round_up(-1.1 * low) if low else 0.0), _round_up(1.1 * high)
    return (-_reach(-low, 1.1) if low else 0.0), _reach(high, 1.1)


def _reach(most: float, more: float) -> float:
    """Return a round number beyond ``most``, but not beyond the 1 at which scores and their differences end."""
    return min(_round_up(more * most), 1.0) if most <= 1 else _round_up(more * most)


def _round_up(value: float) -> float:
    step = 10.0 ** math.floor(math.log10(value))
    return next(step * k for k in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * k >= value - 1e-12)


def strip(component: ComponentEntry, domain: tuple[float, float] | None = None) -> Markup:
    """Return the strip of one component: required side tinted, bound as a line, intervals, the estimate as a dot."""
    low, high = domain or domain_of([component])

    def x(value: float) -> float:
        inside = min(max((value - low) / (high - low), 0.0), 1.0)
        return round(EDGE + inside * (WIDTH - 2 * EDGE), 1)

    colour = STATUSES[component.status].colour if component.role != "shown" else "#555F6B"
    value, interval = estimate(component)
    text = f"{component.label} {value}, interval {interval}, required {bound_text(component)}: {component.status}"
    parts = [_zone(component, x, low, high), _axis(low, high, x)]
    parts += [_line(x(b), 3, x(b), 20, "#1B1F24", 1.5) for b in _bounds(component)]
    for lower, upper, width in ((component.lower95, component.upper95, 1.5), (component.lower, component.upper, 5)):
        if lower is not None or upper is not None:  # an end that is not there is infinitely far
            ends = x(low if lower is None else lower), x(high if upper is None else upper)
            parts.append(_line(ends[0], 11.5, ends[1], 11.5, colour, width))
    if component.value is not None:
        parts.append(
            f'<circle cx="{x(component.value)}" cy="11.5" r="4.5" fill="{colour}" stroke="#fff" stroke-width="1.5"/>'
        )
    return Markup(
        f'<svg class="strip" role="img" width="{WIDTH}" height="{HEIGHT}" viewBox="0 0 {WIDTH} {HEIGHT}" '
        f'aria-label="{escape(text)}">{"".join(parts)}</svg>'
    )


def _bounds(component: ComponentEntry) -> list[float]:
    bound = component.bound
    return [] if bound is None else [-bound, bound] if component.side == "within" else [bound]


def _zone(component: ComponentEntry, x: Any, low: float, high: float) -> str:
    bounds = _bounds(component)
    if not bounds:
        return ""
    start = low if component.side == "below" else bounds[0]
    end = high if component.side == "above" else bounds[-1]
    return f'<rect x="{x(start)}" y="4" width="{max(0.0, round(x(end) - x(start), 1))}" height="15" fill="#DDEFE4"/>'


def _axis(low: float, high: float, x: Any) -> str:
    apart = low < 0 < high and min(x(0.0) - x(low), x(high) - x(0.0)) > _LABEL
    ticks = [low, 0.0, high] if apart else [low, high]
    drawn = [_line(x(low), 19.5, x(high), 19.5, "#8A949E", 1)]
    for tick in ticks:
        anchor = "start" if tick == low else "end" if tick == high else "middle"
        drawn.append(
            f'<text x="{x(tick) + (-4 if tick == low else 4 if tick == high else 0)}" y="29" font-size="9" '
            f'font-family="sans-serif" fill="#4A5560" text-anchor="{anchor}">{tick:g}</text>'.replace(">-", ">\u2212")
        )
    return "".join(drawn)


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: float) -> str:
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'
