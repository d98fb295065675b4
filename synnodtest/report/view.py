"""The one view-model: from a record to the sections of the report, in order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from synnodtest.decoding import JsonObject
from synnodtest.record.model import Record
from synnodtest.report.context import Context
from synnodtest.report.model import Section
from synnodtest.report.order import builders, number_of

__all__ = ["Report", "build"]


@dataclass(frozen=True)
class Report:
    """All that the templates show.

    Args:
        title: Title of the document.
        run_id: Identifier of the run.
        digest: Root digest of the evidence; empty if there is none.
        version: synnodtest that made the run.
        exploratory: True unless the run is confirmatory.
        sections: In order.
    """

    title: str
    run_id: str
    digest: str
    version: str
    exploratory: bool
    sections: tuple[Section, ...]


def build(source: Record | JsonObject, folder: Path, *, digest: str = "", pixels: bool = True) -> Report:
    """Return the view-model of a record; reads nothing but the pictures below ``folder``."""
    record = Record.of(source)
    context = Context(record, folder, digest, pixels)
    return Report(
        title=f"Test report: {record.identification.detector.name}, run {record.run.id}",
        run_id=record.run.id,
        digest=digest,
        version=record.identification.synnodtest,
        exploratory=not record.run.confirmatory,
        sections=tuple(replace(make(context), number=number_of(key)) for key, make in builders().items()),
    )
