"""``synnodtest history``: what moved from run to run, without a baseline named by hand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict, replace
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING

from synnodtest.errors import RecordError
from synnodtest.integrity.manifest import RECORD
from synnodtest.record.words import plural

if TYPE_CHECKING:
    from synnodtest.record.model import ComponentEntry, Record
    from synnodtest.record.outcomes import History


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments and the function of the command."""
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="parent folder of runs")
    parser.add_argument("--expectation", default="*", metavar="PATTERN", help="node ids, such as '*::sensitivity'")
    parser.add_argument("--last", type=int, metavar="N", help="the last N runs alone")
    parser.add_argument("--out", type=Path, metavar="FILE", help="the page (default: history.html in DIR)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> None:
    from synnodtest.integrity import ledger
    from synnodtest.record.history import history_of
    from synnodtest.report.history import write_history
    from synnodtest.shell.baseline import kept_record

    folders = sorted(path.parent for path in options.reports.glob(f"*/{RECORD}"))
    if not folders:
        raise RecordError(f"{options.reports}: holds no run", hint="name the folder with --reports")
    if options.last:
        folders = folders[-options.last :]
    records = [kept_record(str(folder)) for folder in folders]
    places = {history.run.id: folder for history, folder in zip(records, folders, strict=True)}
    own = {s.sha256 for history in records for s in history.identification.specs}
    entries = options.reports.parent / ledger.FILE_NAME
    entered = [] if options.last else ledger.runs_of(entries, own)
    for fault in ledger.faults(entries):
        print(fault, file=sys.stderr)
    history = history_of([_only(r, options.expectation) for r in records], entered)
    page = write_history(history, options.out or options.reports / "history.html", places)
    if options.json:
        print(json.dumps({"runs": [asdict(r) for r in history.runs], "outcomes": {
            node: [asdict(o) for o in series] for node, series in history.outcomes.items()}}, indent=1))  # fmt: skip
        return
    for line in history_lines(history):
        print(line)
    print(f"page: {page}")


def _only(made: Record, pattern: str) -> Record:
    return replace(made, expectations=tuple(e for e in made.expectations if fnmatch(e.id, pattern)))


def history_lines(history: History) -> Iterator[str]:
    """Yield a history as lines of text: runs, what moved, what flips, what a version kept, each estimate."""
    yield f"{plural(len(history.runs), 'run')}, {plural(len(history.versions()), 'version')} of the detector"
    for run in history.runs:
        counts = ", ".join(f"{count} {word}" for word, count in run.counts.items()) or "no record"
        yield f"  {run.id}  {run.version}  seed {run.seed}  {run.status}: {counts}"
    yield from _moves(history)
    flips = history.flips()
    yield f"verdicts that flip between seeds: {len(flips) or 'none'}"
    for node, version, words in flips:
        yield f"  {node} under {version}: " + ", ".join(f"{count} {word}" for word, count in words.items())
    for earlier, later, lost, of in history.kept():
        line = f"kept from {earlier} to {later}: {of - len(lost)} of {of} that passed{history.apart(earlier, later)}"
        yield line if of else f"kept from {earlier} to {later}: nothing that passed was run again"
        yield from (f"  lost: {node}" for node in lost)
    for node in history.outcomes:
        yield node
        yield from _series(history, node)


def _moves(history: History) -> Iterator[str]:
    lists = {
        "newly failed": history.newly("FAILED"),
        "no longer settled": history.unsettled(),
        "newly passed": history.newly("PASSED"),
    }
    for title, moves in lists.items():
        yield f"{title}: {len(moves) or 'nothing'}"
        for node, before, now in moves:
            changed = "; specification, synthesizer or backgrounds differ" if before.question != now.question else ""
            then, last = (_numbers(part) for part in history.told_by(before, now))
            yield f"  {node}: {before.status} {then} -> {now.status} {last}{changed}"
    moved = history.moved()
    yield f"estimates that moved, interval apart from interval: {len(moved) or 'none'}"
    for node, earlier, later in moved:
        yield f"  {node}: {later.label} {_numbers(earlier)} -> {_numbers(later)}"


def _series(history: History, node: str) -> Iterator[str]:
    """Yield an expectation run by run; where several estimates decide, one after the other."""
    labels = history.labels(node)
    for label in labels or [""]:
        if len(labels) > 1:
            yield f"  {label}; the verdict is on all estimates together"
        for one in history.outcomes[node]:
            run = history.runs[one.run]
            numbers = _numbers(one.estimate_of(label))
            yield f"  {one.status:<12} {numbers:<24} {run.version}, seed {run.seed}, {run.id}"


def _numbers(part: ComponentEntry | None) -> str:
    from synnodtest.record.words import estimate

    if part is None:
        return ""
    value, ends = estimate(part)
    return f"{value} ({ends})"
