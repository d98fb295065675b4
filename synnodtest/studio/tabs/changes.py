"""What the parts of the page show of a session: each function returns part -> content."""

from __future__ import annotations

import html
import json

from synnodtest.errors import SynnodError
from synnodtest.studio import tables
from synnodtest.studio.session import Session
from synnodtest.studio.tabs.desk import Changes, Desk
from synnodtest.studio.view import View

__all__ = ["WORDS", "export_link", "film", "form", "opened", "results", "spec_text", "specs"]

WORDS = ("attenuation", "margin")
"""Fields of a wish that are words."""


def film(desk: Desk, session: Session, view: View) -> Changes:
    """Return the canvas."""
    return {desk.p.film: view.text(session)}


def opened(desk: Desk, session: Session, view: View) -> Changes:
    """Return the whole page after another radiograph was opened."""
    view.film += 1
    case = session.opened
    regions = sorted(case.radiograph.named_regions)
    view.outlines = [name for name in dict.fromkeys(view.outlines) if name in regions]
    return {
        **desk.status(f"{case.file} is open. Draw a box where a nodule is to be.", "good"),
        desk.p.notes: tables.notes_html(case.notes),
        desk.p.outlines: desk.gradio.update(choices=regions, value=view.outlines),
        **form(desk, session),
        **results(desk, session, view),
        **dict.fromkeys(desk.specs, ""),
        **export_link(desk, session, view),
        **film(desk, session, view),
    }


def form(desk: Desk, session: Session) -> Changes:
    """Return the form filled in with the selected nodule."""
    p, names = desk.p, [wish.name for wish in session.wishes]
    if session.selected not in names:
        empty = {part: "" if field in WORDS else None for field, part in desk.fields.items()}
        edges = dict.fromkeys(p.edges)
        return {p.nodule: desk.gradio.update(choices=names, value=None), **empty, **edges, p.features: "{}"}
    wish = session.wish(session.selected)
    return {
        p.nodule: desk.gradio.update(choices=names, value=wish.name),
        **dict(zip(p.edges, (round(edge) for edge in wish.box), strict=True)),
        **{part: getattr(wish, field) for field, part in desk.fields.items()},
        p.features: json.dumps(dict(wish.radiomics)),
    }


def results(desk: Desk, session: Session, view: View) -> Changes:
    """Return findings, acceptance and requested against realised."""
    p, result = desk.p, session.result
    if result is None:
        return {p.findings: "", p.accepted: "", p.rows: ""}
    names = [truth.name for truth in result.after.nodules] if result.rows else []
    return {
        p.findings: tables.findings_html(result, view.threshold),
        p.accepted: tables.acceptance_html(result),
        p.rows: tables.rows_html(result.rows, names),
    }


def export_link(desk: Desk, session: Session, view: View) -> Changes:
    """Return the link that downloads the result, or the film where there is none."""
    if session.case is None:
        return {}
    kind, size, mark = view.export
    address = f"studio/{view.token}/export?kind={kind.replace(' ', '%20')}&size={size}&mark={int(mark)}"
    words = f"Download {html.escape(kind)}, {size}" if session.result else f"Download the film as {html.escape(kind)}"
    return {desk.p.export: f"<p><a class='download' href='{address}' download>{words}</a></p>"}


def specs(desk: Desk, session: Session, view: View, what: str) -> Changes:
    """Return the texts of the tab "As a spec"."""
    address = f"studio/{view.token}/bundle/{what}.zip"
    return {
        desk.p.yaml: spec_text(session, what),
        desk.p.bundle: f"<p><a class='download' href='{address}' download>Download spec and film</a></p>",
        desk.p.python: session.python_text() if session.result is not None else "",
    }


def spec_text(session: Session, what: str) -> str:
    """Return the spec of the scene, of an explicit example (``fuzz``), or of the last exploration.

    Raises:
        SynnodError: there is none yet.
    """
    if what == "scene":
        return session.scene_text()
    if what == "fuzz":
        return session.fuzz_text()
    if session.exploration is None or session.exploration.kind != what:
        raise SynnodError(f"no {what} was run yet", hint="run it on the tab Explore")
    return session.exploration.text
