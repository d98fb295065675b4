"""Where the shipped models lie: ``models/`` of the checkout, or the data installed with the package."""

from __future__ import annotations

import sys
from pathlib import Path

from synnodtest.errors import SynnodError

__all__ = ["shipped_model"]


def shipped_model(name: str) -> Path:
    """Return the path of a file or folder of ``models/``.

    Raises:
        SynnodError: it is in neither place; the message names both.
    """
    places = [
        Path(__file__).resolve().parents[1] / "models" / name,
        Path(sys.prefix) / "share" / "synnodtest" / "models" / name,
    ]
    for place in places:
        if place.exists():
            return place
    raise SynnodError(
        f"the shipped model {name!r} is not there; sought {' and '.join(map(str, places))}",
        hint="it comes with a checkout of the project; elsewhere name a model by its path",
    )
