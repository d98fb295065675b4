"""``synnodtest history``: what moved from run to run, without a baseline named by hand."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from fnmatch import fnmatch
from pathlib import Path

from synnodtest.commands.options import file_to_write, one_or_more, template
from synnodtest.errors import RecordError
from synnodtest.integrity import ledger
from synnodtest.record.history import history_of
from synnodtest.record.model import ComponentEntry, Record
from synnodtest.record.outcomes import History
from synnodtest.record.results import runs_in
from synnodtest.record.words import estimate, plural


def configure(name: str, parser: argparse.ArgumentParser) -> None:
    """Add arguments."""
    parser.add_argument("--reports", type=Path, default=Path("reports"), metavar="DIR", help="parent folder of runs")
    parser.add_argument("--expectation", default="*", metavar="PATTERN", help="node ids, such as '*::sensitivity'")
    parser.add_argument("--last", type=one_or_more, metavar="N", help="the last N runs alone")
    parser.add_argument("--out", type=file_to_write, metavar="FILE", help="the page (default: history.html in DIR)")
    parser.add_argument("--json", action="store_true", help="print JSON instead of text")


def run(options: argparse.Namespace) -> None:
    """Run the command."""
    from synnodtest.report.history import write_history

    records, places = _newest(options.reports, options.last)
    own = {s.sha256 for history in records for s in history.identification.specs}
    entries = options.reports.parent / ledger.FILE_NAME
    entered = [e for e in ledger.runs_of(entries, own) if not options.last or e["run"] in places]
    for fault in ledger.faults(entries):
        print(fault, file=sys.stderr)
    history = history_of([_only(r, options.expectation) for r in records], entered)
    if not history.outcomes and any(r.expectations for r in records):
        some = next(e.id for r in records for e in r.expectations)
        raise RecordError(
            f"{options.reports}: no run came to an expectation {options.expectation!r}", hint=f"such as {some!r}"
        )
    page = write_history(history, options.out or options.reports / "history.html", places)
    if options.json:
        print(json.dumps({"runs": [asdict(r) for r in history.runs], "outcomes": {
            node: [asdict(o) for o in series] for node, series in history.outcomes.items()}}, indent=1))  # fmt: skip
        return
    print(*history_lines(history), f"page: {page}", sep="\n")


def _newest(reports: Path, last: int | None) -> tuple[list[Record], dict[str, Path]]:
    """Return the records of the last runs, or of all, and their folders by id; a copy of a run is no other run.

    Raises:
        RecordError: there is none.
    """
    from synnodtest.shell.baseline import kept_record

    records: dict[str, Record] = {}
    places: dict[str, Path] = {}
    for folder in reversed(runs_in(reports)):
        if last and len(records) >= last:
            break
        record = kept_record(str(folder))
        if record.run.id not in records:
            records[record.run.id], places[record.run.id] = record, folder
    if not records:
        raise RecordError(f"{reports}: holds no run", hint="name the folder with --reports")
    return list(records.values()), places


def _only(made: Record, pattern: str) -> Record:
    return replace(made, expectations=tuple(e for e in made.expectations if fnmatch(e.id, pattern)))


def history_lines(history: History) -> list[str]:
    """Return a history as lines of text: runs, what moved, what flips, what a version kept, each estimate."""
    told = template("history.txt.j2", counts=_counts, numbers=_numbers).render(history=history, plural=plural)
    return str(told).splitlines()


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {word}" for word, count in counts.items())


def _numbers(part: ComponentEntry | None) -> str:
    return "{} ({})".format(*estimate(part)) if part else ""
