"""Contact sheets: many radiographs on one page, to be looked at."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import scipy
from PIL import Image, ImageDraw, ImageOps

from synnodtest.files import replacing
from synnodtest.geometry import edge_of
from synnodtest.phantom.solids import Array
from synnodtest.radiograph import Radiograph

_LEGEND_PX = 20
"""Height of the legend in pixels: one line of the default font."""
COLOURS = {
    "left_lung": (80, 200, 255),
    "right_lung": (80, 200, 255),
    "apical": (255, 220, 60),
    "hilar": (255, 120, 220),
    "retrocardiac": (255, 90, 60),
    "subdiaphragmatic": (120, 255, 120),
    "peripheral": (160, 160, 255),
    "mediastinum": (255, 170, 60),
    "rib": (200, 200, 120),
    "clavicle": (255, 255, 255),
    "air_leak": (255, 40, 40),
}


def contact_sheet(
    radiographs: Sequence[Radiograph], path: Path, *, columns: int = 4, tile: int = 480, regions: Iterable[str] = ()
) -> Path:
    """Write radiographs side by side to one PNG, nodules outlined in yellow.

    Args:
        radiographs: In reading order.
        path: The PNG to write (replaced as a whole).
        columns: Radiographs per row.
        tile: Pixels of each radiograph's longer side.
        regions: Names of regions to be outlined too.
    """
    regions = tuple(regions)
    rows = max(math.ceil(len(radiographs) / columns), 1)
    sheet = Image.new("RGB", (columns * tile, rows * tile + (_LEGEND_PX if regions else 0)))
    for k, radiograph in enumerate(radiographs):
        picture = Image.fromarray(outlined(radiograph, regions))
        picture = ImageOps.contain(picture, (tile, tile), Image.Resampling.LANCZOS)
        label = " ".join([radiograph.background, *(str(radiograph.strata.get(key, "")) for key in ("sex", "age"))])
        ImageDraw.Draw(picture).text((6, 6), label, fill=(255, 255, 255))
        sheet.paste(picture, ((k % columns) * tile, (k // columns) * tile))
    if regions:
        _legend(ImageDraw.Draw(sheet), regions, rows * tile)
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        sheet.save(temporary, format="PNG")
    return path


def _legend(draw: ImageDraw.ImageDraw, regions: Iterable[str], top: int) -> None:
    left = 6.0
    for name in regions:
        draw.text((left, top + 4), name, fill=COLOURS.get(name, (255, 255, 0)))
        left += draw.textlength(name) + 16


def outlined(radiograph: Radiograph, regions: Iterable[str] = ()) -> Array:
    """Return the radiograph as 8-bit RGB (h, w, 3) with the outlines of nodules and of named regions."""
    grey = (radiograph.pixels * 255).round().astype(np.uint8)
    rgb = np.repeat(grey[..., None], 3, axis=2)
    for name in regions:
        if name in radiograph.regions:
            rgb[edge_of(radiograph.regions[name])] = COLOURS.get(name, (255, 255, 0))
    for truth in radiograph.nodules:
        around = scipy.ndimage.binary_dilation(truth.mask(radiograph.shape), iterations=4)
        rgb[edge_of(around)] = (255, 255, 0)
    return rgb
