"""``synnodtest explore``: the page of all scenes of a run, beside another detector or version."""

from __future__ import annotations

import argparse
from os.path import relpath
from pathlib import Path
from urllib.parse import quote

from synnodtest.errors import RecordError


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument("run_folder", metavar="RUN", type=Path, help="folder of a run: reports/<run>")
    parser.add_argument("--against", type=Path, metavar="RUN2", help="folder of another run on the same scenes")
    parser.add_argument("--out", type=Path, help="the page to write (default: explore-<RUN2>.html beside RUN's folder)")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from synnodtest.report.explore import FILE_NAME, pictures_in, write_explore
    from synnodtest.shell.baseline import kept_record

    named: Path = options.run_folder
    record = kept_record(str(named))
    folder = named if named.is_dir() else named.parent
    page = folder / FILE_NAME
    if not page.is_file():
        raise RecordError(f"{page}: no such file, so there are no pictures", hint="run the specs again")
    other = None if options.against is None else kept_record(str(options.against))
    if other is not None and not {*record.scenes} & {*other.scenes}:
        raise RecordError(
            f"{folder} and {options.against} have no scene in common", hint="same specs, seed, synthesizer, backgrounds"
        )
    suffix = record.run.id if other is None else f"{record.run.id}-against-{other.run.id}"
    out: Path = options.out or folder.parent / f"explore-{suffix}.html"
    report = quote(Path(relpath(folder / "report.html", out.parent)).as_posix())
    print(write_explore(record, out.parent, pictures_in(page), other, name=out.name, report=report))
