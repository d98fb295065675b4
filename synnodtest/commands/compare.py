"""``synnodtest compare A B``: two detectors, or two runs, on identical scenes."""

from __future__ import annotations

import argparse
from pathlib import Path

from synnodtest.commands.options import RUN_OR_DETECTOR, add_options, file_to_write, keep, say_notes, settings_from
from synnodtest.errors import SynnodError

_OF_SCENES = (("synthesizer", "diffusion"), ("backgrounds", None), ("limit", None), ("seed", 0))
"""Options that say of what scenes are made, and what they are where nobody gave them."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("a", metavar="A", help=f"the earlier or the reference: {RUN_OR_DETECTOR}")
    add("b", metavar="B", help="what is compared with it, the same; differences are B minus A")
    add(
        "specs", nargs="*", type=Path, metavar="SPEC",
        help="spec files or folders whose scenes detectors see (default: specs)",
    )  # fmt: skip
    add("--specs", nargs="+", type=Path, default=[], dest="more_specs", help=argparse.SUPPRESS)
    add(
        "--compare-fail", action="append", default=[], metavar="M:D",
        help="exit with 1 where a metric moves by more than that, such as sensitivity:-0.03; may be repeated",
    )  # fmt: skip
    add("--json", type=file_to_write, metavar="FILE", help="also write the comparison as JSON")
    add_options(parser)
    parser.epilog = (
        "exit code 1: a limit is exceeded, or an expectation of A or B is ERROR or INVALID, on which no comparison\n"
        "rests; each reason is printed. FAILED and INCONCLUSIVE alone leave it at 0: the difference is what is asked."
    )


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from synnodtest.commands.specs import cases_of
    from synnodtest.decoding import encode
    from synnodtest.record.brief import comparison_lines
    from synnodtest.record.compare import compare, faults_of
    from synnodtest.record.limit import parse_limit
    from synnodtest.record.model.members import StatusWord
    from synnodtest.shell.baseline import is_record, record_of, run_of
    from synnodtest.shell.option_faults import check_names
    from synnodtest.shell.progress import Progress

    limits = [parse_limit(text) for text in options.compare_fail]
    cases = []
    names = (run_of(options.a), run_of(options.b))
    if names != (options.a, options.b) and Path(names[0]).resolve() == Path(names[1]).resolve():
        raise SynnodError(
            f"A and B both come to the run {names[0]}, the newest", hint="name the folders of the two runs"
        )
    check_names(*(settings_from(options, text) for text in names if not is_record(text)))
    specs = [*options.specs, *options.more_specs]
    if not all(map(is_record, names)):
        cases = cases_of(specs, options.backgrounds)
    elif unused := [*map(str, specs), *(f"--{name}" for name, usual in _OF_SCENES if getattr(options, name) != usual)]:
        say_notes([f"both are runs on file, whose scenes are as they are: {', '.join(unused)} not used"])
    earlier, now = (record_of(text, settings_from(options), cases, Progress()) for text in names)
    comparison = compare(earlier, now, name=names[0], limits=limits)
    unruled: tuple[StatusWord, ...] = ("ERROR", "INVALID")
    broken = [
        f"{status} {name}: {fault}"
        for status in unruled
        for name, one in zip(names, (earlier, now), strict=True)
        for fault in faults_of(one.expectations, status)
    ]
    for line in (*comparison_lines(comparison, names[1]), *broken):
        print(line)
    keep(encode(comparison), options.json, sort=True)
    return 0 if not broken and all(limit.kept for limit in comparison.limits) else 1
