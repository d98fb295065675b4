"""``synnodtest check``, ``expand``, ``plan``, ``schema``, ``freeze``."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from synnodtest.backgrounds.manifest import mask_regions
from synnodtest.commands.options import add_options, folder_to_read, settings_from
from synnodtest.commands.spec_warnings import cut_texts, warnings_of
from synnodtest.errors import SpecError, SynnodError
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import Expectation
from synnodtest.spec.recognise import has_spec_suffix, is_spec, run_that_keeps, unread

if TYPE_CHECKING:
    from synnodtest.planning.cases import Case

HINT = (
    "name files or folders of specs, YAML that begins with 'synnodtest: 1'; 'synnodtest init' writes one to begin with"
)


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of one command."""
    if name == "schema":
        parser.set_defaults(run=_schema)
        return
    if name == "expand":
        parser.add_argument("paths", nargs=1, type=Path, metavar="spec", help="spec file")
    else:
        named = "specs" if name == "plan" else "paths"
        help_text = "spec files or folders (default: specs)"
        parser.add_argument("paths", metavar=named, nargs="*", type=Path, help=help_text)
    if name == "freeze":
        parser.add_argument(
            "--protocol", type=Path, metavar="FILE",
            help="also freeze a predetermined change control plan over these specs; drafted where there is none",
        )  # fmt: skip
    if name == "plan":
        _plan_options(parser)
    else:
        parser.add_argument("--backgrounds", type=folder_to_read, help="folder whose masks add region names")
    parser.set_defaults(run={"check": _check, "expand": _expand, "plan": _plan, "freeze": _freeze}[name])


def _plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detector", metavar="D", help="for minutes and finished work; without one, scenes and power")
    add_options(parser)
    parser.epilog = (
        "scenes: that the item needs; cached: finished already; minutes: at the speed measured here in earlier runs;\n"
        "units: nodules, pairs or images; power: of PASSED under the assumption below the item; least: fewest\n"
        "backgrounds with which PASSED is possible at all."
    )


def _refused(fault: SynnodError) -> None:
    raise fault


def spec_files(paths: list[Path], tell: Callable[[SynnodError], None] = _refused) -> Iterator[Path]:
    """Yield the spec files that paths name; none: those of ``specs/``. Copies that runs keep are left out of folders.

    Args:
        paths: Files and folders.
        tell: Takes what cannot be looked at, where the others are to be yielded all the same.

    Raises:
        SynnodError: a path does not exist, a file of a folder cannot be read, or there is no spec at all.
    """
    named, count = paths or [Path("specs")], 0
    for path in named:
        if not path.exists():
            tell(SynnodError(f"{path}: no such file or folder", hint=HINT))
            count += 1
            continue
        for file in _specs_within(path, tell) if path.is_dir() else [path]:
            count += 1
            yield file
    if not count:
        tell(SynnodError(f"{', '.join(map(str, named))}: no spec here", hint=HINT))


def cases_of(paths: list[Path], backgrounds: Path | None) -> list[Case]:
    """Return the items of the specs that paths name, where a folder of backgrounds may bring region names."""
    from synnodtest.planning import cases

    known = mask_regions(backgrounds)
    loaded = ((load_spec(path, known_regions=known), path) for path in spec_files(paths))
    return [case for spec, path in loaded for case in cases.cases_of(spec, path.as_posix())]


def _specs_within(folder: Path, tell: Callable[[SynnodError], None]) -> list[Path]:
    """Return the specs below a folder, in order; the copies of a run only where the folder lies in that run."""
    there = [file for file in sorted(_files_below(folder)) if _is_spec_file(file, tell)]
    return [file for file in there if (run := run_that_keeps(file)) is None or folder.is_relative_to(run)]


def _files_below(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    """Yield the files of a folder and of all below it; links are followed, as pytest does, but not in a circle."""
    within = (*above, folder.resolve())
    with os.scandir(folder) as entries:
        inside = [(Path(entry.path), entry.is_dir()) for entry in entries]
    for path, is_folder in inside:
        if not is_folder:
            yield path
        elif path.resolve() not in within:
            yield from _files_below(path, within)


def _is_spec_file(path: Path, tell: Callable[[SynnodError], None]) -> bool:
    if has_spec_suffix(path) and (why := unread(path)):
        tell(SynnodError(f"{path}: {why}", hint="whether it is a spec cannot be told; mend it, or take it away"))
        return False
    return has_spec_suffix(path) and path.is_file() and is_spec(path)


def _check(options: argparse.Namespace) -> int:
    faults = behaviours = expectations = files = 0
    unseen: list[SynnodError] = []
    for path in spec_files(options.paths, unseen.append):
        files += 1
        try:
            spec = load_spec(path, known_regions=mask_regions(options.backgrounds))
        except SpecError as error:
            print(error, file=sys.stderr)
            faults += len(error.problems)
            continue
        for file in (path, *(path.parent / name for name in spec.included)):
            for line, warning in cut_texts(file):
                print(f"{file}:{line}: WARNING {warning}")
        for behaviour in spec.behaviours:
            for line, warning in warnings_of(behaviour):
                print(f"{path}:{line}: WARNING {warning}")
            faults += sum(_lacks_function(path, expectation) for expectation in behaviour.expectations)
        behaviours += len(spec.behaviours)
        expectations += sum(len(b.expectations) for b in spec.behaviours)
    for one in unseen:
        print(one, file=sys.stderr)
    faults += len(unseen)
    from synnodtest.record.words import plural

    counts = ((files, "spec"), (behaviours, "behaviour"), (expectations, "expectation"), (faults, "error"))
    first, *rest = (plural(count, noun) for count, noun in counts)
    print(f"{first}: {', '.join(rest)}")
    return 1 if faults else 0


def _lacks_function(path: Path, expectation: Expectation) -> bool:
    """Say where the function of a ``python`` expectation is not there; True where its module is, so that no run has it.

    The module is imported, as by a run and by ``freeze``; what only fails to be imported here is warned of.
    """
    from synnodtest.factories import Loader

    if expectation.kind != "python":
        return False
    try:
        Loader(str(expectation.parameters["function"]), "check", SynnodError, Path.cwd()).find()
    except SynnodError as error:
        imported = error.__cause__ is None
        word, stream = ("", sys.stderr) if imported else ("WARNING ", sys.stdout)
        print(f"{path}:{expectation.line}: {word}{error}", file=stream)
        return imported
    return False


def _expand(options: argparse.Namespace) -> None:
    from synnodtest.spec.plain import resolved

    print(resolved(load_spec(options.paths[0], known_regions=mask_regions(options.backgrounds))), end="")


def _freeze(options: argparse.Namespace) -> None:
    from synnodtest.integrity.lock import LOCK, freeze
    from synnodtest.integrity.protocol import freeze_protocol
    from synnodtest.record.words import plural

    specs = [load_spec(path, known_regions=mask_regions(options.backgrounds)) for path in spec_files(options.paths)]
    print(f"{freeze(specs, Path(LOCK))}: {plural(len(specs), 'spec')} frozen; commit it before the run")
    if options.protocol is not None:
        drafted, protocol = freeze_protocol(options.protocol, specs, Path(LOCK))
        done = "drafted and frozen: edit it, then freeze it again" if drafted else "frozen; commit it with the lock"
        print(f"{options.protocol}: {done} (sha256 {protocol.sha256[:12]})")


def _schema(options: argparse.Namespace) -> None:
    from synnodtest.spec.validation import schema

    print(json.dumps(schema(), indent=2))


def _plan(options: argparse.Namespace) -> None:
    from synnodtest.shell.option_faults import check_names
    from synnodtest.shell.plan import plan_lines
    from synnodtest.shell.run import Run

    settings = settings_from(options, options.detector or "")
    check_names(settings)
    for line in plan_lines(Run(settings), cases_of(options.paths, options.backgrounds)):
        print(line)
