"""The tab Radiograph, and the canvas: what is opened, picked, outlined, painted, and done to boxes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from synnodtest.backgrounds.estimated_regions import REGIONS
from synnodtest.errors import SynnodError
from synnodtest.studio.parts import open_part
from synnodtest.studio.session import Session
from synnodtest.studio.tabs.desk import Changes, Tab, Visit


class RadiographTab(Tab):
    """Source of a radiograph."""

    def lay_out(self) -> None:
        """Put the parts onto the tab."""
        gradio, p, labels = self.desk.gradio, self.desk.p, self.desk.labels
        p.open = open_part(gradio, self.desk.most_bytes)
        p.pick = gradio.Dropdown(labels, value=labels[0], label="Film or phantom", filterable=True)
        p.picked = gradio.Button("Take it", elem_id="take")
        p.outlines = gradio.CheckboxGroup([*REGIONS, "air_leak"], value=[], label="Outlines of regions")
        p.notes = gradio.HTML("", elem_id="notes", apply_default_css=False)

    def connect(self) -> None:
        """Tie events to what they do."""
        desk, p = self.desk, self.desk.p
        desk.at_once(p.page.load, self._arrive)
        desk.when_closed(p.page)
        desk.at_once(p.open.edit, self._uploaded)
        desk.at_once(p.film.edit, self._edited)
        desk.in_steps(p.picked.click, self._picked, [p.pick])
        desk.at_once(p.outlines.input, self._outlined, [p.outlines])

    def _arrive(self, at: Visit) -> Changes:
        loading = "" if self.desk.ready() else " The models are still being loaded; films can be opened meanwhile."
        return {
            **self.desk.status(f"Open a radiograph or pick one.{loading}"),
            self.desk.p.open: at.view.token,
            **self.film(at),
        }

    def _uploaded(self, at: Visit) -> Changes:
        if at.told.get("error"):
            return self.desk.status(str(at.told["error"]), "error", str(at.told.get("hint") or ""))
        return self.opened(at)

    def _picked(self, at: Visit, label: str) -> Iterator[Changes]:
        yield self.desk.status(f"Reading {label} …", "busy")
        at.session.pick(label)
        yield self.opened(at)

    def _outlined(self, at: Visit, names: list[str]) -> Changes:
        at.view.outlines = names
        return self.film(at)

    def _edited(self, at: Visit) -> Changes:
        """Take in what was done on the canvas; where it is refused, the canvas goes back to what it was."""
        action = str(at.told.get("action"))
        if action == "painted":
            at.view.outlines = [*at.view.outlines, "air_leak"]
            return self.opened(at)
        if action == "failed":
            return self.desk.status(str(at.told.get("error")), "error", str(at.told.get("hint") or ""))
        return edited(self, at, action, at.told)


def edited(tab: Tab, at: Visit, action: str, told: Any) -> Changes:
    """Add, move, remove or select a nodule; what is refused is said."""
    try:
        status = tab.desk.status(_edit(at.session, action, told))
    except SynnodError as error:
        status = tab.desk.said(error)
    return {**status, **tab.form(at), **tab.film(at)}


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
    session.selected = session.request(name).name
    return f"{name} is selected."


def _box(told: Any) -> tuple[float, float, float, float]:
    x_min, y_min, x_max, y_max = (float(edge) for edge in told["box"])
    return x_min, y_min, x_max, y_max
