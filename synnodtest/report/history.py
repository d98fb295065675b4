"""The page of a history: one offline file without a script, every estimate with its interval, run by run."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from os.path import relpath
from pathlib import Path

from synnodtest.files import write_atomic
from synnodtest.record.model import ComponentEntry
from synnodtest.record.outcomes import History, Outcome
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
        history=history,
        runs=[(run, Path(folders.get(run.id, run.id)).as_posix()) for run in history.runs],
        drawn=partial(_drawn, history),
    )
    return write_atomic(Path(path), text)


def _drawn(history: History, node: str, label: str) -> list[tuple[Outcome, ComponentEntry | None, str]]:
    """Return each outcome of an expectation, its estimate of a label, and the strip of that, all over one range."""
    outcomes = [(outcome, outcome.estimate_of(label)) for outcome in history.outcomes[node]]
    parts = [part for _, part in outcomes if part is not None]
    return [(outcome, part, strip(part, domain_of(parts)) if part else "") for outcome, part in outcomes]
