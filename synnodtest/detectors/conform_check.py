"""One question of :mod:`synnodtest.detectors.conform` and its answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from synnodtest.errors import DetectorError
from synnodtest.finding import Finding
from synnodtest.radiograph import Radiograph

Findings = list[list[Finding]]
Ask = Callable[[Sequence[Radiograph]], Findings]
IN_PYTHON = "in Python: synnodtest.detectors.conform.conform(detector, radiographs)"


@dataclass(frozen=True)
class Check:
    """One question and its answer.

    Args:
        name: What was asked.
        passed: True or False; None where it could not be told.
        says: What was seen.
        remedy: What to change.
    """

    name: str
    passed: bool | None
    says: str
    remedy: str = ""


def guarded(name: str, ask: Callable[[], Check]) -> Check:
    """Return the answer to a question; where the detector fails at it, that is the answer."""
    try:
        return ask()
    except DetectorError as error:
        return Check(name, False, error.message, error.hint)
