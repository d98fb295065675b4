"""Detectors: whatever ``--detector`` can name, behind one guard.

``resolve_detector(text)`` is all that callers need. A module of this folder registers its providers when it is
imported, which is when one of its names is first asked for; heavy packages are loaded when they are used.
"""

from __future__ import annotations

from synnodtest.detectors.callables import CallableDetector
from synnodtest.detectors.guard import Guard
from synnodtest.detectors.registry import Options, register_detector, registered_names
from synnodtest.detectors.resolve import make_detector, resolve_detector
from synnodtest.ports import DEFAULT_TIMEOUT_S

__all__ = [
    "DEFAULT_TIMEOUT_S",
    "CallableDetector",
    "Guard",
    "Options",
    "make_detector",
    "register_detector",
    "registered_names",
    "resolve_detector",
]
