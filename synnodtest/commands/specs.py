"""``synnodtest check``, ``expand``, ``plan``, ``schema``, ``freeze``."""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synnodtest.backgrounds.manifest import mask_regions
from synnodtest.commands.options import add_options, settings_from
from synnodtest.errors import SpecError, SynnodError
from synnodtest.expectations import find_check
from synnodtest.expectations.limits import LARGEST_RADIUS_MM
from synnodtest.expectations.pairing import Compared
from synnodtest.matching import Matching
from synnodtest.spec.expectations import asks_little, changing, passes_in_silence
from synnodtest.spec.loader import load_spec
from synnodtest.spec.model import ArmSpec, Behaviour, Expectation, Scenes
from synnodtest.spec.nodes import listed
from synnodtest.spec.quantities import judged_quantities, named_values
from synnodtest.spec.recognise import has_spec_suffix, is_spec, run_that_keeps, unread
from synnodtest.spec.values import Normal, Value

if TYPE_CHECKING:
    from synnodtest.planning.cases import Case

HINT = (
    "name files or folders of specs, YAML that begins with 'synnodtest: 1'; 'synnodtest init' writes one to begin with"
)
LOOSE_OVERLAP = 0.05
"""IoU asked for, below which nearly any touching box hits; set by hand. It makes a caution and changes no verdict."""
LARGE_ALPHA = 0.1
"""Twice the usual error rate of a bound."""
SMALLEST_MM = 3.0
"""Diameter that the shipped diffusion model plants for whatever less is asked for, give or take 0.3 mm, on a film of
0.74 mm per pixel; the smallest of 68 nodules that readers annotated on films has 4 mm."""


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
        parser.add_argument("--backgrounds", type=Path, help="folder whose masks add region names")
    parser.set_defaults(run={"check": _check, "expand": _expand, "plan": _plan, "freeze": _freeze}[name])


def _plan_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--detector", metavar="D", help="for minutes and finished work; without one, scenes and power")
    add_options(parser)
    parser.epilog = (
        "scenes: that the item needs; cached: finished already; minutes: at the speed measured here in earlier runs;\n"
        "units: nodules, pairs or images; power: of PASSED under the assumption below the item; least: fewest\n"
        "backgrounds with which PASSED is possible at all."
    )


def spec_files(paths: list[Path]) -> Iterator[Path]:
    """Yield the spec files that paths name; none: those of ``specs/``. Copies that runs keep are left out of folders.

    Raises:
        SynnodError: a path does not exist, or there is no spec at all.
    """
    named, count = paths or [Path("specs")], 0
    for path in named:
        if not path.exists():
            raise SynnodError(f"{path}: no such file or folder", hint=HINT)
        for file in _specs_within(path) if path.is_dir() else [path]:
            count += 1
            yield file
    if not count:
        raise SynnodError(f"{', '.join(map(str, named))}: no spec here", hint=HINT)


def cases_of(paths: list[Path], backgrounds: Path | None) -> list[Case]:
    """Return the items of the specs that paths name, where a folder of backgrounds may bring region names."""
    from synnodtest.planning import cases

    known = mask_regions(backgrounds)
    loaded = ((load_spec(path, known_regions=known), path) for path in spec_files(paths))
    return [case for spec, path in loaded for case in cases.cases_of(spec, path.as_posix())]


def _specs_within(folder: Path) -> list[Path]:
    """Return the specs below a folder, in order; the copies of a run only where the folder lies in that run."""
    there = filter(_is_spec_file, sorted(_files_below(folder)))
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


def _is_spec_file(path: Path) -> bool:
    if has_spec_suffix(path) and (why := unread(path)):
        raise SynnodError(f"{path}: {why}", hint="whether it is a spec cannot be told; mend it, or take it away")
    return has_spec_suffix(path) and path.is_file() and is_spec(path)


def _check(options: argparse.Namespace) -> int:
    faults = behaviours = expectations = files = 0
    for path in spec_files(options.paths):
        files += 1
        try:
            spec = load_spec(path, known_regions=mask_regions(options.backgrounds))
        except SpecError as error:
            print(error, file=sys.stderr)
            faults += len(error.problems)
            continue
        for behaviour in spec.behaviours:
            for line, warning in (*((behaviour.line, one) for one in _warnings(behaviour)), *_out_of_range(behaviour)):
                print(f"{path}:{line}: WARNING {warning}")
            faults += sum(_lacks_function(path, expectation) for expectation in behaviour.expectations)
        behaviours += len(spec.behaviours)
        expectations += sum(len(b.expectations) for b in spec.behaviours)
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


def _warnings(behaviour: Behaviour) -> Iterator[str]:
    """Yield what is allowed and probably not meant."""
    from synnodtest.reference import asked_for

    yield from cautions(behaviour)
    if all(map(passes_in_silence, behaviour.expectations)):
        yield (
            f"a detector that reports nothing at all passes {behaviour.id!r}: "
            "let it expect nodules, too, such as sensitivity: {at_least: 0.5}"
        )
    bright = asked_for(behaviour)
    if bright is not None and bright.unlike_real:
        yield (
            f"{behaviour.id!r} says little of real nodules: {bright.sentence()}; leave out contrast for nodules as "
            "readers mark them, or give a density or an attenuation"
        )


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


def cautions(behaviour: Behaviour) -> Iterator[str]:
    """Yield what is allowed and lets a detector pass for little."""
    asked = [expectation.parameters for expectation in behaviour.expectations]
    rules = [rule for p in asked if isinstance(rule := p.get("matching", behaviour.matching), Mapping)]
    for words in dict.fromkeys(loose for rule in rules if (loose := _loose(Matching.from_dict(rule)))):
        yield f"{behaviour.id!r}: {words}"
    alphas = [float(p.get("alpha", behaviour.sampling.alpha)) for p in asked]
    if max(alphas, default=0.0) > LARGE_ALPHA:
        yield f"{behaviour.id!r}: alpha is {max(alphas):g}: a detector exactly at the bound passes as often"
    for expectation in behaviour.expectations:
        for words in asks_little(expectation):
            yield f"{behaviour.id!r}: {expectation.id}: {words}"
    yield from _alike(behaviour, asked)
    yield from _of_no_film(behaviour)


def _loose(rule: Matching) -> str:
    if rule.criterion == "iou":
        loose = rule.at_least < LOOSE_OVERLAP
        return f"a box hits that covers next to nothing (iou of {rule.at_least:g})" if loose else ""
    far = rule.tolerance_mm > LARGEST_RADIUS_MM  # a finding farther off lies beside any nodule
    return f"a finding hits whose centre lies up to {rule.tolerance_mm:g} mm beside the nodule" if far else ""


def _out_of_range(behaviour: Behaviour) -> Iterator[tuple[int, str]]:
    """Yield what no score reaches and no radiograph shows, with its line."""
    points: dict[float, int] = {}
    for one in behaviour.expectations:
        for point in listed(one.parameters.get("operating_point", behaviour.operating_point)):
            points.setdefault(float(point), one.line)
    for point, line in points.items():
        meant = f" (in percent? then write {point / 100:g})" if point <= 100 else ""
        if point > 1:
            yield line, f"{behaviour.id!r}: operating_point {point:g}: no score of 0..1 reaches it{meant}"
    nodules = behaviour.scenes.nodules if behaviour.scenes is not None else ()
    asked: list[tuple[int, Value | None]] = [(one.line, one.diameter_mm) for one in nodules]
    asked += [(behaviour.line, behaviour.fuzz.vary.get("diameter_mm"))] if behaviour.fuzz is not None else []
    for line, value in asked:
        least = math.inf if value is None else value.bounds[0]
        least = value.mean - 2 * value.sd if isinstance(value, Normal) else least  # its bounds are what can be at all
        if least < SMALLEST_MM:
            yield (
                line,
                f"{behaviour.id!r}: diameter_mm from {max(least, 0.0):g}: radiographs hardly show less than "
                f"{SMALLEST_MM:g} mm, and what is planted may be larger than asked for; begin at {SMALLEST_MM:g}",
            )


def _alike(behaviour: Behaviour, asked: list[Mapping[str, Any]]) -> Iterator[str]:
    """Yield arms that differ in nothing and are compared: only a control of the tool itself means that."""
    arms = {} if behaviour.scenes is None else behaviour.scenes.arms
    for pair in dict.fromkeys((p.get("arm"), p.get("reference")) for p in asked):
        one, other = (arms.get(str(name)) for name in pair)
        alike = one is not None and other is not None and _changed(one) == _changed(other)
        if alike and behaviour.gate != "integrity":
            message = f"the arms {pair[0]!r} and {pair[1]!r} differ in nothing"
            yield f"{behaviour.id!r}: {message}, so that any detector passes"


def _changed(arm: ArmSpec) -> ArmSpec:
    """Return an arm without perturbations that change nothing."""
    return replace(arm, perturbations=changing(arm.perturbations))


def _of_no_film(behaviour: Behaviour) -> Iterator[str]:
    """Yield conditions that no untouched background meets, of expectations that judge these: they have no nodule."""
    if behaviour.scenes is None:
        return
    planted = {"arm", "name", "nodule", "region", "mimic", *named_values(judged_quantities(behaviour.scenes))}
    for expectation in behaviour.expectations:
        asked = expectation.parameters
        named = {*(asked.get("where") or {}), *(name for one in asked.get("strata", ()) for name in one.where)}
        outcome = _of_films(expectation, behaviour.scenes)
        for name in sorted(named & planted) if outcome else ():
            remedy = "; give each arm an expectation of its own, with 'arm'" if name == "arm" else ""
            yield (
                f"{behaviour.id!r}: {expectation.id}: it judges untouched backgrounds, which have no {name!r}: "
                f"{outcome}, unless the manifest has such a column{remedy}"
            )


def _of_films(expectation: Expectation, scenes: Scenes) -> str:
    """Return what comes of a condition that none meets, of an expectation on untouched backgrounds; else nothing."""
    kind = find_check(expectation.kind)
    own = None if kind is None else kind.read(expectation.parameters)
    if kind is None or kind.unit(own) != "image":
        return ""
    if not isinstance(own, Compared):
        return "INCONCLUSIVE"
    one, other = (scenes.arms.get(str(name)) for name in (own.arm, own.reference))
    alike = one is None or other is None or (one.nodules, one.distractors) == (other.nodules, other.distractors)
    return "every one is judged" if alike else ""


def _plan(options: argparse.Namespace) -> None:
    from synnodtest.shell.option_faults import check_names
    from synnodtest.shell.plan import plan_lines
    from synnodtest.shell.run import Run

    settings = settings_from(options, options.detector or "")
    check_names(settings)
    for line in plan_lines(Run(settings), cases_of(options.paths, options.backgrounds)):
        print(line)
