"""Checks: evidence -> ruling. Importing this package registers the built-in ones."""

from synnodtest.evidence.ruling import Component, Ruling, Status
from synnodtest.expectations import (
    calibration,
    comparisons,
    curves,
    custom,
    localization,
    parity,
    rates,
    silence,
    size,
    trend,
)
from synnodtest.expectations.registry import Check, check, find_check, known_checks

__all__ = [
    "Check",
    "Component",
    "Ruling",
    "Status",
    "calibration",
    "check",
    "comparisons",
    "curves",
    "custom",
    "find_check",
    "known_checks",
    "localization",
    "parity",
    "rates",
    "silence",
    "size",
    "trend",
]
