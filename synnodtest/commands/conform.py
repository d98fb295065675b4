"""``synnodtest conform``: is the adapter between a detector and synnodtest right?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from synnodtest.commands.options import keep
from synnodtest.detectors.conform_check import Check
from synnodtest.devices import device
from synnodtest.errors import SynnodError
from synnodtest.ports import DEFAULT_TIMEOUT_S

_WORDS = {True: "ok", False: "WRONG", None: "unknown"}
_WIDTH = len("empty radiograph")
"""Of the longest question's name: a line is printed as soon as its answer is there, before the others are known."""


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    parser.add_argument("detector", help="as for pytest --detector")
    parser.add_argument("--device", type=device, default="cpu", help="cpu or cuda")
    parser.add_argument("--timeout", type=float, default=DEFAULT_TIMEOUT_S, metavar="SECONDS", help="for one call")
    parser.add_argument("--out", type=Path, help="also write the answers as JSON")
    parser.epilog = "answers: ok; WRONG, with what to look for (exit code 1); unknown where it could not be told"


def run(options: argparse.Namespace) -> int:
    """Run the command."""
    from synnodtest.detectors import resolve_detector
    from synnodtest.detectors.conform import answers
    from synnodtest.detectors.recorded import recorded_in
    from synnodtest.shell.progress import Progress

    detector = resolve_detector(options.detector, device=options.device, timeout_s=options.timeout)
    if recorded_in(detector):
        raise SynnodError(
            f"{options.detector} is a record of findings: it can be asked nothing about other radiographs",
            hint="conform the detector that it was recorded from",
        )
    print(detector.identity.name, flush=True)
    progress, checks = Progress(), []
    for check in answers(detector, progress=lambda done, total: progress.tell("shown", done, total, "phantoms")):
        print("\n".join(_lines(check)), flush=True)
        checks.append(check)
    loud = [check.says for check in checks if check.name in ("findings", "picture") and check.passed is not True]
    loud = [says for says in loud if says.startswith("NO FINDING") or "same" in says]
    if loud:
        print(f"\n{detector.identity.name}: {loud[0]}", file=sys.stderr)
    keep(checks, options.out)
    return int(any(check.passed is False for check in checks))


def _lines(check: Check) -> list[str]:
    line = f"  {check.name:<{_WIDTH}}  {_WORDS[check.passed]:<8}{check.says}"
    remedy = [f"  {'':<{_WIDTH}}          {check.remedy}"] if check.remedy and check.passed is not True else []
    return [line, *remedy]
