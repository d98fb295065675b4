"""Conditions of ``where``: whether a value satisfies them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Condition = Mapping[str, Any]
"""Operator -> value."""


def holds(value: Any, condition: Any) -> bool:
    """Return whether a value satisfies a condition of ``where``: ``at_least``, ``at_most``, ``equals``, ``in``."""
    if value is None:
        return False
    return all(_compare(value, operator, bound) for operator, bound in as_condition(condition).items())


def as_condition(given: Any) -> Condition:
    """Return a condition of ``where`` as a mapping; a bare value means ``equals``."""
    return given if isinstance(given, Mapping) else {"equals": given}


def _compare(value: Any, operator: str, wanted: Any) -> bool:
    if isinstance(value, frozenset):
        return bool(value & set(wanted)) if operator == "in" else wanted in value
    if operator in {"at_least", "at_most"}:
        try:
            number = float(value)
        except (TypeError, ValueError):
            return False
        return bool(number >= wanted if operator == "at_least" else number <= wanted)
    return any(same(value, w) for w in wanted) if operator == "in" else same(value, wanted)


def same(value: Any, wanted: Any) -> bool:
    """Return whether a value is the wanted one: numbers but for rounding, all else as text.

    A manifest has only texts: there ``007`` and ``1.0`` are the numbers 7 and 1, and ``TRUE`` is true.
    """
    if isinstance(wanted, bool):
        return str(value).lower() == str(wanted).lower()
    if not isinstance(wanted, (int, float)):
        return str(value) == str(wanted)
    try:
        return abs(float(value) - wanted) < 1e-9
    except (TypeError, ValueError):
        return False
