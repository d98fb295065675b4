"""A sheet of synthetic cuts, made small from the gallery's pictures."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path

from synnodtest.counted import counted
from synnodtest.record.model import PictureEntry
from synnodtest.report.crops import encoded
from synnodtest.report.model import Figure

MOST, SIDE = 24, 112
"""Cuts shown, and their side in pixels; set by hand: four rows of six that fill the width of a printed page."""
ROW = 6
"""Cuts in a row of the printed page. Rows after the first are whole: one cut more would push the figure a page on."""
_FIRST = ("random pass", "random failure")
"""Kinds of scenes that are drawn at random; they come before all others."""


def sheet_figure(gallery: Sequence[PictureEntry], folder: Path) -> Figure | None:
    """Return up to 24 cuts around planted nodules, of different scenes; None without pictures."""
    from PIL import Image

    root = Path(folder).resolve()
    order = sorted(gallery, key=lambda item: item.rule not in _FIRST)
    paths = dict.fromkeys((root / item.synthetic).resolve() for item in order if item.synthetic)
    there = [p for p in paths if p.suffix == ".webp" and p.is_relative_to(root) and p.is_file()][:MOST]
    if not there:
        return None
    names: dict[str, None] = {}
    for path in there:
        with Image.open(path) as cut:
            small = encoded(cut.convert("L").resize((SIDE, SIDE)), "webp", quality=80, method=4)
        names[base64.b64encode(small).decode()] = None
    pictures = list(names)[: max(len(names) - len(names) % ROW, min(len(names), ROW))]
    description = f"{counted(len(pictures), 'cut')} around planted nodules, scenes drawn at random first."
    size, of = f'width="{SIDE}" height="{SIDE}"', len(pictures)
    sheet = "".join(
        f'<img src="data:image/webp;base64,{data}" alt="cut {number} of {of}" {size}>'
        for number, data in enumerate(pictures, 1)
    )
    return Figure("What was planted", description, sheet, wide=True)
