"""``synnodtest report`` and ``verify``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

__all__ = ["configure"]


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of one command."""
    if name == "report":
        parser.add_argument("record", type=Path, help="results.json, or the folder of a run")
        parser.add_argument("--no-pixels", action="store_true", help="leave pictures out")
        parser.set_defaults(run=_report)
    else:
        parser.add_argument("folder", type=Path, help="folder of a run: reports/<run>")
        parser.set_defaults(run=_verify)


def _report(options: argparse.Namespace) -> int:
    from synnodtest.reporting import html, manifest, record

    path = options.record / "results.json" if options.record.is_dir() else options.record
    made = html.render(record.read(path), path.parent, pixels=not options.no_pixels)
    manifest.write(path.parent)
    print(made)
    return 0


def _verify(options: argparse.Namespace) -> int:
    from synnodtest.reporting import manifest

    faults = manifest.verify(options.folder)
    for fault in faults:
        print(fault, file=sys.stderr)
    print(f"{options.folder}: {'every file is as it was written' if not faults else f'{len(faults)} differences'}")
    return 1 if faults else 0
