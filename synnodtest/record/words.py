"""Words of the report: statuses, numbers, dates, names."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from synnodtest.counted import counted
from synnodtest.counted import joined as joined
from synnodtest.evidence.conditions import as_condition
from synnodtest.expectations import kind_of
from synnodtest.expectations.rates import as_asked
from synnodtest.expectations.sentences import decimals_beside, limit
from synnodtest.record.model import ComponentEntry, ExpectationEntry

_WORDS = {"at_least": "≥", "at_most": "≤", "below": "<", "equals": "=", "in": "in"}
_METRICS = {"distance_mm": "centres", "iou": "boxes"}
"""Names of compared things in titles, where their own say little."""


def expectation_title(expectation: ExpectationEntry) -> str:
    """Return a short title, such as ``Sensitivity, diameter ≥ 14 mm``."""
    aim = expectation.parameters.get
    metric, region, across, under = map(aim, ("metric", "region", "across", "under"))
    parts = [kind_of(expectation.kind).shown_title]
    if isinstance(metric, str):
        parts[0] += f" of {_METRICS.get(metric, metric.replace('_', ' '))}"
    parts += [f"of {aim('of')}"] if aim("of") else []
    if aim("arm"):
        parts.append(f"{aim('arm')} against {aim('reference')}" if aim("reference") else f"arm {aim('arm')}")
    if isinstance(region, str):
        parts.append(f"in {region.replace('_', ' ')}")
    if isinstance(across, Mapping):
        parts.append(f"across {joined([str(name).removesuffix('_mm').replace('_', ' ') for name in across])}")
    pairs = under if isinstance(under, list | tuple) else ()
    changes = [_perturbation_text(*one) for one in pairs if isinstance(one, list | tuple) and len(one) == 2]
    parts += [f"under {joined(changes)}"] if changes else []
    return ", ".join([*parts, *_conditions_text(aim("where"))])


def parameters_text(expectation: ExpectationEntry) -> str:
    """Return the parameters of an expectation that say something, but for what stands elsewhere."""
    parameters = {k: v for k, v in expectation.parameters.items() if k not in _TOLD_ELSEWHERE and v not in ("", {}, [])}
    return value_text(parameters)


_TOLD_ELSEWHERE = ("rationale", "strata")
"""Parameters that have a place of their own, or that ``by`` and ``where`` say."""


def titles_of(expectations: Iterable[ExpectationEntry]) -> dict[str, str]:
    """Return the titles of expectations by id; one that a behaviour has twice is told apart by the id's last part."""
    every = list(expectations)
    titles = [expectation_title(e) for e in every]
    often = Counter((e.spec_file, e.behaviour, title) for e, title in zip(every, titles, strict=True))
    return {
        e.id: title if often[e.spec_file, e.behaviour, title] == 1 else f"{title} ({_last_part(e)})"
        for e, title in zip(every, titles, strict=True)
    }


def _last_part(expectation: ExpectationEntry) -> str:
    return expectation.id.removeprefix(f"{expectation.spec_file}::{expectation.behaviour}::")


def _perturbation_text(kind: Any, told: Any) -> str:
    """Return a perturbation in words: ``rotate deg 8``, or its name alone where what it takes is drawn."""
    value = told.get("value") if isinstance(told, Mapping) else told
    amount = f" {value_text(value)}" if isinstance(value, str | int | float) else ""
    return f"{str(kind).replace('_', ' ')}{amount}"


def _conditions_text(where: Any) -> list[str]:
    """Return the conditions of a ``where`` in words, each apart."""
    parts = []
    for name, condition in where.items() if isinstance(where, Mapping) else ():
        word, unit = (name.removesuffix("_mm"), " mm") if name.endswith("_mm") else (name, "")
        conditions = [as_asked(op, value) for op, value in as_condition(condition).items()]
        parts += [f"{word.replace('_', ' ')} {_WORDS.get(op, op)} {value_text(v)}{unit}" for op, v in conditions]
    return parts


def in_order(names: Iterable[str], first: Sequence[str]) -> list[str]:
    """Return names without repetition, those of ``first`` in its order before all others."""
    there = dict.fromkeys(names)
    return [name for name in first if name in there] + [name for name in there if name not in first]


def number(value: Any, unit: str = "", *, decimals: int | None = None) -> str:
    """Return a number as a reader wants it; a dash for none. ``unit`` as in a component."""
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return "–"
    if isinstance(value, int) and not isinstance(value, bool) and not unit:
        return f"{value:,}".replace(",", " ")
    if unit == "mm":
        return f"{value:.{1 if decimals is None else decimals}f} mm"
    size = abs(value)
    digits = (3 if size < 0.1 else 2 if size < 100 else 0) if decimals is None else decimals
    text = f"{value:.{digits}f}"
    if not text.strip("-0."):
        text = text.removeprefix("-")
    text = text.replace("-", "\N{MINUS SIGN}")
    return f"+{text}" if unit == "difference" and value > 0 and text.strip("0.") else text


def interval(lower: Any, upper: Any, unit: str = "", *, bound: float | None = None) -> str:
    """Return ``0.88 to 0.96``, both with as many decimals, enough to tell them from ``bound``."""
    if lower is None and upper is None:
        return "–"
    return _ends(lower, upper, unit, _decimals_beside(bound, lower, upper, decimals_of(lower, upper)))


def _decimals_beside(bound: float | None, lower: Any, upper: Any, digits: int) -> int:
    """Return the decimals, ``digits`` or more, by which neither end of an interval is rounded to or across a bound."""
    ends = [end for end in (lower, upper) if end is not None]
    if bound is None:
        return digits
    return next((n for n in range(digits, 9) if all(decimals_beside(end, bound, n) == n for end in ends)), digits)


def _ends(lower: Any, upper: Any, unit: str, digits: int) -> str:
    """Return both ends of an interval; one that is not there is infinitely far, where the other one is."""
    low, high = number(lower, unit, decimals=digits), number(upper, unit, decimals=digits)
    if lower is None and upper is not None:
        low = "\N{MINUS SIGN}\N{INFINITY}"
    if upper is None and lower is not None:
        high = "\N{INFINITY}"
    return f"{low} to {high}"


def decimals_of(*values: Any) -> int:
    """Return how many decimals numbers that stand together need: 3 where all are below 0.1."""
    sizes = [abs(v) for v in values if isinstance(v, (int, float))]
    largest = max(sizes, default=1.0)
    return 3 if largest < 0.1 else 2 if largest < 100 else 0


def estimate(component: ComponentEntry) -> tuple[str, str]:
    """Return value and interval of a component, with as many decimals each, enough to tell the ends from the bound."""
    unit, low, high = component.unit, component.lower, component.upper
    digits = _decimals_beside(component.bound, low, high, decimals_of(component.value, low, high))
    return number(component.value, unit, decimals=digits), _ends(low, high, unit, digits)


def p_text(value: float | None, none: str = "") -> str:
    """Return a p value as it is printed; ``none`` where there is none."""
    if value is None:
        return none
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}" if value < 0.1 else f"{value:.2f}"


def bound_text(component: ComponentEntry) -> str:
    """Return the bound as a condition: ``> 0.80``, ``< 1.00``, ``within ±0.05``."""
    value = "–" if component.bound is None else limit(component.bound)
    value = value.replace("-", "\N{MINUS SIGN}") + (" mm" if component.unit == "mm" else "")
    return {"above": f"> {value}", "below": f"< {value}", "within": f"within ±{value}"}[component.side]


def value_text(value: Any) -> str:
    """Return any plain value on one line."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Mapping):
        items = (as_asked(str(key), item) for key, item in value.items())
        return "; ".join(f"{key}: {value_text(item)}" for key, item in items)
    if isinstance(value, (list, tuple)):
        numbers = len(value) == 2 and all(isinstance(v, (int, float)) and not isinstance(v, bool) for v in value)
        return f"{value[0]:g} to {value[1]:g}" if numbers else ", ".join(value_text(v) for v in value)
    return str(value)


def date(text: Any) -> str:
    """Return an ISO time as ``2 March 2026, 10:15 UTC``; what is no time comes back as it is."""
    if not text:
        return "–"
    try:
        when = datetime.fromisoformat(str(text))
    except ValueError:
        return str(text)
    if len(str(text)) <= 10:
        return f"{when.day} {when:%B %Y}"
    when = when.astimezone(UTC) if when.tzinfo else when
    return f"{when.day} {when:%B %Y, %H:%M}{' UTC' if when.tzinfo else ''}"


def age_band(age: object, unknown: str) -> str:
    """Return the twenty years that an age lies in, ``40 to 59``; ``unknown`` for what is no number."""
    try:
        low = int(float(str(age))) // 20 * 20
    except (ValueError, OverflowError):
        return unknown
    return f"{low} to {low + 19}"


def duration(seconds: Any) -> str:
    """Return seconds as ``6 min 42 s``."""
    if seconds is None:
        return "–"
    whole = round(seconds)
    if whole < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{whole} s"
    hours, rest = divmod(whole, 3600)
    return f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"


def short_hash(text: Any) -> str:
    """Return the first twelve digits of a hash."""
    return str(text)[:12] if text else "–"


def plural(count: int | None, noun: str, many: str = "") -> str:
    """Return ``1 background``, ``4 022 findings`` or, of a count that is not known, ``– backgrounds``."""
    return counted(count or 0, noun, many, shown=number(count))
