"""The page of a history: one offline file without a script, every estimate with its interval, run by run."""

from __future__ import annotations

import base64
import hashlib
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synnodtest.files import write_atomic
from synnodtest.record.history import History, Outcome
from synnodtest.record.words import STATUSES, bound_text, date, estimate
from synnodtest.report.figures.strip import domain_of, strip

__all__ = ["write_history"]


def write_history(history: History, path: Path) -> Path:
    """Write the page and return its path."""
    style = "".join(f".s-{look.key}{{--status:{look.colour}}}\n" for look in STATUSES.values())
    style += resources.files("synnodtest.report").joinpath("history.css").read_text(encoding="utf-8")
    sha = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    environment = Environment(
        loader=PackageLoader("synnodtest.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    environment.globals["STATUSES"] = STATUSES
    text = environment.get_template("history.html.j2").render(
        style=Markup(style),
        policy=f"default-src 'none'; style-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'",
        runs=[{"line": run, "started": date(run.started), "counts": list(run.counts.items())} for run in history.runs],
        failed=[_moved(history, *row) for row in history.newly("FAILED")],
        passed=[_moved(history, *row) for row in history.newly("PASSED")],
        flips=[(history.titles[node], version, list(words.items())) for node, version, words in history.flips()],
        kept=[
            (before, now, [history.titles[n] for n in lost], of - len(lost), of)
            for before, now, lost, of in history.kept()
        ],
        versions=history.versions(),
        series=[_series(history, node) for node in history.outcomes],
    )
    return write_atomic(Path(path), text)


def _moved(history: History, node: str, before: Outcome, now: Outcome) -> dict[str, Any]:
    return {
        "title": history.titles[node],
        "before": before.status,
        "now": now.status,
        "then": history.runs[before.run].id,
        "run": history.runs[now.run].id,
        "other": before.question != now.question,
    }


def _series(history: History, node: str) -> dict[str, Any]:
    outcomes = history.outcomes[node]
    parts = [o.part for o in outcomes if o.part is not None]
    domain = domain_of(parts) if parts else None
    rows = []
    for one in outcomes:
        run, part = history.runs[one.run], one.part
        value, ends = estimate(part) if part else ("–", "–")
        rows.append(
            {
                "run": run.id,
                "started": date(run.started),
                "version": run.version,
                "seed": run.seed,
                "status": one.status,
                "strip": strip(part, domain) if part else "",
                "value": value,
                "interval": ends,
                "bound": bound_text(part) if part else "–",
            }
        )
    return {"node": node, "title": history.titles[node], "rows": rows}
