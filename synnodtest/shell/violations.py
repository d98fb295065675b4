"""Statements of the shipped specs and clauses of the shipped change control plan that a seeded fault violates.

Fixed by what the fault is, not by what was seen.

A line is a behaviour and its expectations; each may end in ``*``. A fault may be caught by these and no others.
"""

from __future__ import annotations


def _statements(lines: str) -> tuple[str, ...]:
    """Return ``behaviour::expectation`` for each expectation of each line."""
    words = (line.split() for line in lines.strip().splitlines())
    return tuple(f"{behaviour}::{expectation}" for behaviour, *expectations in words for expectation in expectations)


_RANKED = _statements("""
    confidence-rises-with-size      monotone
    confidence-rises-with-contrast  *
    confidence-tells-sizes-apart    *
""")
_ALL_OVER_THE_LUNG = _statements("""
    nodules-are-found              sensitivity conspicuous subtle froc average_precision auc
    confidence-rises-with-size     monotone sensitivity conspicuous
    large-nodules-are-found        *
    every-one-of-several-is-found  *
    lung-beside-an-air-leak        *
    stored-as-found                afroc
    a-version-finds                sensitivity
""")
"""That nodules anywhere in the lung are found: one that lies behind the heart is among them."""
_FOUND = (
    _ALL_OVER_THE_LUNG
    + _RANKED
    + _statements("""
    small-nodules-come-into-sight     *
    found*                            *
    unmissable                        *
    invisible                         seen
    quiet-when-healthy                sensitivity
    no-alarm-by-an-air-leak           sensitivity
    another-lesion                    *
    growth-*                          *
    a-version-finds-behind-the-heart  *
""")
)
"""That nodules of the lung are found, and ranked."""
_LEAK = _statements("""
    silent-in-the-air-leak       *
    conspicuous-in-the-air-leak  *
    no-alarm-by-an-air-leak      specificity false_positives_per_image
""")
_QUIET = _LEAK + _statements("""
    confidence-rises-with-size  false_positives_per_image
    quiet-when-healthy          specificity false_positives_per_image
    no-nodule-*                 *
    a-version-finds             false_positives_per_image
""")
"""That nothing is reported where nothing is."""
_CURVES = _statements("""
    nodules-are-found  froc average_precision auc calibration
    stored-as-found    afroc
""")
_BOXES = _statements("""
    nodules-are-found  place fit
    stored-as-found    place
    a-version-finds    place
""")
_NEAR = _statements("""
    nodules-are-found                 sensitivity conspicuous subtle froc average_precision
    small-nodules-come-into-sight     *
    confidence-rises-with-size        *
    stored-as-found                   afroc
    a-version-finds                   sensitivity
    a-version-finds-behind-the-heart  *
""")
"""That a nodule is found where it lies."""
_LARGE = _statements("""
    another-lesion              *
    confidence-rises-with-size  monotone sensitivity conspicuous
    large-nodules-are-found     *
    a-version-finds             sensitivity
""")
_BEHIND_THE_HEART = ("found[region=retrocardiac]::*", "a-version-finds-behind-the-heart::*")

VIOLATED: dict[str, tuple[str, ...]] = {
    "size-blind": _LARGE,
    "border-blind": _FOUND,
    "keeps-only-top-1": ("companion-keeps-sensitivity::*", "every-one-of-several-is-found::*"),
    "fires-in-air-leak": _LEAK,
    "flip-blind": (*_FOUND, "mirror-image::*", "no-blind-side::*"),
    "score-quantised": (*_RANKED, "nodules-are-found::average_precision", "nodules-are-found::calibration"),
    "always-silent": _FOUND,
    "fires-everywhere": (*_QUIET, *_CURVES, *_RANKED, *_BOXES, "invisible::sensitivity"),
    "random": (*_FOUND, *_QUIET, *_CURVES, *_BOXES),
    "drops-retrocardiac": (*_BEHIND_THE_HEART, *_ALL_OVER_THE_LUNG),
    "off-by-10mm": (*_BOXES, *_NEAR),
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


_LOST = ("sensitivity of a-version-finds", "sensitivity of a-version-finds-behind-the-heart", "gates", "retention")
_ALARMS = ("specificity", "false positives per image", "gates", "retention")

BROKEN: dict[str, tuple[str, ...]] = {
    "size-blind": ("sensitivity of a-version-finds",),
    "border-blind": _LOST,
    "flip-blind": _LOST,
    "always-silent": _LOST,
    "fires-everywhere": (*_ALARMS, "sensitivity of a-version-finds"),
    "random": (*_LOST, *_ALARMS),
    "drops-retrocardiac": _LOST,
    "off-by-10mm": _LOST,
}
"""Mutant -> clauses of the shipped change control plan that it breaks as a new version; the others break none."""


def breaks(mutant: str, clause: str) -> bool:
    """Return whether a mutant, as a new version, violates a clause of the shipped plan."""
    return clause in BROKEN.get(mutant, ())


def breaks_something(mutant: str) -> bool:
    """Return whether a mutant, as a new version, violates any clause of the shipped plan."""
    return mutant in BROKEN
