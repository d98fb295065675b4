"""``synnodtest regions``: a sheet of radiographs with the outlines of their regions, for a person to check."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

from synnodtest.commands.options import one_or_more
from synnodtest.counted import counted
from synnodtest.errors import SynnodError
from synnodtest.radiograph import Radiograph

SHOWN = ("left_lung", "right_lung", "apical", "hilar", "retrocardiac", "subdiaphragmatic")
_TILE = 480
"""Longer side of a radiograph on the sheet, in pixels; set by hand: outlines can be judged, and four fit beside each
other on a screen."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    parser.add_argument("--backgrounds", type=Path, required=True, metavar="DIR", help="folder of radiographs")
    parser.add_argument("--set", default="normal", help="name of the set, a folder in DIR if there is one (normal)")
    parser.add_argument("--out", type=Path, required=True, metavar="PNG", help="the sheet to write")
    parser.add_argument("--count", type=int, default=24, help="radiographs on the sheet, doubtful ones first (24)")
    parser.add_argument("--among", type=one_or_more, metavar="N", help="look at N radiographs only (default: all)")
    parser.add_argument("--outlines", nargs="+", default=list(SHOWN), metavar="REGION", help="regions to outline")
    parser.add_argument("--cache", type=Path, default=Path(".synnodtest"), help="store that keeps estimates")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from synnodtest.backgrounds import FolderSet, open_backgrounds
    from synnodtest.phantom.sheet import contact_sheet

    if options.count < 1:
        raise SynnodError("--count must be 1 or more")
    backgrounds = open_backgrounds(options.backgrounds, options.set, options.among, cache=options.cache)
    assert isinstance(backgrounds, FolderSet)
    looked = []
    for background in backgrounds.backgrounds:
        doubts = "; ".join(backgrounds.doubts(background))
        looked.append((not doubts, background.id, doubts, background))
        if doubts:
            print(f"doubtful: {background.id}: {doubts}")
    looked.sort(key=lambda entry: entry[:2])
    pictures = [_small(backgrounds.load(entry[3]), entry[2]) for entry in looked[: options.count]]
    contact_sheet(pictures, options.out, tile=_TILE, regions=options.outlines)
    doubtful = sum(not clear for clear, *_ in looked)
    first = counted(doubtful, "doubtful, which comes first", "doubtful, which come first")
    print(f"{options.out}: {len(pictures)} of {counted(len(looked), 'radiograph')}; {first}")
    print("to correct a region, put <radiograph>.<region>.png beside the radiograph: a mask always wins")


def _small(radiograph: Radiograph, doubts: str) -> Radiograph:
    """Return a radiograph as it goes onto the sheet: square pixels, and labelled with what is doubtful."""
    height, width = radiograph.size_mm
    mm = max(height, width) / _TILE
    size = (max(round(width / mm), 1), max(round(height / mm), 1))
    regions = {name: np.asarray(Image.fromarray(mask).resize(size)) for name, mask in radiograph.regions.items()}
    pixels = np.asarray(Image.fromarray(radiograph.pixels).resize(size, Image.Resampling.BOX))
    masks = sorted(set(radiograph.regions) - radiograph.estimated)
    label = [radiograph.background, *([f"given: {', '.join(masks)}"] if masks else []), doubts]
    return replace(
        radiograph,
        pixels=pixels,
        spacing_mm=(mm, mm),
        regions=regions,
        background="\n".join(filter(None, label)),
        strata={key: radiograph.strata[key] for key in ("sex", "age") if key in radiograph.strata and not doubts},
    )
