"""Synthesizers: what plants nodules in radiographs.

Importing this package is light; a synthesizer's own dependencies load when it is resolved.
"""

from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from synnodtest.synthesizers.registry import (
    FunctionSynthesizer,
    known_synthesizers,
    register_synthesizer,
    resolve_synthesizer,
)

__all__ = [
    "FunctionSynthesizer",
    "GaussianSynthesizer",
    "known_synthesizers",
    "register_synthesizer",
    "resolve_synthesizer",
]
