"""Bounds of each quantity of a spec, by name; the language's own bounds are held to it by a test."""

from __future__ import annotations

from synnodtest.perturbations.registry import perturbation_kinds

LIMITS: dict[str, tuple[float, float]] = {
    "diameter_mm": (0.1, 100.0),
    "contrast": (0.001, 1.0),
    "density": (0.25, 10.0),
    "distance_mm": (0.0, 1000.0),
    "mimic_distance_mm": (0.0, 1000.0),
    "doubling_days": (1.0, 100000.0),
    "interval_days": (1.0, 100000.0),
} | {f"perturbations.{name}": kind.span.limits for name, kind in perturbation_kinds().items() if kind.span is not None}
"""Least and largest value; a normal distribution is cut to them, and a search goes no further."""
