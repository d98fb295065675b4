"""What all tabs share: the parts of the page, the sessions, and how an event finds its own."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any, Protocol

from synnodtest.errors import SynnodError
from synnodtest.studio import tables
from synnodtest.studio.session import Session
from synnodtest.studio.sessions import Sessions
from synnodtest.studio.view import View

__all__ = ["Changes", "Desk", "Tab"]

Changes = dict[Any, Any]
"""Part of the page -> what it shows now."""

MOST_TABS = 16
"""In which the same long work can be under way; the models take their turns."""


class Tab(Protocol):
    """One tab of the page."""

    def lay_out(self) -> None:
        """Put its parts onto the page."""

    def connect(self) -> None:
        """Tie its events, once all parts are there."""


class Desk:
    """The parts of the page and the sessions; events are tied to what they do by ``at_once`` and ``in_steps``.

    Args:
        gradio: The package.
        sessions: All sessions.
        detectors: Names, in order.
        synthesizers: Names, in order.
        ready: Says whether the models are loaded.
        labels: Films and phantoms that can be picked.
        most_bytes: Limit of an upload.
    """

    def __init__(
        self,
        gradio: Any,
        sessions: Sessions,
        *,
        detectors: Sequence[str],
        synthesizers: Sequence[str],
        ready: Callable[[], bool],
        labels: Sequence[str],
        most_bytes: int,
    ) -> None:
        self.gradio, self.ready = gradio, ready
        self.detectors, self.synthesizers = detectors, synthesizers
        self.labels, self.most_bytes = labels, most_bytes
        self.p = SimpleNamespace()
        self._sessions = sessions
        self._views: dict[str, View] = {}

    # --- parts ------------------------------------------------------------------------------------------------------

    @property
    def fields(self) -> Mapping[str, Any]:
        """The parts of the form by the field of a wish that they set."""
        p = self.p
        return {
            "diameter_mm": p.diameter,
            "density": p.density,
            "attenuation": p.attenuation,
            "contrast": p.contrast,
            "margin": p.margin,
            "seed": p.seed,
        }

    @property
    def specs(self) -> Sequence[Any]:
        """What belongs to the last scene or exploration and goes with it."""
        return [self.p.yaml, self.p.python, self.p.bundle, self.p.ran, self.p.explored]

    @property
    def _changing(self) -> list[Any]:
        """All parts that an event may change."""
        p = self.p
        form = [p.nodule, *p.edges, *self.fields.values(), p.features, p.low, p.high]
        return [
            p.film,
            p.status,
            p.open,
            p.outlines,
            p.notes,
            *form,
            p.findings,
            p.accepted,
            p.rows,
            p.export,
            *self.specs,
        ]

    # --- events -----------------------------------------------------------------------------------------------------

    def at_once(self, event: Any, work: Callable[..., Changes], inputs: Sequence[Any] = (), **options: Any) -> None:
        """Tie an event to ``work(session, view, told, *inputs)``, which is done at once."""

        def handler(request: Any, happened: Any, *values: Any) -> Changes:
            session, view = self._of(request)
            try:
                return work(session, view, _told(happened), *values) or {self.p.status: self.gradio.skip()}
            except Exception as error:
                return self.said(error)

        # Gradio's own way, "once", drops what happens while the last event is under way, such as a second box.
        self._tie(event, handler, inputs, {"trigger_mode": "multiple", **options})

    def in_steps(self, event: Any, work: Callable[..., Iterator[Changes]], inputs: Sequence[Any] = ()) -> None:
        """Tie an event to ``work(session, view, told, *inputs)``, which takes time and says how far it is."""

        def handler(request: Any, happened: Any, *values: Any) -> Iterator[Changes]:
            session, view = self._of(request)
            try:
                yield from work(session, view, _told(happened), *values)
            except Exception as error:
                yield self.said(error)

        # Gradio's own limit is one for all tabs together: the map of one would hold up that of another.
        self._tie(event, handler, inputs, {"concurrency_limit": MOST_TABS})

    def when_closed(self, page: Any) -> None:
        """Have everything of a tab that is closed stopped and removed."""

        def leave(request: Any) -> None:
            self._views.pop(self._sessions.close(str(request.session_hash)), None)

        leave.__annotations__ = {"request": self.gradio.Request}
        page.unload(leave)

    def _tie(self, event: Any, handler: Callable[..., Any], inputs: Sequence[Any], options: dict[str, object]) -> None:
        handler.__annotations__ = {"request": self.gradio.Request, "happened": self.gradio.EventData}
        event(
            handler,
            list(inputs),
            self._changing,
            show_progress="hidden",
            api_visibility="private",
            **options,
        )

    def _of(self, request: Any) -> tuple[Session, View]:
        token, session = self._sessions.of_tab(str(request.session_hash))
        return session, self._views.setdefault(token, View(token))

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


def _told(event: Any) -> Any:
    return getattr(event, "_data", None) or {}
