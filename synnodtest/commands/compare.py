"""``synnodtest compare A B``: two detectors, or two runs, on identical scenes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

__all__ = ["configure", "lines_of"]


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    from synnodtest.shell.cases import add_options

    what = "a detector as --detector names it, or results.json (or the folder) of a run"
    parser.add_argument("a", metavar="A", help=f"the earlier or the reference: {what}")
    parser.add_argument("b", metavar="B", help="what is compared with it, the same; differences are B minus A")
    parser.add_argument(
        "--specs", nargs="+", type=Path, default=[], metavar="SPEC", help="whose scenes detectors see (default: specs)"
    )
    parser.add_argument(
        "--compare-fail",
        action="append",
        default=[],
        metavar="M:D",
        help="exit with 1 where a metric moves by more than that, such as sensitivity:-0.03; may be repeated",
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="also write the comparison as JSON")
    add_options(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from synnodtest.backgrounds.mask_names import mask_regions
    from synnodtest.commands.specs import spec_files
    from synnodtest.files import write_atomic
    from synnodtest.record.compare import compare, faults_of, parse_limit
    from synnodtest.shell.baseline import is_record, record_of
    from synnodtest.shell.cases import cases_in, settings_from
    from synnodtest.shell.run import plain_progress

    limits = [parse_limit(text) for text in options.compare_fail]
    cases = []
    if not (is_record(options.a) and is_record(options.b)):
        regions = frozenset() if options.backgrounds is None else mask_regions(options.backgrounds)
        cases = list(cases_in(spec_files(options.specs), regions))
    earlier, now = (record_of(text, settings_from(options), cases, plain_progress) for text in (options.a, options.b))
    made = compare(earlier, now, name=options.a, limits=limits)
    for line in lines_of(made, options.b):
        print(line)
    both = ((options.a, earlier), (options.b, now))
    broken = [f"ERROR {name}: {fault}" for name, one in both for fault in faults_of(one["expectations"])]
    for line in broken:
        print(line)
    if options.json is not None:
        write_atomic(options.json, json.dumps(made, indent=1, sort_keys=True) + "\n")
    return 0 if not broken and all(limit["kept"] for limit in made["limits"]) else 1


def lines_of(made: Mapping[str, Any], name: str) -> Iterator[str]:
    """Yield a comparison as lines of text.

    Args:
        made: What :func:`synnodtest.record.compare.compare` returned.
        name: What the later one is called.
    """
    yield f"{name} against {made['earlier']}: {len(made['verdicts'])} verdicts differ, {made['unchanged']} do not"
    for change in made["verdicts"]:
        yield f"  {change['id']}: {change['before']} -> {change['after']}"
    for margin in made["margins"]:
        yield f"  WARNING {margin['id']}: {margin['what']} was {margin['before']} and is {margin['after']}"
    for word in ("new", "removed"):
        yield from (f"  {word}: {key}" for key in made[word])
    yield ""
    yield f"{'pairs':>7} {'before':>8} {'now':>8} {'differs by':>10}  {'90% interval':<17}  metric"
    for row in made["differences"]:
        if not row["behaviour"]:
            yield _row(row, row["metric"])
    for row in made["differences"]:
        if row["behaviour"] and row["shown"]:
            yield _row(row, f"{row['metric']} in {row['behaviour']}")
    if not made["differences"]:
        yield "no scene is in both: other seed, synthesizer, backgrounds or specs"
    elif made["unpaired"]:
        yield f"{made['unpaired']} scenes are not in both, or were excluded, and are not compared"
    yield "behaviours are listed where the interval excludes no difference; rows above them are all scenes together"
    yield from (limit["sentence"] for limit in made["limits"])


def _row(row: Mapping[str, Any], what: str) -> str:
    interval = "none" if row["lower"] is None else f"{row['lower']:+.3f} to {row['upper']:+.3f}"
    value = "" if row["value"] is None else f"{row['value']:+.3f}"
    return f"{row['n']:>7} {row['before']:>8.3f} {row['after']:>8.3f} {value:>10}  {interval:<17}  {what}"
