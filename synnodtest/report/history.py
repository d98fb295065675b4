"""The page of a history: one offline file without a script, every estimate with its interval, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from os.path import relpath
from pathlib import Path

from synnodtest.files import write_atomic
from synnodtest.record.model import ComponentEntry
from synnodtest.record.outcomes import History, Outcome
from synnodtest.record.words import bound_text, estimate
from synnodtest.report.figures.strip import domain_of, strip
from synnodtest.report.page import page, style_of


def write_history(history: History, path: Path, places: Mapping[str, Path] | None = None) -> Path:
    """Write the page and return its path.

    Args:
        history: What it shows.
        path: The file.
        places: Folder of each run by its id; by default a folder of that name beside the page.
    """
    folders = {run: relpath(folder, Path(path).parent) for run, folder in (places or {}).items()}
    text = page(
        "history.html.j2",
        style_of("history.css"),
        runs=[(run, Path(folders.get(run.id, run.id)).as_posix()) for run in history.runs],
        failed=[_moved(history, *row) for row in history.newly("FAILED")],
        unsettled=[_moved(history, *row) for row in history.unsettled()],
        passed=[_moved(history, *row) for row in history.newly("PASSED")],
        moved=[(history.titles[n], now.label, _numbers(before), _numbers(now)) for n, before, now in history.moved()],
        flips=[(history.titles[node], version, list(words.items())) for node, version, words in history.flips()],
        kept=[
            (before, now, [history.titles[n] for n in lost], of - len(lost), of, history.apart(before, now))
            for before, now, lost, of in history.kept()
        ],
        versions=history.versions(),
        series=[_series(history, node) for node in history.outcomes],
    )
    return write_atomic(Path(path), text)


def _moved(history: History, node: str, before: Outcome, now: Outcome) -> dict[str, object]:
    return {
        "title": history.titles[node],
        "before": before.status,
        "now": now.status,
        "then": history.runs[before.run].id,
        "run": history.runs[now.run].id,
        "numbers": [_numbers(part) for part in history.told_by(before, now)],
        "other": before.question != now.question,
    }


def _numbers(part: ComponentEntry | None) -> str:
    return "–" if part is None else "{} ({})".format(*estimate(part))


def _series(history: History, node: str) -> dict[str, object]:
    """Return an expectation run by run: a table for each estimate that decides it."""
    labels = history.labels(node)
    tables = [
        {"label": label if len(labels) > 1 else "", "rows": _rows(history, node, label)} for label in labels or [""]
    ]
    return {"node": node, "title": history.titles[node], "tables": tables}


def _rows(history: History, node: str, label: str) -> list[dict[str, object]]:
    outcomes = history.outcomes[node]
    parts = [part for outcome in outcomes if (part := outcome.estimate_of(label)) is not None]
    domain = domain_of(parts) if parts else None
    return [_row(history, outcome, outcome.estimate_of(label), domain) for outcome in outcomes]


def _row(
    history: History, outcome: Outcome, part: ComponentEntry | None, domain: tuple[float, float] | None
) -> dict[str, object]:
    value, ends = estimate(part) if part else ("–", "–")
    return {
        "run": history.runs[outcome.run],
        "status": outcome.status,
        "strip": strip(part, domain) if part else "",
        "value": value,
        "interval": ends,
        "bound": bound_text(part) if part else "–",
    }
