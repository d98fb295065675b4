"""What happens at the page: each event finds its session, does one thing of the model, and says what changed."""

from __future__ import annotations

import functools
import html
import json
import logging
import time
from collections.abc import Callable, Iterator, Sequence
from types import SimpleNamespace
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.studio import tables
from synnodtest.studio.explore import levels_between
from synnodtest.studio.session import Session
from synnodtest.studio.sessions import Sessions
from synnodtest.studio.spec_run import SpecRun, run_spec
from synnodtest.studio.view import View

__all__ = ["Handlers"]

Changes = dict[Any, Any]
LAST_LINES = 40
WORDS = ("attenuation", "margin")
"""Fields of a wish that are words."""
_EXPORT = ("PNG, 16 bits", "native", False)


class Handlers:
    """The events of the page.

    Args:
        gradio: The package.
        sessions: All sessions.
        detectors: Names, in order.
        synthesizers: Names, in order.
        ready: Says whether the models are loaded.
    """

    def __init__(
        self,
        gradio: Any,
        sessions: Sessions,
        detectors: Sequence[str],
        synthesizers: Sequence[str],
        ready: Callable[[], bool],
    ) -> None:
        self._gradio, self._sessions, self._ready = gradio, sessions, ready
        self.detectors, self.synthesizers = detectors, synthesizers
        self._views: dict[str, View] = {}
        self._p = SimpleNamespace()

    def connect(self, page: Any, p: SimpleNamespace) -> None:
        """Tie events to what they do."""
        self._p = p
        everything = [p.film, p.status, p.open, p.outlines, p.notes, *self._form(), *self._shown(), *self._specs()]
        own: dict[str, Any] = {"outputs": everything, "show_progress": "hidden", "api_visibility": "private"}
        page.load(self._step(self._arrive), None, **own)
        page.unload(self._typed(self._leaver(), event=False))
        p.open.edit(self._step(self._uploaded), None, **own)
        p.film.edit(self._step(self._edited), None, **own)
        p.picked.click(self._stepwise(self._picked), [p.pick], **own)
        p.outlines.input(self._step(self._outlined), [p.outlines], **own)
        p.nodule.input(self._step(self._selected), [p.nodule], **own)
        p.set_box.click(self._step(self._box_typed), [p.nodule, *p.edges], **own)
        p.remove.click(self._step(self._removed), [p.nodule], **own)
        for field, part in self._fields().items():
            work = self._step(functools.partial(self._changed, field))
            events = [part.input] if field in WORDS else [part.blur, part.submit]
            for event in events:
                event(work, [p.nodule, part], **own)
        p.features.edit(self._step(self._featured), [p.nodule], **own)
        p.synthesizer.input(self._step(self._synthesizer), [p.synthesizer], **own)
        p.sham.input(self._step(self._sham), [p.sham], **own)
        p.make.click(self._stepwise(self._made), [p.nodule, *self._fields().values()], **own)
        for part in (p.threshold, p.marks):
            event = part.release if part is p.threshold else part.input
            event(self._step(self._thresholded), [p.threshold, p.marks], **own)
        for part in (p.kind, p.size, p.mark):
            part.input(self._step(self._export), [p.kind, p.size, p.mark], **own)
        self._connect_explorations(p, own)
        p.what.input(self._step(self._written), [p.what], **own)
        p.refresh.click(self._step(self._written), [p.what], **own)
        p.run.click(self._stepwise(self._ran), [p.what], **own)

    def _connect_explorations(self, p: SimpleNamespace, own: dict[str, Any]) -> None:
        sweep = [p.detector, p.over, p.low, p.high, p.steps]
        p.sweep.click(self._stepwise(self._swept), sweep, **own)
        p.map.click(self._stepwise(self._mapped), [p.detector, p.region, p.places], **own)
        p.companion.click(self._stepwise(self._companied), [p.detector, p.companion_mm, p.distance_mm], **own)
        p.leak.click(self._stepwise(self._leaked), [p.detector, p.leak_places], **own)
        p.cancel.click(self._step(self._cancelled), None, **own, queue=False)

    # --- around every event -----------------------------------------------------------------------------------------

    def _step(self, work: Callable[..., Changes]) -> Callable[..., Changes]:
        """Return the handler of an event that is done at once."""

        def handler(request: Any, event: Any, *values: Any) -> Changes:
            session, view = self._of(request)
            try:
                return work(session, view, _told(event), *values) or {self._p.status: self._gradio.skip()}
            except Exception as error:
                return {self._p.status: _said(error)}

        return self._typed(handler)

    def _stepwise(self, work: Callable[..., Iterator[Changes]]) -> Callable[..., Iterator[Changes]]:
        """Return the handler of an event that takes time and says how far it is."""

        def handler(request: Any, event: Any, *values: Any) -> Iterator[Changes]:
            session, view = self._of(request)
            try:
                yield from work(session, view, _told(event), *values)
            except Exception as error:
                yield {self._p.status: _said(error)}

        return self._typed(handler)

    def _typed(self, handler: Callable[..., Any], *, event: bool = True) -> Callable[..., Any]:
        """Return the handler with the annotations by which Gradio knows what to hand over."""
        known = {"request": self._gradio.Request} | ({"event": self._gradio.EventData} if event else {})
        handler.__annotations__ = known
        return handler

    def _of(self, request: Any) -> tuple[Session, View]:
        token, session = self._sessions.of_tab(str(request.session_hash))
        return session, self._views.setdefault(token, View(token))

    # --- parts of the page ------------------------------------------------------------------------------------------

    def _form(self) -> list[Any]:
        p = self._p
        return [p.nodule, *p.edges, *self._fields().values(), p.features]

    def _fields(self) -> dict[str, Any]:
        """Return the parts of the form by the field of a wish that they set."""
        p = self._p
        return {
            "diameter_mm": p.diameter,
            "density": p.density,
            "attenuation": p.attenuation,
            "contrast": p.contrast,
            "margin": p.margin,
            "seed": p.seed,
        }

    def _shown(self) -> list[Any]:
        return [self._p.findings, self._p.accepted, self._p.rows, self._p.export]

    def _specs(self) -> list[Any]:
        return [self._p.yaml, self._p.python, self._p.bundle, self._p.ran, self._p.explored]

    def _form_changes(self, session: Session) -> Changes:
        """Return the form filled in with the selected nodule."""
        p, names = self._p, [wish.name for wish in session.wishes]
        if session.selected not in names:
            empty = {part: "" if field in WORDS else None for field, part in self._fields().items()}
            edges = dict.fromkeys(p.edges)
            return {p.nodule: self._gradio.update(choices=names, value=None), **empty, **edges, p.features: "{}"}
        wish = session.wish(session.selected)
        return {
            p.nodule: self._gradio.update(choices=names, value=wish.name),
            **dict(zip(p.edges, (round(edge) for edge in wish.box), strict=True)),
            **{part: getattr(wish, field) for field, part in self._fields().items()},
            p.features: json.dumps(dict(wish.radiomics)),
        }

    def _result_changes(self, session: Session, view: View) -> Changes:
        p, result = self._p, session.result
        if result is None:
            return {p.findings: "", p.accepted: "", p.rows: ""}
        names = [truth.name for truth in result.after.nodules] if result.rows else []
        return {
            p.findings: tables.findings_html(result, view.threshold),
            p.accepted: tables.acceptance_html(result),
            p.rows: tables.rows_html(result.rows, names),
        }

    def _status(self, text: str, kind: str = "info", hint: str = "") -> Changes:
        return {self._p.status: tables.message_html(text, hint, kind=kind)}

    def _film(self, session: Session, view: View) -> Changes:
        return {self._p.film: view.text(session)}

    # --- the radiograph ---------------------------------------------------------------------------------------------

    def _arrive(self, session: Session, view: View, told: Any) -> Changes:
        loading = "" if self._ready() else " The models are still being loaded; films can be opened meanwhile."
        return {
            **self._status(f"Open a radiograph or pick one.{loading}"),
            self._p.open: view.token,
            **self._film(session, view),
        }

    def _leaver(self) -> Callable[..., None]:
        """Return what happens when a tab is closed: its session stops and everything of it goes."""

        def leave(request: Any) -> None:
            token = self._sessions.close(str(request.session_hash))
            self._views.pop(token, None)

        return leave

    def _uploaded(self, session: Session, view: View, told: Any) -> Changes:
        if told.get("error"):
            return self._status(str(told["error"]), "error", str(told.get("hint") or ""))
        return self._opened(session, view)

    def _picked(self, session: Session, view: View, told: Any, label: str) -> Iterator[Changes]:
        yield self._status(f"Reading {label} …", "busy")
        session.pick(label)
        yield self._opened(session, view)

    def _opened(self, session: Session, view: View) -> Changes:
        view.film += 1
        case = session.opened
        regions = sorted(case.radiograph.named_regions)
        view.outlines = [name for name in view.outlines if name in regions]
        return {
            **self._status(f"{case.file} is open. Draw a box where a nodule is to be.", "good"),
            self._p.notes: tables.notes_html(case.notes),
            self._p.outlines: self._gradio.update(choices=regions, value=view.outlines),
            **self._form_changes(session),
            **self._result_changes(session, view),
            **dict.fromkeys(self._specs(), ""),
            **self._export_changes(session, view, *_EXPORT),
            **self._film(session, view),
        }

    def _outlined(self, session: Session, view: View, told: Any, names: list[str]) -> Changes:
        view.outlines = names
        return self._film(session, view)

    # --- nodules ----------------------------------------------------------------------------------------------------

    def _edited(self, session: Session, view: View, told: Any) -> Changes:
        """Take in what was done on the canvas; where it is refused, the canvas goes back to what it was."""
        action = told.get("action")
        said: Changes = {}
        try:
            if action == "painted":
                return self._opened(session, view)
            if action == "failed":
                return self._status(str(told.get("error")), "error", str(told.get("hint") or ""))
            said = self._status(self._edit(session, str(action), told))
        except SynnodError as error:
            said = {self._p.status: _said(error)}
        return {**said, **self._form_changes(session), **self._film(session, view)}

    @staticmethod
    def _edit(session: Session, action: str, told: Any) -> str:
        name = str(told.get("name") or "")
        if action == "add":
            return f"{session.add(_box(told)).name} is placed. Set what it is to be, then synthesize."
        if action == "move":
            session.selected = session.change(name, box=_box(told)).name
            return f"{name} is moved."
        if action == "remove":
            session.remove(name)
            return f"{name} is removed."
        session.selected = session.wish(name).name
        return f"{name} is selected."

    def _selected(self, session: Session, view: View, told: Any, name: str) -> Changes:
        session.selected = session.wish(name).name
        return {**self._form_changes(session), **self._film(session, view)}

    def _box_typed(self, session: Session, view: View, told: Any, name: str | None, *edges: float | None) -> Changes:
        if any(edge is None for edge in edges):
            raise SynnodError("a box has four edges", hint="fill in x min, y min, x max and y max")
        box = tuple(float(edge or 0) for edge in edges)
        known = {wish.name for wish in session.wishes}
        action = {"action": "move", "name": name, "box": box} if name in known else {"action": "add", "box": box}
        return self._edited(session, view, action)

    def _removed(self, session: Session, view: View, told: Any, name: str | None) -> Changes:
        return self._edited(session, view, {"action": "remove", "name": name})

    def _changed(self, field: str, session: Session, view: View, told: Any, name: str | None, value: Any) -> Changes:
        if name in {wish.name for wish in session.wishes}:
            session.change(str(name), **{field: _as_field(field, value)})
        return {}

    def _featured(self, session: Session, view: View, told: Any, name: str | None) -> Changes:
        wanted = {str(key): float(value) for key, value in dict(told.get("features") or {}).items()}
        session.change(name or session.selected, radiomics=wanted)
        named = ", ".join(wanted) or "none"
        return self._status(f"Features asked for: {named}.")

    def _synthesizer(self, session: Session, view: View, told: Any, name: str) -> Changes:
        session.synthesizer = name
        return {}

    def _sham(self, session: Session, view: View, told: Any, sham: bool) -> Changes:
        session.sham = sham
        return {}

    # --- the result -------------------------------------------------------------------------------------------------

    def _made(self, session: Session, view: View, told: Any, name: str | None, *values: Any) -> Iterator[Changes]:
        """Synthesize; what stands in the form and was not yet left counts."""
        if name in {wish.name for wish in session.wishes}:
            fields = zip(self._fields(), values, strict=True)
            session.change(str(name), **{field: _as_field(field, value) for field, value in fields})
        count = len(session.wishes)
        loading = "" if self._ready() else "The models are being loaded; then "
        yield self._status(
            f"{loading}{session.synthesizer} makes {count or 'no'} nodule(s), then detectors look …", "busy"
        )
        started = time.perf_counter()
        result = session.plant()
        view.made += 1
        took = time.perf_counter() - started
        found = ", ".join(f"{name}: {_best(hits)}" for name, hits in result.findings.items())
        kind = "error" if result.rejected else "good"
        yield {
            **self._status(f"Made in {took:.1f} s. Surest finding {found}.", kind, result.rejected),
            **self._result_changes(session, view),
            **self._written(session, view, told, "scene"),
            **self._export_changes(session, view, *_EXPORT),
            **self._film(session, view),
        }

    def _thresholded(self, session: Session, view: View, told: Any, threshold: float, marks: bool) -> Changes:
        view.threshold, view.marks = float(threshold), bool(marks)
        return {self._p.findings: tables.findings_html(session.result, view.threshold), **self._film(session, view)}

    def _export(self, session: Session, view: View, told: Any, kind: str, size: str, mark: bool) -> Changes:
        return self._export_changes(session, view, kind, size, mark)

    def _export_changes(self, session: Session, view: View, kind: str, size: str, mark: bool) -> Changes:
        if session.case is None:
            return {}
        address = f"studio/{view.token}/export?kind={kind.replace(' ', '%20')}&size={size}&mark={int(mark)}"
        words = (
            f"Download {html.escape(kind)}, {size}" if session.result else f"Download the film as {html.escape(kind)}"
        )
        return {self._p.export: f"<p><a class='download' href='{address}' download>{words}</a></p>"}

    # --- exploring --------------------------------------------------------------------------------------------------

    def _swept(
        self, session: Session, view: View, told: Any, detector: str, over: str, low: float, high: float, steps: float
    ) -> Iterator[Changes]:
        if low is None or high is None or not low < high:
            raise SynnodError("a sweep goes from a low to a high value", hint="fill in From and To")
        text = session.sweep_text(over, levels_between(float(low), float(high), int(steps or 2)))
        yield from self._exploring(session, view, "sweep", f"Sweep over {over}", text, detector)

    def _mapped(
        self, session: Session, view: View, told: Any, detector: str, region: str, places: float
    ) -> Iterator[Changes]:
        text = session.map_text(region, int(places))
        yield from self._exploring(session, view, "map", f"Map of the {region}", text, detector)

    def _companied(
        self, session: Session, view: View, told: Any, detector: str, diameter: float, distance: float
    ) -> Iterator[Changes]:
        text = session.companion_text(float(diameter), float(distance))
        yield from self._exploring(session, view, "companion", "Alone and with a companion", text, detector)

    def _leaked(self, session: Session, view: View, told: Any, detector: str, places: float) -> Iterator[Changes]:
        yield from self._exploring(session, view, "leak", "Air leak", session.leak_text(int(places)), detector)

    def _exploring(
        self, session: Session, view: View, kind: str, title: str, text: str, detector: str
    ) -> Iterator[Changes]:
        yield self._status(f"{title}: planting and asking {detector} …", "busy")
        made = None
        for made in session.explore(kind, title, text, detector):
            shown = tables.exploration_html(made, view.token, view.threshold)
            yield {self._p.explored: shown, **self._film(session, view)}
        assert made is not None
        end = "cancelled" if made.cancelled else "done"
        yield {**self._status(f"{title}: {end}, {made.done} of {made.total} scenes.", "good"), self._p.yaml: text}

    def _cancelled(self, session: Session, view: View, told: Any) -> Changes:
        session.cancelled.set()
        return self._status("Cancelling after the scenes that are under way.")

    # --- as a spec --------------------------------------------------------------------------------------------------

    def _text(self, session: Session, what: str) -> str:
        if what == "scene":
            return session.scene_text()
        if what == "fuzz":
            return session.fuzz_text()
        if session.exploration is None or session.exploration.kind != what:
            raise SynnodError(f"no {what} was run yet", hint="run it on the tab Explore")
        return session.exploration.text

    def _written(self, session: Session, view: View, told: Any, what: str) -> Changes:
        text = self._text(session, what)
        address = f"studio/{view.token}/bundle/{what}.zip"
        return {
            self._p.yaml: text,
            self._p.bundle: f"<p><a class='download' href='{address}' download>Download spec and film</a></p>",
            self._p.python: session.python_text() if session.result is not None else "",
        }

    def _ran(self, session: Session, view: View, told: Any, what: str) -> Iterator[Changes]:
        text = self._text(session, what)
        yield {**self._status(f"pytest {what}.yaml is running …", "busy"), **self._written(session, view, told, what)}
        session.cancelled.clear()
        made = run_spec(session, text, f"{what}.yaml", lambda: session.cancelled.is_set() or session.closed)
        log = html.escape("\n".join(made.lines[-LAST_LINES:]))
        link = ""
        if made.report is not None:
            address = f"studio/{view.token}/report/{made.report.name}/report.html"
            link = f"<p><a class='download' href='{address}' target='_blank'>Open the report</a></p>"
        yield {
            **self._status(f"pytest ended with status {made.status}. {_verdicts(made.lines)}", _kind(made)),
            self._p.ran: f"{link}<pre class='log' tabindex='0'>{log}</pre>",
        }


def _as_field(field: str, value: Any) -> Any:
    """Return what stands in a part of the form as a wish takes it."""
    if field == "seed":
        return int(value or 0)
    return str(value or "") if field in WORDS else value


def _told(event: Any) -> Any:
    return getattr(event, "_data", None) or {}


def _box(told: Any) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = (float(edge) for edge in told["box"])
    return x_min, y_min, x_max, y_max


def _kind(made: SpecRun) -> str:
    return "good" if made.report is not None else "error"


def _verdicts(lines: Sequence[str]) -> str:
    """Return the sentences of the verdicts among the lines of a run."""
    told = dict.fromkeys(line for line in lines if line.startswith(("PASSED ", "FAILED ", "INCONCLUSIVE ", "INVALID ")))
    return " ".join(line for line in told if "::" not in line)


def _best(found: Sequence[Any]) -> str:
    return f"{found[0][1]:.2f}" if found else "none"


def _said(error: Exception) -> str:
    """Return an error as the page says it; one that nobody foresaw goes into the log too."""
    if isinstance(error, SynnodError):
        return tables.message_html(error.message, error.hint, kind="error")
    logging.getLogger(__name__).exception("the studio failed", exc_info=error)
    return tables.message_html(f"{type(error).__name__}: {error}", "this is a fault of the studio", kind="error")
