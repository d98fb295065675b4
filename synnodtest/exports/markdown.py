"""A run as Markdown and as a badge: ``summary.md``, GitHub's step summary, ``badge.svg`` and ``badge.json``."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from pathlib import Path

from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.record import brief
from synnodtest.record.model import ExpectationEntry, Record
from synnodtest.record.statuses import STATUSES
from synnodtest.record.words import titles_of

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
    name = record.identification.detector.name
    lines = [f"## synnodtest: {_text(name)}", "", f"{_counts(record)}. {_text(brief.kind_of_run(record.run))}.", ""]
    lines += ["| verdict | numbers | expectation | n |", "|---|---|---|---|"]
    titles = titles_of(record.expectations)
    for e in record.expectations:
        word, title = e.shown_status, f"{e.behaviour}: {titles[e.id]}"
        n = (e.ruling.n_nodules if e.ruling is not None else 0) or ""
        of = brief.which_of_several(e.ruling, brief.settling(e.ruling))
        told = f"{brief.numbers(e.ruling)} ({of})" if of else brief.numbers(e.ruling)
        cells = [f"{MARKS.get(word, '')} {word}".strip(), _text(told), _text(title), str(n)]
        lines.append(f"| {' | '.join(cells)} |")
    failed = [e for e in record.expectations if e.shown_status not in ("PASSED", "NOT RUN")]
    lines += _list(" open", "What did not pass", [(e, _sentence(e)) for e in failed])
    lines += _list("", "Exclusions", [(e, note) for e in record.expectations for note in brief.exclusions(e.ruling)])
    if record.comparison is not None:
        lines += ["", "### Against the baseline", "", "```", *brief.comparison_lines(record.comparison, name), "```"]
    return "\n".join([*lines, "", f"Run `{record.run.id}`, report: `{report}`", ""])


def _list(look: str, title: str, told: Sequence[tuple[ExpectationEntry, str]]) -> list[str]:
    """Return what is told of expectations as a list that can be folded; nothing of none."""
    lines = [f"- `{e.id}`: {_text(words)}" for e, words in told]
    return ["", f"<details{look}><summary>{title}</summary>", "", *lines, "", "</details>"] if lines else []


def _sentence(e: ExpectationEntry) -> str:
    """Return what an expectation came to, and who waived it."""
    by, sentence = e.waived if e.shown_status == "WAIVED" else None, (e.verdict or e.status).splitlines()[0]
    return f"WAIVED by {by.approver} until {by.expiry}: {sentence}" if by else sentence


def badge(source: Record | JsonObject) -> str:
    """Return an SVG badge: how many expectations have which status."""
    text, colour = _badge_text(Record.of(source))
    left, right = (round(PX_PER_LETTER * len(words)) + 12 for words in ("synnodtest", text))
    middle = left + right / 2
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img" '
        f'aria-label="synnodtest: {escape(text)}"><title>synnodtest: {escape(text)}</title>'
        f'<rect width="{left}" height="20" fill="#444d56"/>'
        f'<rect x="{left}" width="{right}" height="20" fill="{colour}"/>'
        f'<g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">'
        f'<text x="{left / 2:g}" y="14">synnodtest</text><text x="{middle:g}" y="14">{escape(text)}</text></g></svg>\n'
    )


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
