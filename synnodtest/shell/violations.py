"""Which statement of the shipped specs each seeded fault violates: fixed by what the fault is, not by what was seen.

An entry is ``behaviour::expectation``; either part may end in ``*``. A fault may be caught by these and no others.
"""

from __future__ import annotations

__all__ = ["VIOLATED", "violates"]

_FOUND = (
    "confidence-rises-with-size::monotone",
    "confidence-rises-with-size::sensitivity",
    "confidence-rises-with-size::conspicuous",
    "nodules-are-found::sensitivity",
    "nodules-are-found::conspicuous",
    "nodules-are-found::subtle",
    "nodules-are-found::froc",
    "nodules-are-found::average_precision",
    "nodules-are-found::auc",
    "small-nodules-come-into-sight::*",
    "confidence-rises-with-contrast::*",
    "confidence-tells-sizes-apart::*",
    "large-nodules-are-found::*",
    "every-one-of-several-is-found::*",
    "found*::*",
    "lung-beside-an-air-leak::*",
    "unmissable::*",
    "invisible::seen",
    "quiet-when-healthy::sensitivity",
    "no-alarm-by-an-air-leak::sensitivity",
    "another-lesion::*",
    "growth-*::*",
)
"""That nodules of the lung are found, and ranked."""
_QUIET = (
    "confidence-rises-with-size::false_positives_per_image",
    "quiet-when-healthy::specificity",
    "no-nodule-*::*",
    "quiet-when-healthy::false_positives_per_image",
    "no-alarm-by-an-air-leak::specificity",
    "no-alarm-by-an-air-leak::false_positives_per_image",
    "silent-in-the-air-leak::*",
    "conspicuous-in-the-air-leak::*",
)
"""That nothing is reported where nothing is."""
_CURVES = (
    "nodules-are-found::froc",
    "nodules-are-found::average_precision",
    "nodules-are-found::auc",
    "nodules-are-found::calibration",
)
_RANKED = (
    "confidence-rises-with-size::monotone",
    "confidence-rises-with-contrast::*",
    "confidence-tells-sizes-apart::*",
)
_BOXES = ("nodules-are-found::place", "nodules-are-found::fit")

_ALL_OVER_THE_LUNG = (
    "nodules-are-found::sensitivity",
    "nodules-are-found::conspicuous",
    "nodules-are-found::subtle",
    "nodules-are-found::froc",
    "nodules-are-found::average_precision",
    "nodules-are-found::auc",
    "confidence-rises-with-size::monotone",
    "confidence-rises-with-size::sensitivity",
    "confidence-rises-with-size::conspicuous",
    "large-nodules-are-found::*",
    "every-one-of-several-is-found::*",
    "lung-beside-an-air-leak::*",
)
"""That nodules anywhere in the lung are found: one that lies behind the heart is among them."""

VIOLATED: dict[str, tuple[str, ...]] = {
    "size-blind": (
        "another-lesion::*",
        "confidence-rises-with-size::monotone",
        "confidence-rises-with-size::sensitivity",
        "confidence-rises-with-size::conspicuous",
        "large-nodules-are-found::*",
    ),
    "border-blind": _FOUND,
    "keeps-only-top-1": ("companion-keeps-sensitivity::*", "every-one-of-several-is-found::*"),
    "fires-in-air-leak": (
        "silent-in-the-air-leak::*",
        "conspicuous-in-the-air-leak::*",
        "no-alarm-by-an-air-leak::specificity",
        "no-alarm-by-an-air-leak::false_positives_per_image",
    ),
    "flip-blind": (*_FOUND, "mirror-image::*", "no-blind-side::*"),
    "score-quantised": (*_RANKED, "nodules-are-found::calibration"),
    "always-silent": _FOUND,
    "fires-everywhere": (*_QUIET, *_CURVES, *_RANKED, *_BOXES, "invisible::sensitivity"),
    "random": (*_FOUND, *_QUIET, *_CURVES, *_BOXES),
    "drops-retrocardiac": ("found[region=retrocardiac]::*", *_ALL_OVER_THE_LUNG),
    "off-by-10mm": (
        *_BOXES,
        "nodules-are-found::sensitivity",
        "nodules-are-found::conspicuous",
        "nodules-are-found::subtle",
        "nodules-are-found::froc",
        "nodules-are-found::average_precision",
        "small-nodules-come-into-sight::*",
        "confidence-rises-with-size::*",
    ),
    "sees-mimics": ("no-nodule-*::*",),
    "blind-by-devices": ("a-nodule-by-a-device::*",),
    "dismisses-known": ("growth-*::*",),
    "marker-led": ("frame::portable",),
}
"""Mutant -> statements it violates."""


def violates(mutant: str, behaviour: str, expectation: str) -> bool:
    """Return whether a mutant violates the statement of an expectation."""
    return any(_fits(behaviour, p.split("::")[0]) and _fits(expectation, p.split("::")[1]) for p in VIOLATED[mutant])


def _fits(name: str, pattern: str) -> bool:
    return name.startswith(pattern[:-1]) if pattern.endswith("*") else name == pattern
