"""A sheet of synthetic cuts, drawn together from the gallery's pictures into one."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

from synnodtest.reporting.model import Figure

__all__ = ["sheet_figure"]

COLUMNS, MOST, SIDE = 8, 24, 112
_FIRST = ("random pass", "random failure")
"""Kinds of scenes that are drawn at random; they come before all others."""


def sheet_figure(gallery: Sequence[Mapping[str, Any]], folder: Path) -> Figure | None:
    """Return up to 24 cuts around planted nodules, of different scenes; None without pictures."""
    from PIL import Image

    root = Path(folder).resolve()
    order = sorted(gallery, key=lambda item: item["rule"] not in _FIRST)
    paths = dict.fromkeys((root / str(item["synthetic"])).resolve() for item in order if item.get("synthetic"))
    there = [p for p in paths if p.suffix == ".webp" and p.is_relative_to(root) and p.is_file()][:MOST]
    if not there:
        return None
    rows = -(-len(there) // COLUMNS)
    sheet = Image.new("L", (COLUMNS * (SIDE + 2) - 2, rows * (SIDE + 2) - 2), 255)
    for index, path in enumerate(there):
        with Image.open(path) as cut:
            place = (index % COLUMNS * (SIDE + 2), index // COLUMNS * (SIDE + 2))
            sheet.paste(cut.convert("L").resize((SIDE, SIDE)), place)
    held = io.BytesIO()
    sheet.save(held, "webp", quality=80, method=4)
    data = base64.b64encode(held.getvalue()).decode()
    title = "What was planted"
    description = f"{len(there)} cuts around planted nodules, scenes drawn at random first."
    return Figure(
        title,
        description,
        Markup('<img class="figure" src="data:image/webp;base64,{}" alt="{}" width="{}" height="{}">').format(
            data, f"{title}: {description}", *sheet.size
        ),
        wide=True,
    )
