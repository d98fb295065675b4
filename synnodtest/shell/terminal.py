"""Output in pytest's terminal: letters, verdicts that fit the width, the report's path last."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synnodtest.counted import counted
from synnodtest.record.brief import comparison_lines, exclusions, kind_of_run, numbers
from synnodtest.record.model import ExpectationEntry, Record, RulingEntry
from synnodtest.shell.gallery import write_step_summary
from synnodtest.shell.repeat_commands import follow_up

if TYPE_CHECKING:
    from synnodtest.shell.ending import Ending
    from synnodtest.shell.session import Session

OPEN = "?"
"""Letter of what the data do not settle; pytest counts it with the failures, for it is never a pass."""
LOOKS: dict[str, dict[str, bool]] = {"PASSED": {"green": True}, "FAILED": {"red": True}, "ERROR": {"red": True}}
"""Colours; all else is yellow. pytest switches them off with ``--color=no``, ``NO_COLOR`` or without a terminal."""
LEAST_WIDTH = 40
"""Columns to which lines are wrapped at least; set by hand: in fewer, the indent and a long word would leave
nothing."""


def letter_of(report: Any) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
    """Return category, letter and word of an item that is INCONCLUSIVE and not relaxed; None for all others."""
    if getattr(report, "synnod_status", "") != "INCONCLUSIVE" or not report.failed:
        return None
    return "failed", OPEN, ("INCONCLUSIVE", {"yellow": True})


def width_of(reporter: Any) -> int | None:
    """Return the columns that lines must fit; None where nobody looks through a window of some width."""
    if reporter.isatty or os.environ.get("COLUMNS"):
        return max(LEAST_WIDTH, int(reporter._tw.fullwidth))
    return None


def verdict_lines(node_id: str, ruling: RulingEntry, width: int | None, more: Iterable[str] = ()) -> Iterator[str]:
    """Yield a verdict: status and its two numbers first, then the sentence, then what a pass leaves out.

    The node id stands behind the numbers where it fits, else below them: it is copied, so it is never broken.

    Args:
        node_id: Of the item.
        ruling: As the record holds it.
        width: Columns that the lines must fit, or None.
        more: Further lines, such as the commands that replay and promote a counterexample.
    """
    sentences = [ruling.sentence, *(exclusions(ruling) if ruling.status == "PASSED" else ()), *more]
    return _lines(f"{ruling.status:<12}  {numbers(ruling):<22}", node_id, sentences, width)


def _lines(head: str, node_id: str, told: Iterable[str], width: int | None) -> Iterator[str]:
    if width is None or len(head) + 2 + len(node_id) <= width:
        yield f"{head}  {node_id}"
    else:
        yield head.rstrip()
        yield f"    {node_id}"
    for text in told:
        yield from textwrap.wrap(
            text,
            width or len(text) + 8,
            initial_indent="    ",
            subsequent_indent="        ",
            break_long_words=False,
            break_on_hyphens=False,
        )


BROKEN_BESIDE = "pytest counts it as failed all the same: something else broke in this item, as told above"


def _told_of(session: Session, entry: ExpectationEntry, broken: bool, width: int | None) -> Iterator[str]:
    """Return the verdict of an item, or what kept it from one; ``broken``: pytest has it among failures and errors."""
    ruling, waived = entry.ruling, entry.waived
    if ruling is None:
        return _lines(f"{entry.status:<12}  {'':<22}", entry.id, entry.error.splitlines()[:1], width)
    more = [waived.sentence] if waived is not None and ruling.status in ("FAILED", "INCONCLUSIVE") else []
    more += [BROKEN_BESIDE] * (broken and entry.status == "PASSED")
    more += follow_up(session.run.fragment, session.run.settings, entry.id)
    return verdict_lines(entry.id, ruling, width, more)


def write_summary(session: Session, reporter: Any) -> None:
    """Write every verdict, faults, what a baseline shows, and the annotations of a CI job."""
    fragment, width = session.run.fragment, width_of(reporter)
    if not fragment.expectations and session.ending is None and not session.trouble:
        if session.due:
            due = counted(len(session.due), "expectation was", "expectations were")
            reporter.section("synnodtest verdicts")
            reporter.line(f"nothing was ruled: {due} to run, and none did; there is no report", yellow=True)
        return
    reporter.section("synnodtest verdicts")
    broken = {report.nodeid for word in ("failed", "error") for report in reporter.stats.get(word, ())}
    for node_id, entry in sorted(fragment.expectations.items()):
        first, *rest = _told_of(session, entry, node_id in broken, width)
        reporter.line(first, **LOOKS.get(entry.status, {"yellow": True}))
        for line in rest:
            reporter.line(line)
    told = (f"backgrounds {films.name}: {note}" for films in fragment.backgrounds.values() for note in films.notes)
    for line in dict.fromkeys(told):  # behaviours take more or fewer of one set
        reporter.line(line, yellow=True)
    for anomaly in fragment.anomalies:
        reporter.line(f"{anomaly.id}: {anomaly.what}: {anomaly.impact}", yellow=True)
    for warning in session.idle_waivers():
        reporter.line(f"WARNING {warning}", yellow=True)
    for fault in session.second.faults() if session.second is not None else ():
        reporter.line(fault, red=True)
    if session.ending is not None:
        _write_whole(session.ending, session.run.settings.detector_told, reporter, width)
    if session.trouble:
        reporter.line(session.trouble, red=True)
    for line in _wrapped(session.taken(), width):
        reporter.line(line)


def _write_whole(ending: Ending, detector: str, reporter: Any, width: int | None) -> None:
    """Write what a baseline shows, and whether the run confirms anything."""
    comparison = ending.comparison
    if comparison is not None:
        reporter.section("against the baseline")
        holds = {limit.sentence: limit.kept for limit in comparison.limits}
        for line in comparison_lines(comparison, detector):
            reporter.line(line, **({} if line not in holds else {"green": True} if holds[line] else {"red": True}))
    reporter.line("")
    for line in _wrapped(kind_of_run(ending.run), width):
        reporter.line(line)


def _wrapped(text: str, width: int | None) -> list[str]:
    return textwrap.wrap(text, width or len(text) + 1, subsequent_indent="    ", break_long_words=False)


def write_end(session: Session, reporter: Any) -> None:
    """Write what is known once the report is there: why it is not, the annotations of a CI job, where time went."""
    if reporter is None or session.is_worker:
        return
    if session.interrupted and (session.run.ready or session.ending is not None):  # pytest calls a bad spec so, too
        where = session.run.settings.cache
        reporter.line(f"interrupted: what was finished lies in {where}; the same command goes on from there")
    if session.trouble and session.ending is not None:
        reporter.line(session.trouble, red=True)
    if session.hidden and not session.interrupted and not reporter.stats.keys() & {"failed", "error"}:
        reporter.line(_hidden(session.hidden), red=True)
    if session.record is not None and session.report is not None:
        from synnodtest.report.confirmation import weaknesses

        for title, text in weaknesses(session.record):
            reporter.line(f"{title}: {text}", yellow=True)
        for line in (*github_lines(session.record), *session.profile()):
            reporter.line(line)
        try:
            write_step_summary(session.record, session.report)
        except OSError as error:  # as in a container that is told of a file outside of it
            text = f"GITHUB_STEP_SUMMARY: cannot be written: {error.strerror}; it is {session.report.parent}/summary.md"
            reporter.line(text, yellow=True)


def _hidden(node_ids: Sequence[str]) -> str:
    """Return why the run fails though pytest tells of no failure."""
    more = f" and {len(node_ids) - 1} more" * (len(node_ids) > 1)
    return (
        f"{node_ids[0]}{more} did not pass, which a conftest.py, a plugin or the death of a worker keeps from pytest's "
        "count: the run fails\n"
        "  hint: waivers.yaml accepts failures, by a named approver until a date"
    )


def write_last(report: Path | None, reporter: Any) -> None:
    """Write the path of the report as the last line of all."""
    if report is not None and reporter is not None:
        reporter.write_line(f"report: {report}", bold=True)


def github_lines(record: Record) -> Iterable[str]:
    """Return workflow commands that mark the YAML lines, where GitHub runs the job."""
    if os.environ.get("GITHUB_ACTIONS") != "true":
        return ()
    from synnodtest.exports import sarif

    return tuple(sarif.github(record, sarif.below_checkout(Path())))
