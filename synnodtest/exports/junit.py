"""What an expectation says of itself in JUnit XML."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["properties"]


def properties(expectation: Mapping[str, Any], behaviour: Mapping[str, Any] | None = None) -> list[tuple[str, str]]:
    """Return name and value of the properties of one test case, for pytest's ``user_properties``.

    Args:
        expectation: The expectation as it stands in the record.
        behaviour: Its behaviour as it stands in the record; without it requirement, hazard and gate are left out.

    Returns:
        ``synnodtest.requirement`` and ``.hazard`` (one each), ``.gate``, ``.behaviour``, ``.verdict``, ``.waiver``,
        ``.sentence``, ``.n_nodules``, ``.n_backgrounds``, and of the primary estimate ``.estimate``, ``.lower``,
        ``.upper`` and ``.bound``.
    """
    pairs: list[tuple[str, Any]] = []
    if behaviour:
        pairs += [("requirement", r) for r in behaviour.get("requirement", ())]
        pairs += [("hazard", h) for h in behaviour.get("hazard", ())]
        pairs.append(("gate", behaviour.get("gate")))
    waived = expectation.get("waived")
    pairs += [
        ("behaviour", expectation.get("behaviour")),
        ("verdict", expectation.get("status")),
        ("waiver", waived["id"] if waived and not waived.get("expired") else None),
        ("error", expectation.get("error") or None),
    ]
    ruling = expectation.get("ruling") or {}
    pairs += [(name, ruling.get(name)) for name in ("sentence", "n_nodules", "n_backgrounds")]
    for first in ruling.get("components", [])[:1]:
        pairs += [(to, first.get(name)) for to, name in _OF_ESTIMATE]
    return [(f"synnodtest.{name}", _text(value)) for name, value in pairs if value is not None and value != ""]


_OF_ESTIMATE = (("estimate", "value"), ("lower", "lower"), ("upper", "upper"), ("bound", "bound"))


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
