"""Contents of the page's parts for a session: each function returns part -> content."""

from __future__ import annotations

import html
import json

from synnodtest.studio import tables
from synnodtest.studio.tabs.desk import Changes, Desk, Visit

WORDS = ("attenuation", "margin")
"""Fields of a request that are words."""


def film(desk: Desk, at: Visit) -> Changes:
    """Return the canvas."""
    return {desk.p.film: at.view.text(at.session)}


def opened(desk: Desk, at: Visit) -> Changes:
    """Return the whole page after another radiograph was opened."""
    at.view.film += 1
    case = at.session.opened
    regions = sorted(case.radiograph.named_regions)
    at.view.outlines = [name for name in dict.fromkeys(at.view.outlines) if name in regions]
    return {
        **desk.status(f"{case.file} is open. Draw a box where a nodule is to be.", "good"),
        desk.p.notes: tables.notes_html(case.notes),
        desk.p.outlines: desk.gradio.update(choices=regions, value=at.view.outlines),
        **form(desk, at),
        **results(desk, at),
        **dict.fromkeys(desk.specs, ""),
        **export_link(desk, at),
        **film(desk, at),
    }


def form(desk: Desk, at: Visit) -> Changes:
    """Return the form filled in with the selected nodule."""
    p, names = desk.p, list(at.session.requests)
    if at.session.selected not in names:
        empty = {part: "" if field in WORDS else None for field, part in desk.fields.items()}
        edges = dict.fromkeys(p.edges)
        return {p.nodule: desk.gradio.update(choices=names, value=None), **empty, **edges, p.features: "{}"}
    request = at.session.request(at.session.selected)
    return {
        p.nodule: desk.gradio.update(choices=names, value=request.name),
        **dict(zip(p.edges, map(round, request.box or ()), strict=True)),
        **{part: getattr(request, field) for field, part in desk.fields.items()},
        p.features: json.dumps(dict(request.radiomics)),
    }


def results(desk: Desk, at: Visit) -> Changes:
    """Return findings, acceptance and requested against realised."""
    p, result = desk.p, at.session.result
    if result is None:
        return {p.findings: "", p.accepted: "", p.rows: ""}
    names = [truth.name for truth in result.after.nodules] if result.rows else []
    return {
        p.findings: tables.findings_html(result, at.view.threshold),
        p.accepted: tables.acceptance_html(result),
        p.rows: tables.rows_html(result.rows, names),
    }


def export_link(desk: Desk, at: Visit) -> Changes:
    """Return the link that downloads the result, or the film where there is none."""
    if at.session.case is None:
        return {}
    kind, size, mark = at.view.export
    address = f"studio/{at.view.token}/export?kind={kind.replace(' ', '%20')}&size={size}&mark={int(mark)}"
    words = (
        f"Download {html.escape(kind)}, {size}" if at.session.result else f"Download the film as {html.escape(kind)}"
    )
    return {desk.p.export: f"<p><a class='download' href='{address}' download>{words}</a></p>"}


def specs(desk: Desk, at: Visit, what: str) -> Changes:
    """Return the texts of the tab "As a spec"."""
    address = f"studio/{at.view.token}/bundle/{what}.zip"
    return {
        desk.p.yaml: at.session.text_of(what),
        desk.p.bundle: f"<p><a class='download' href='{address}' download>Download spec and film</a></p>",
        desk.p.python: at.session.python_text() if at.session.result is not None else "",
    }
