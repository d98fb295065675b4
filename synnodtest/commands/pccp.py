"""``synnodtest pccp check``: a new version of a detector against a predetermined change control plan."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from synnodtest.commands.options import RUN_OR_DETECTOR, add_options, file_to_write, keep, settings_from
from synnodtest.errors import SynnodError
from synnodtest.record.change import Version
from synnodtest.record.model import Record
from synnodtest.record.model.authored import LIMITED_COUNT


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("action", choices=["check"], help="judge a version against the plan")
    add("--protocol", type=Path, required=True, metavar="FILE", help="the plan, of synnodtest freeze --protocol FILE")
    add(
        "--old", nargs="+", required=True, metavar="A", help=f"earlier versions, the reference first: {RUN_OR_DETECTOR}"
    )
    add("--new", required=True, metavar="B", help="the version under judgement, the same")
    add(
        "--out",
        type=file_to_write,
        metavar="FILE",
        help="the page (default: change-control-RUN.html beside that folder)",
    )
    add("--json", type=file_to_write, metavar="FILE", help="also write the judgement as JSON")
    add_options(parser)


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from synnodtest.integrity.lock import LOCK
    from synnodtest.integrity.protocol import frozen_at, read_protocol
    from synnodtest.record.pccp import judge_change
    from synnodtest.report.change_control import write_change_control
    from synnodtest.shell.baseline import run_of

    protocol = read_protocol(options.protocol)
    frozen, code = frozen_at(protocol, Path(LOCK))
    *earlier, new = (run_of(text) for text in (*options.old, options.new))
    old = [_version(text, options, list(protocol.specs)) for text in earlier]
    judged_now = _version(new, options, list(protocol.specs))
    _refuse_itself(old, judged_now)
    judged = judge_change(protocol, frozen, old, judged_now, code)
    for line in judged.lines():
        print(line)
    page = write_change_control(protocol, frozen, judged, options.out or _beside(new))
    print(f"page: {page}")
    keep(judged.as_dict(), options.json, sort=True)
    return 0 if judged.within else 1


def _refuse_itself(old: Iterable[Version], new: Version) -> None:
    """Refuse to hold a run against itself, which keeps any plan.

    Raises:
        SynnodError: an earlier version is the run under judgement.
    """
    if any(version.side.run == new.side.run for version in old if isinstance(version.record, Record)):
        raise SynnodError(
            f"--old and --new both come to the run {new.side.run}: it would be held against itself",
            hint="give each version a folder of its own (pytest --synnod-report reports/v3), or name the runs",
        )


def _beside(new: str) -> Path:
    """Return where the page goes: beside a run's folder, where it would be no file of the run; of a detector here."""
    from synnodtest.shell.baseline import is_record

    if not is_record(new):
        return Path("change-control.html")
    path = Path(new).expanduser().resolve()
    folder = path if path.is_dir() else path.parent
    return folder.parent / f"change-control-{folder.name}.html"


def _version(text: str, options: argparse.Namespace, files: list[str]) -> Version:
    """Return a version: of a record, or of a detector that is run now on the specs of the plan."""
    from synnodtest.commands.specs import cases_of
    from synnodtest.integrity.sources import sources
    from synnodtest.record.entries import behaviour_entry, expectation_entry
    from synnodtest.shell.baseline import is_record, kept_record, record_of
    from synnodtest.shell.progress import Progress

    if is_record(text):
        record = kept_record(text)
        specs = record.identification.specs
        code = {s.file: s.sources for s in specs if s.sources}
        return Version(text, record, {s.file: s.sha256 for s in specs}, _limited(record), code)
    missing = [file for file in files if not Path(file).is_file()]
    if missing:
        raise SynnodError(f"{missing[0]}: no such spec; the protocol names it", hint="run from the project's folder")
    cases = cases_of([Path(file) for file in files], options.backgrounds)
    tried = record_of(text, settings_from(options), cases, Progress())
    searches = (expectation_entry(c, "NOT RUN") for c in cases if c.node_id in tried.left_out)
    tried = replace(
        tried,
        expectations=(*tried.expectations, *searches),
        behaviours=tuple(behaviour_entry(c.spec, c.behaviour) for c in cases),
    )
    ran = {c.spec.path.as_posix(): c.spec for c in cases}
    code = {file: sources(spec) for file, spec in ran.items()}
    return Version(text, tried, {f: s.sha256 for f, s in ran.items()}, tried.short or options.limit is not None, code)


def _limited(made: Record) -> bool:
    from synnodtest.engine.gather import fewer_backgrounds

    limited = made.run.profile or fewer_backgrounds(made.attrition.reasons)
    return bool(limited) or any(d.what == LIMITED_COUNT for d in made.deviations)
