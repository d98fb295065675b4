"""Properties of an expectation in JUnit XML."""

from __future__ import annotations

from typing import Any

from synnodtest.record.model import BehaviourEntry, ExpectationEntry


def properties(expectation: ExpectationEntry, behaviour: BehaviourEntry | None = None) -> list[tuple[str, str]]:
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
        pairs += [("requirement", r) for r in behaviour.requirement]
        pairs += [("hazard", h) for h in behaviour.hazard]
        pairs.append(("gate", behaviour.gate))
    waived, ruling = expectation.waived, expectation.ruling
    pairs += [
        ("behaviour", expectation.behaviour),
        ("verdict", expectation.status),
        ("waiver", waived.id if waived and not waived.expired else None),
        ("error", expectation.error),
    ]
    if ruling is not None:
        pairs += [("sentence", ruling.sentence), ("n_nodules", ruling.n_nodules)]
        pairs.append(("n_backgrounds", ruling.n_backgrounds))
    for first in expectation.components[:1]:
        pairs += [("estimate", first.value), ("lower", first.lower), ("upper", first.upper), ("bound", first.bound)]
    return [(f"synnodtest.{name}", _text(value)) for name, value in pairs if value is not None and value != ""]


def _text(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else str(value)
