"""Shared by all tabs: the parts of the page, the sessions, and how an event finds its own."""

from __future__ import annotations

import html
import json
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.studio import tables
from synnodtest.studio.session import Session
from synnodtest.studio.sessions import Sessions

Changes = dict[Any, Any]
"""Part of the page -> what it shows now."""

FIELDS = ("diameter_mm", "density", "attenuation", "contrast", "margin", "seed")
"""Of a request, by the names of the parts that set them."""
WORDS = ("attenuation", "margin")
"""Fields of a request that are words."""
MOST_TABS = 16
"""In which the same long work can be under way; the models take their turns."""


MOST_BOXES = 60
"""Findings per detector that are drawn."""
LEAST_SCORE = 0.01
"""Score above which findings are drawn; set by hand: below it a detector marks places all over the film. It is the step
of the threshold's slider."""


@dataclass
class View:
    """Display of one tab's session. The canvas is told pixels by version, so that only what changed is fetched.

    Args:
        token: Of the session.
        threshold: Findings below it are not drawn.
        outlines: Regions whose borders are drawn.
        marks: Whether boxes, truth and findings are drawn.
        export: What the link offers: kind, ``native`` or ``1024``, whether SYNTHETIC is written into the picture.
        version: Counts up with every text, ``film`` with every case, ``made`` with every result.
        steps: Long works that are under way.
        said: The last line that a long work said.
        cancelling: Whether the page was told that the work ends, and is to be told how it ended.
    """

    token: str
    threshold: float = 0.25
    outlines: list[str] = field(default_factory=list)
    marks: bool = True
    export: tuple[str, str, bool] = ("PNG, 16 bits", "native", False)
    version: int = 0
    film: int = 0
    made: int = 0
    steps: int = 0
    said: str = ""
    cancelling: bool = False

    def text(self, session: Session) -> str:
        """Return the view as JSON."""
        self.version += 1
        page: dict[str, object] = {"token": self.token, "version": self.version, "film": self.film, "shown": self.made}
        if session.case is None:
            return json.dumps(page)
        radiograph, result = session.case.radiograph, session.result
        height, width = radiograph.shape
        page |= {
            "width": width,
            "height": height,
            "spacing": list(radiograph.spacing_mm),
            "threshold": self.threshold,
            "marks": self.marks,
            "outlines": [name for name in self.outlines if name in radiograph.regions],
            "boxes": [{"name": request.name, "box": list(request.box or ())} for request in session.requests.values()],
            "selected": session.selected,
            "pixels": {"before": f"f{self.film}"},
        }
        if result is not None:
            page["pixels"] = {"before": f"f{self.film}", "after": f"m{self.made}", "difference": f"m{self.made}"}
            page["show"] = "after"
            page["truth"] = [{"name": truth.name, "box": list(truth.box)} for truth in result.after.nodules]
            page["findings"] = [
                {"detector": name, "boxes": [[*box, score] for box, score in marks[:MOST_BOXES] if score > LEAST_SCORE]}
                for name, marks in result.findings.items()
            ]
        swept = session.exploration
        if swept is not None and swept.kind in ("map", "leak"):
            page["points"] = [[point.x, point.y, point.confidence] for point in swept.points]
        return json.dumps(page)


@dataclass(frozen=True)
class Visit:
    """Surroundings of an event: the session of its tab, what that shows, and what the page told."""

    session: Session
    view: View
    told: Any


class Tab(ABC):
    """One tab of the page.

    Args:
        desk: What all tabs share.
    """

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    @abstractmethod
    def lay_out(self) -> None:
        """Put its parts onto the page."""

    @abstractmethod
    def connect(self) -> None:
        """Tie its events, once all parts are there."""

    # --- what it shows for a session --------------------------------------------------------------------------------

    def film(self, at: Visit) -> Changes:
        """Return the canvas."""
        return {self.desk.p.film: at.view.text(at.session)}

    def opened(self, at: Visit) -> Changes:
        """Return the whole page after another radiograph was opened."""
        at.view.film += 1
        case = at.session.opened
        regions = sorted(case.radiograph.named_regions)
        at.view.outlines = [name for name in dict.fromkeys(at.view.outlines) if name in regions]
        return {
            **self.desk.status(f"{case.file} is open. Draw a box where a nodule is to be.", "good"),
            self.desk.p.notes: tables.notes_html(case.notes),
            self.desk.p.outlines: self.desk.gradio.update(choices=regions, value=at.view.outlines),
            **self.form(at),
            **self.results(at),
            **dict.fromkeys(self.desk.specs, ""),
            self.desk.p.what: "scene",
            **self.export_link(at),
            **self.film(at),
        }

    def form(self, at: Visit) -> Changes:
        """Return the form filled in with the selected nodule."""
        p, names = self.desk.p, list(at.session.requests)
        if at.session.selected not in names:
            empty = {part: "" if field in WORDS else None for field, part in self.desk.fields.items()}
            edges = dict.fromkeys(p.edges)
            return {p.nodule: self.desk.gradio.update(choices=names, value=None), **empty, **edges, p.features: "{}"}
        request = at.session.request(at.session.selected)
        return {
            p.nodule: self.desk.gradio.update(choices=names, value=request.name),
            **dict(zip(p.edges, map(round, request.box or ()), strict=True)),
            **{part: getattr(request, field) for field, part in self.desk.fields.items()},
            p.features: json.dumps(dict(request.radiomics)),
        }

    def results(self, at: Visit) -> Changes:
        """Return findings, acceptance and requested against realised."""
        p, result = self.desk.p, at.session.result
        if result is None:
            return {p.findings: "", p.accepted: "", p.rows: ""}
        names = [truth.name for truth in result.after.nodules] if result.rows else []
        return {
            p.findings: tables.findings_html(result, at.view.threshold),
            p.accepted: tables.acceptance_html(result),
            p.rows: tables.rows_html(result.rows, names),
        }

    def export_link(self, at: Visit) -> Changes:
        """Return the link that downloads the result, or the film where there is none."""
        if at.session.case is None:
            return {}
        kind, size, mark = at.view.export
        address = f"studio/{at.view.token}/export?kind={kind.replace(' ', '%20')}&size={size}&mark={int(mark)}"
        label = html.escape(kind)
        words = f"Download {label}, {size}" if at.session.result else f"Download the film as {label}"
        return {self.desk.p.export: f"<p><a class='download' href='{address}' download>{words}</a></p>"}

    def specs(self, at: Visit, what: str) -> Changes:
        """Return the texts of the tab "As a spec", and which of them is chosen there."""
        address = f"studio/{at.view.token}/bundle/{what}.zip"
        return {
            self.desk.p.what: what,
            self.desk.p.yaml: at.session.text_of(what),
            self.desk.p.bundle: f"<p><a class='download' href='{address}' download>Download spec and film</a></p>",
            self.desk.p.python: at.session.python_text() if at.session.result is not None else "",
        }


class Desk:
    """The parts of the page and the sessions; events are tied to what they do by ``at_once`` and ``in_steps``.

    Args:
        gradio: The package.
        sessions: All sessions, with the models and films that can be picked.
        ready: Says whether the models are loaded.
        most_bytes: Limit of an upload.
    """

    def __init__(self, gradio: Any, sessions: Sessions, ready: Callable[[], bool], most_bytes: int) -> None:
        self.gradio, self.ready, self.most_bytes = gradio, ready, most_bytes
        self.detectors, self.synthesizers = list(sessions.bench.detectors), list(sessions.bench.synthesizers)
        self.labels = sessions.catalogue.labels
        self.p = SimpleNamespace()
        self._sessions = sessions
        self._views: dict[str, View] = {}

    # --- parts ------------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> Mapping[str, Any]:
        """The parts of the form by the field of a request that they set."""
        return {name: getattr(self.p, name) for name in FIELDS}

    @property
    def specs(self) -> Sequence[Any]:
        """Parts that belong to the last scene or exploration and go with it."""
        return [self.p.yaml, self.p.python, self.p.bundle, self.p.ran, self.p.explored]

    @property
    def _changing(self) -> list[Any]:
        """All parts that an event may change."""
        p = self.p
        form = [p.nodule, *p.edges, *self.fields.values(), p.features, p.low, p.high]
        result = [p.findings, p.accepted, p.rows, p.export]
        return [p.film, p.status, p.open, p.outlines, p.notes, *form, *result, p.what, *self.specs]

    # --- events -----------------------------------------------------------------------------------------------------

    def at_once(self, event: Any, work: Callable[..., Changes], inputs: Sequence[Any] = (), **options: Any) -> Any:
        """Tie an event to ``work(visit, *inputs)``, which is done at once; return what ``then`` follows on."""

        def handler(request: Any, happened: Any, *values: Any) -> Changes:
            try:
                return work(self._visit(request, happened), *values) or {self.p.status: self.gradio.skip()}
            except Exception as error:
                return self.said(error)

        # Gradio's own way, "once", drops what happens while the last event is under way, such as a second box.
        return self._tie(event, handler, inputs, {"trigger_mode": "multiple", **options})

    def in_steps(self, event: Any, work: Callable[..., Iterator[Changes]], inputs: Sequence[Any] = ()) -> None:
        """Tie an event to ``work(visit, *inputs)``, which takes time and says how far it is."""

        def handler(request: Any, happened: Any, *values: Any) -> Iterator[Changes]:
            try:
                at = self._visit(request, happened)
                yield from self._steps(at, work(at, *values))
            except Exception as error:
                yield self.said(error)

        # Gradio's own limit is one for all tabs together: the map of one would hold up that of another.
        self._tie(event, handler, inputs, {"concurrency_limit": MOST_TABS})

    def _steps(self, at: Visit, steps: Iterator[Changes]) -> Iterator[Changes]:
        """Count a long work while it is under way, and keep the last line that it says."""
        at.view.steps += 1
        try:
            for changes in steps:
                at.view.said = changes.get(self.p.status, at.view.said)
                yield changes
        except Exception as error:
            at.view.said = self.said(error)[self.p.status]
            yield {self.p.status: at.view.said}
        finally:
            at.view.steps -= 1

    def when_closed(self, page: Any) -> None:
        """Have everything of a tab that is closed stopped and removed."""

        def leave(request: Any) -> None:
            self._views.pop(self._sessions.close(str(request.session_hash)), None)

        leave.__annotations__ = {"request": self.gradio.Request}
        page.unload(leave)

    def _tie(self, event: Any, handler: Callable[..., Any], inputs: Sequence[Any], options: dict[str, object]) -> Any:
        handler.__annotations__ = {"request": self.gradio.Request, "happened": self.gradio.EventData}
        quietly: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private", **options}
        return event(handler, list(inputs), self._changing, **quietly)

    def _visit(self, request: Any, happened: Any) -> Visit:
        token, session = self._sessions.of_tab(str(request.session_hash))
        return Visit(session, self._views.setdefault(token, View(token)), getattr(happened, "_data", None) or {})

    # --- what is said -----------------------------------------------------------------------------------------------

    def status(self, text: str, kind: str = "info", hint: str = "") -> Changes:
        """Return the line that says what the page is doing."""
        return {self.p.status: tables.message_html(text, hint, kind=kind)}

    def said(self, error: Exception) -> Changes:
        """Return an error as the page says it; one that nobody foresaw goes into the log too."""
        if isinstance(error, SynnodError):
            return self.status(error.message, "error", error.hint)
        logging.getLogger(__name__).exception("the studio failed", exc_info=error)
        return self.status(f"{type(error).__name__}: {error}", "error", "this is a fault of the studio")
