"""Checks: evidence -> ruling. Importing this package registers the built-in ones."""

from synnodtest.checks import (
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
from synnodtest.checks.registry import Check, check, find_check, known_checks
from synnodtest.checks.ruling import Component, Ruling, Status

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
