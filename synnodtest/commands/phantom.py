"""``synnodtest phantom``."""

from __future__ import annotations

import argparse
from functools import partial
from pathlib import Path

from synnodtest.commands.options import handed_on
from synnodtest.counted import counted
from synnodtest.evidence.region_names import BUILT_IN_REGIONS


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    parser.add_argument("--out", type=Path, required=True, help="folder to write into; an interrupted call continues")
    parser.add_argument("--count", type=int, default=12, help="radiographs (default: 12)")
    parser.add_argument("--seed", type=int, default=0, help="master seed; another one draws other persons")
    parser.add_argument("--nodules", action="store_true", help="plant 1 to 3 nodules in every second radiograph")
    parser.add_argument("--pneumothorax", action="store_true", help="let one lung of each partially collapse")
    parser.add_argument("--layout", choices=("node21", "folder"), default="node21", help="default: node21")
    parser.add_argument("--size", type=int, default=1024, help="pixels along each side (default: 1024)")
    parser.add_argument("--no-masks", action="store_true", help="leave out the region masks")
    parser.add_argument("--sheet", type=Path, metavar="PNG", help="also draw a contact sheet of the first twelve")
    text, regions = "outline regions on the sheet", sorted(BUILT_IN_REGIONS)
    parser.add_argument("--outlines", nargs="*", default=[], choices=regions, metavar="REGION", help=text)


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from tqdm import tqdm

    from synnodtest.phantom.dataset import write_dataset

    bar = partial(tqdm, desc="phantoms", unit="chest", disable=None)
    choices = handed_on(options, "count", "seed", "nodules", "pneumothorax", "layout", "size")
    folder = write_dataset(options.out, masks=not options.no_masks, progress=bar, **choices)
    print(f"{counted(options.count, 'radiograph')} in {folder}")
    if options.sheet is not None:
        print(f"contact sheet: {_sheet(options)}")


def _sheet(options: argparse.Namespace) -> Path:
    from synnodtest.phantom.dataset import remade
    from synnodtest.phantom.sheet import contact_sheet

    set_name = "pneumothorax" if options.pneumothorax else "normal"
    phantoms = remade(min(options.count, 12), set_name=set_name, **handed_on(options, "seed", "nodules", "size"))
    return contact_sheet(phantoms, options.sheet, regions=options.outlines)
