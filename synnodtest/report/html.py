"""``report.html``: one offline file, drawn from the record and the pictures beside it."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from importlib import resources
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from synnodtest.decoding import JsonObject
from synnodtest.files import write_atomic
from synnodtest.integrity import manifest
from synnodtest.record import results as record
from synnodtest.record.model import Record
from synnodtest.record.statuses import STATUSES
from synnodtest.report import view
from synnodtest.report.figures.kept import kept_in
from synnodtest.report.order import anchor_of, number_of
from synnodtest.store import Store

__all__ = ["render", "to_text"]


def render(made: Record | JsonObject, folder: Path, *, pixels: bool = True, store: Store | None = None) -> Path:
    """Write ``report.html`` into ``folder`` and return its path.

    Needs neither detector nor synthesizer nor radiographs: only the record and ``folder/evidence``. The report carries
    the root digest of the folder as it stands, so write the record and the pictures first, the manifest afterwards.

    Args:
        made: The record.
        folder: The run's folder.
        pixels: False leaves every picture of a radiograph out.
        store: Where drawings are kept; None draws them all.

    Raises:
        RecordError: the record does not follow the schema.
    """
    folder = Path(folder)
    read = made if isinstance(made, Record) else _valid(made)
    digest = manifest.root_digest(folder) if folder.is_dir() else ""
    with kept_in(store):
        text = to_text(view.build(read, folder, digest=digest, pixels=pixels))
    return write_atomic(folder / manifest.REPORT, text)


def _valid(made: JsonObject) -> Record:
    ready = record.plain(made)
    record.validate(ready)
    return Record.of(ready)


def to_text(report: view.Report) -> str:
    """Return the report as HTML. Every text of the record is escaped; nothing in it is fetched or run."""
    style = _style(report)
    sha = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = f"default-src 'none'; img-src data:; style-src 'sha256-{sha}'; base-uri 'none'; form-action 'none'"
    text = templates().get_template("report.html.j2").render(report=report, style=Markup(style), policy=policy)
    return re.sub(r"\n\s*\n+", "\n", text)


@cache
def templates() -> Environment:
    """Return the report's templates; each is compiled once."""
    environment = Environment(
        loader=PackageLoader("synnodtest.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["STATUSES"] = STATUSES
    environment.globals["number_of"] = number_of
    environment.globals["anchor_of"] = anchor_of
    return environment


def _style(report: view.Report) -> str:
    """Return the style sheet; the page footer of the print carries run and digest."""
    text = resources.files("synnodtest.report").joinpath("style.css").read_text(encoding="utf-8")
    run = re.sub(r"[^\w.:-]", "", report.run_id)[:60]
    colours = "".join(f".s-{look.key}{{--status:{look.colour}}}\n" for look in STATUSES.values())
    footer = f"{run} · digest {report.digest}" if report.digest else run
    text = text.replace("/*STATUSES*/", colours).replace("/*FOOTER*/", f'"{footer}"')
    return re.sub(r"\n\s*\n+", "\n", text)
