"""``report.html``: one offline file, drawn from the record and the pictures beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.integrity import manifest
from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.report.figures.kept import kept_in
from synnodtest.report.model import Section
from synnodtest.report.order import builders, number_of
from synnodtest.report.page import page, style_of
from synnodtest.store import Store

_SOURCES = "img-src data:; style-src '{style}'"


def render(made: Record | JsonObject, folder: Path, *, pixels: bool = True, store: Store | None = None) -> Path:
    """Write ``report.html`` into ``folder`` and return its path.

    Needs neither detector nor synthesizer nor radiographs: only the record and ``folder/evidence``. The report carries
    the root digest of the folder as it stands, so write the record and the pictures first, the manifest afterwards.

    Args:
        made: The record.
        folder: The run's folder.
        pixels: False leaves every picture of a radiograph out.
        store: Where drawings are kept; None draws them all.
    """
    digest = manifest.root_digest(folder) if folder.is_dir() else ""
    with kept_in(store):
        text = to_text(build(made, folder, digest=digest, pixels=pixels))
    return write_atomic(folder / manifest.REPORT, text)


@dataclass(frozen=True)
class Report:
    """All that the templates show: the sections in order, and what is looked up for them."""

    context: Context
    sections: tuple[Section, ...]


def build(source: Record | JsonObject, folder: Path, *, digest: str = "", pixels: bool = True) -> Report:
    """Return the view-model of a record; reads nothing but the pictures below ``folder``."""
    context = Context(Record.of(source), folder, digest, pixels)
    return Report(context, tuple(replace(make(context), number=number_of(key)) for key, make in builders().items()))


def to_text(report: Report) -> str:
    """Return the report as HTML. Every text of the record is escaped; nothing in it is fetched or run."""
    context = report.context
    shown = {"record": context.record, "context": context, "parts": report.sections}
    return _without_blank_lines(page("report.html.j2", _style(context), sources=_SOURCES, **shown))


def _style(context: Context) -> str:
    """Return the style sheet; the page footer of the print carries run and digest."""
    run = re.sub(r"[^\w.:-]", "", context.record.run.id)[:60]
    footer = f"{run} · digest {context.digest}" if context.digest else run
    return _without_blank_lines(style_of("style.css").replace("/*FOOTER*/", f'"{footer}"'))


def _without_blank_lines(text: str) -> str:
    return re.sub(r"\n\s*\n+", "\n", text)
