"""A run as Markdown and as a badge: ``summary.md``, GitHub's step summary, ``badge.svg`` and ``badge.json``."""

from __future__ import annotations

import json
from pathlib import Path

from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.record import brief
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import titles_of
from synnodtest.templates import templates_of

MARKS = {"PASSED": "✅", "FAILED": "❌", "INCONCLUSIVE": "❔", "WAIVED": "🏳️"}
"""Beside the word, which says the same; whatever else there is has no mark."""
RED, GREEN, GREY = (STATUSES[word].colour.lower() for word in ("FAILED", "PASSED", "NOT RUN"))
COLOURS = tuple(
    (word, STATUSES[word].colour.lower()) for word in ("FAILED", "ERROR", "INVALID", "INCONCLUSIVE", "NOT RUN")
)
"""Colour of the badge: that of the worst status there is; green where all is PASSED or WAIVED."""
PX_PER_LETTER = 6.6
"""Mean width of a letter of 11 px Verdana, the fallbacks included."""


def write(source: Record | JsonObject, folder: Path) -> list[Path]:
    """Write summary and badges into a run's folder, before the report, so that the digest covers them."""
    record = Record.of(source)
    text, colour = _badge_text(record)
    endpoint = {"schemaVersion": 1, "label": "synnodtest", "message": text, "color": colour}
    return [
        write_atomic(folder / "summary.md", summary(record)),
        write_atomic(folder / "badge.svg", badge(record)),
        write_atomic(folder / "badge.json", json.dumps(endpoint) + "\n"),
    ]


def summary(source: Record | JsonObject, report: str = "report.html") -> str:
    """Return the run as GitHub Markdown: kind, counts, verdicts with their numbers, failures in full, the baseline.

    Args:
        source: The record.
        report: Where the report lies.
    """
    record = Record.of(source)
    every = record.expectations
    return _filled(
        "summary.md.j2",
        record=record,
        counts=_counts(record),
        titles=titles_of(every),
        failed=[(e, _sentence(e)) for e in every if e.shown_status not in ("PASSED", "NOT RUN")],
        excluded=[(e, note) for e in every for note in brief.exclusions(e.ruling)],
        report=report,
    )


def _filled(template: str, **shown: object) -> str:
    environment = templates_of("synnodtest.exports", last_newline=True)
    environment.filters["text"] = _text
    return environment.get_template(template).render(brief=brief, MARKS=MARKS, **shown)


def _sentence(e: ExpectationEntry) -> str:
    """Return what an expectation came to, and who waived it."""
    by, sentence = e.waived if e.shown_status == "WAIVED" else None, (e.verdict or e.status).splitlines()[0]
    return f"WAIVED by {by.approver} until {by.expiry}: {sentence}" if by else sentence


def badge(source: Record | JsonObject) -> str:
    """Return an SVG badge: how many expectations have which status."""
    text, colour = _badge_text(Record.of(source))
    left, right = (round(PX_PER_LETTER * len(words)) + 12 for words in ("synnodtest", text))
    return _filled("badge.svg.j2", text=text, colour=colour, left=left, right=right)


def _badge_text(record: Record) -> tuple[str, str]:
    words = {e.shown_status for e in record.expectations}
    if record.run.interrupted or not words - {"NOT RUN"}:
        return "interrupted" if record.run.interrupted else "nothing run", GREY
    broken = record.comparison is not None and not all(limit.kept for limit in record.comparison.limits)
    fewer = [*["on fewer backgrounds"] * bool(record.run.profile), *filter(None, [brief.left_out_whole(record.run)])]
    told = [_counts(record).lower(), *fewer, *["limit exceeded"] * broken]
    whole = GREY if fewer else GREEN
    return ", ".join(told), RED if broken else next((colour for word, colour in COLOURS if word in words), whole)


def _counts(record: Record) -> str:
    words = [e.shown_status for e in record.expectations]
    return ", ".join(f"{words.count(word)} {word}" for word in STATUSES if word in words) or "nothing run"


def _text(words: object) -> str:
    """Return text that cannot become Markdown or HTML."""
    plain = "".join(f"\\{c}" if c in "\\`*_{}[]()#+!|~" else c for c in str(words) if c.isprintable())
    return plain.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
