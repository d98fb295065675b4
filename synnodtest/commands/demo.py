"""``synnodtest demo``: the main job once, with every part real."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from synnodtest.errors import SynnodError

__all__ = ["configure"]

ENDS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""A detector that fails expectations is a shown outcome of the demo; a broken run is not."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument(
        "--limit", type=int, help="at most so many backgrounds per behaviour (the specs ask for up to 100)"
    )
    parser.add_argument(
        "--specs", type=Path, default=Path("specs/paper.yaml"), help="spec or folder (default: specs/paper.yaml)"
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER, help="further words for pytest, after --")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if not options.specs.exists():
        raise SynnodError(
            f"{options.specs}: no such file or folder",
            hint="run it in a checkout of synnodtest, or name your specs with --specs",
        )
    words = [str(options.specs), "--detector", "demo", "-q", *(w for w in options.rest if w != "--")]
    if options.limit:
        words += ["--synnod-limit", str(options.limit)]
    code = pytest.main(words)
    if code in ENDS:
        print("the demo ran to its end; verdicts above are the demonstration detector's, failures included")
        return 0
    return int(code)
