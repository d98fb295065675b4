"""synnodtest's own modules are imported as they are: pytest would rewrite the asserts of every one of them.

pytest does so for all packages that bring a plugin, and keeps the result beside the source. Where that cannot be
written (a read-only installation, ``PYTHONDONTWRITEBYTECODE``) some 300 modules are parsed and rewritten in every run,
which takes longer than a run whose scenes are all stored needs for all else.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

PACKAGE = "synnodtest."


class _Plain(MetaPathFinder):
    """Finds the submodules of synnodtest where Python itself would, and nothing else."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        return PathFinder.find_spec(name, path, target) if name.startswith(PACKAGE) else None


_PLAIN = _Plain()


def import_plainly() -> None:
    """Ask Python before pytest for synnodtest's modules; to be called after pytest has set up its import hook."""
    if _PLAIN in sys.meta_path:
        sys.meta_path.remove(_PLAIN)
    sys.meta_path.insert(0, _PLAIN)
