"""Synthesizers: what plants nodules in radiographs.

Importing this package is light; a synthesizer's own dependencies load when it is resolved. Every module of this folder,
packages left out, is imported, so that synthesizers register themselves.
"""

import pkgutil
from importlib import import_module

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

for _found in pkgutil.iter_modules(__path__):
    if not _found.ispkg:
        import_module(f"{__name__}.{_found.name}")
