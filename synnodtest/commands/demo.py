"""``synnodtest demo``: the main job once, with every part real."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from synnodtest.commands.options import one_or_more
from synnodtest.errors import SynnodError
from synnodtest.pytest_plugin import KEY
from synnodtest.shipped import shipped

SPECS = Path("specs/paper.yaml")
LOADED = "ignore::pytest.PytestAssertRewriteWarning"
"""The command has loaded the plugin before pytest does, which pytest tells where the package came as a wheel."""
UNUSED = ("-p", "no:hypothesispytest")
"""Hypothesis's own plugin loads all of Hypothesis to say at the end that it was not used."""
ENDS = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
"""A detector that fails expectations is a shown outcome of the demo; a broken run is not."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    add = parser.add_argument
    add("--limit", type=one_or_more, help="at most so many backgrounds per behaviour (the specs ask for up to 100)")
    add("--specs", type=Path, default=SPECS, help=f"spec or folder (default: {SPECS})")
    add("--waivers", type=Path, help="accepted failures (default: waivers.yaml here, if there)")
    add("rest", nargs=argparse.REMAINDER, help="further words for pytest, after --")


class _Watch:
    """A pytest plugin that keeps the path of the run's report."""

    report: Path | None = None

    def pytest_unconfigure(self, config: pytest.Config) -> None:
        session = config.stash.get(KEY, None)
        self.report = None if session is None else session.report


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    specs = options.specs
    if not specs.exists():
        if specs != SPECS:
            raise SynnodError(f"{specs}: no such file or folder", hint="name your specs with --specs")
        specs = shipped(SPECS.as_posix())
    words = [str(specs), "--rootdir", ".", "--detector", "demo", "-q", "-W", LOADED, *UNUSED]
    words += [word for word in options.rest if word != "--"]
    if options.waivers:
        words += ["--synnod-waivers", str(options.waivers)]
    if options.limit:
        words += ["--synnod-limit", str(options.limit)]
    watch = _Watch()
    code = pytest.main(words, plugins=[watch])
    if watch.report is None or code not in ENDS:
        return int(code) or 1
    print(f"\nThe verdicts are the demonstration detector's own, failures included. The report:\n{watch.report}")
    return 0
