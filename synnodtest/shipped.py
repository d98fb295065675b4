"""Places of the shipped ``models/`` and ``specs/``: in the checkout, or where the wheel put them."""

from __future__ import annotations

import site
import sys
from pathlib import Path

from synnodtest.errors import SynnodError


def shipped(path: str) -> Path:
    """Return where a shipped file or folder lies, for example ``specs/paper.yaml``.

    Raises:
        SynnodError: it is nowhere; the message names the places.
    """
    beside = Path(__file__).resolve().parents[1]
    installed = (Path(sys.prefix), Path(site.getuserbase()), beside)  # of pip install; with --user; with --target
    places = [beside / path, *(base / "share" / "synnodtest" / path for base in installed)]
    for place in places:
        if place.exists():
            return place
    raise SynnodError(
        f"{path}, which ships with synnodtest, is not there; sought {', '.join(map(str, places))}",
        hint="a checkout and a wheel of the project bring it; otherwise name your own by its path",
    )


def shipped_model(name: str) -> Path:
    """Return the path of a file or folder of ``models/``.

    Raises:
        SynnodError: it is nowhere; the message names the places.
    """
    return shipped(f"models/{name}")
