"""``synnodtest sbom``: the software bill of materials of a run."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument("report", type=Path, help="folder of a report, or its results.json", metavar="RUN")
    parser.add_argument("--out", type=Path, metavar="FILE", help="default: sbom.cdx.json in the working directory")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from synnodtest.exports import cyclonedx
    from synnodtest.shell.baseline import kept_record

    record = kept_record(str(options.report))
    print(cyclonedx.write(record, options.out or Path(cyclonedx.FILE_NAME)))
    return 0
