"""``synnodtest plan``: what every expectation costs and can show, before anything runs."""

from __future__ import annotations

import argparse
from pathlib import Path


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    from synnodtest.shell.cases import add_options

    parser.add_argument("specs", nargs="*", type=Path, help="spec files or folders (default: specs)")
    parser.add_argument("--detector", metavar="D", help="for minutes and finished work; without one, scenes and power")
    add_options(parser)
    parser.epilog = (
        "scenes: that the item needs; cached: finished already; minutes: at the speed measured here in earlier runs;\n"
        "units: nodules, pairs or images; power: of PASSED under the assumption below the item; least: fewest\n"
        "backgrounds with which PASSED is possible at all."
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from synnodtest.commands.specs import cases_of
    from synnodtest.shell.cases import settings_from
    from synnodtest.shell.option_names import check_names
    from synnodtest.shell.plan import plan_lines
    from synnodtest.shell.run import Run

    settings = settings_from(options, options.detector or "")
    check_names(settings)
    for line in plan_lines(Run(settings), cases_of(options.specs, options.backgrounds)):
        print(line)
