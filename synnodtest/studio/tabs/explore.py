"""The tab Explore: sweep, map, companion, air leak; each says how far it is and can be cancelled."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any

from synnodtest.backgrounds.estimated_regions import REGIONS
from synnodtest.errors import SynnodError
from synnodtest.studio import tables
from synnodtest.studio.explore import SWEPT, Exploration, levels_between, usual_range
from synnodtest.studio.tabs.desk import Changes, Tab, Visit

PACE_S = 0.5
"""Between two words on how far it is: a page that redraws without a pause takes no click."""
_LEAK = (
    "<p class='small'>Choose Paint above the film, paint the leak by mouse or by keyboard, and press “Painting is the "
    "air leak”; or draw a box first, choose Paint, and press “Box is the air leak”.</p>"
)


class ExploreTab(Tab):
    """Many nodules at a time."""

    def lay_out(self) -> None:
        """Put the parts onto the tab."""
        gradio, p, names = self.desk.gradio, self.desk.p, self.desk.detectors
        p.detector = gradio.Dropdown(names, value=names[0], label="Detector")
        with gradio.Accordion("Sweep one quantity of the selected nodule", open=True):
            self._lay_out_sweep(gradio, p)
        with gradio.Accordion("Map of confidence", open=False):
            p.region = gradio.Dropdown(list(REGIONS), value="lung", label="Region")
            p.places = gradio.Slider(5, 300, value=40, step=5, label="Places")
            p.map = gradio.Button("Map", elem_id="map")
        with gradio.Accordion("Add a companion", open=False):
            p.companion_mm = gradio.Slider(5, 40, value=20, step=1, label="Its diameter, mm")
            p.distance_mm = gradio.Slider(10, 150, value=40, step=5, label="Least distance, mm")
            p.companion = gradio.Button("Alone and with a companion")
        with gradio.Accordion("Air leak", open=False):
            gradio.HTML(_LEAK, apply_default_css=False)
            p.leak_places = gradio.Slider(5, 100, value=20, step=5, label="Places in the leak")
            p.leak = gradio.Button("Plant in the air leak", elem_id="leak")
        p.cancel = gradio.Button("Cancel", elem_id="cancel")
        gradio.HTML("<p class='small'>What comes of it stands under the film.</p>", apply_default_css=False)

    @staticmethod
    def _lay_out_sweep(gradio: Any, p: Any) -> None:
        low, high = usual_range(SWEPT[0])
        p.over = gradio.Dropdown(list(SWEPT), value=SWEPT[0], label="Quantity", elem_id="over")
        with gradio.Row():
            p.low = gradio.Number(label="From", value=low, min_width=80, elem_id="low")
            p.high = gradio.Number(label="To", value=high, min_width=80, elem_id="high")
            p.steps = gradio.Number(label="Steps", value=6, precision=0, minimum=2, maximum=40, min_width=80)
        p.sweep = gradio.Button("Sweep", elem_id="sweep")

    def connect(self) -> None:
        """Tie events to what they do."""
        desk, p = self.desk, self.desk.p
        desk.at_once(p.over.input, self._quantity, [p.over])
        desk.in_steps(p.sweep.click, self._swept, [p.detector, p.over, p.low, p.high, p.steps])
        of_region = partial(self._exploring, "map", "Map of the {}")
        desk.in_steps(p.map.click, of_region, [p.detector, p.region, p.places])
        beside = partial(self._exploring, "companion", "Alone and with a companion")
        desk.in_steps(p.companion.click, beside, [p.detector, p.companion_mm, p.distance_mm])
        desk.in_steps(p.leak.click, partial(self._exploring, "leak", "Air leak"), [p.detector, p.leak_places])
        cancelled = desk.at_once(p.cancel.click, self._cancelled, queue=False)
        desk.at_once(cancelled.then, self._ended, queue=False)

    def _quantity(self, at: Visit, over: str) -> Changes:
        low, high = usual_range(over)
        return {self.desk.p.low: low, self.desk.p.high: high}

    def _swept(self, at: Visit, detector: str, over: str, low: float, high: float, steps: float) -> Iterator[Changes]:
        if low is None or high is None or not low < high:
            raise SynnodError("a sweep goes from a low to a high value", hint="fill in From and To")
        levels = levels_between(float(low), float(high), int(steps or 2))
        yield from self._exploring("sweep", "Sweep over {}", at, detector, over, levels)

    def _exploring(self, kind: str, title: str, at: Visit, detector: str, *values: Any) -> Iterator[Changes]:
        text, title = at.session.text(kind, *values), title.format(*values)
        desk = self.desk
        yield desk.status(f"{title}: planting and asking {detector} …", "busy")
        swept, last_s = None, 0.0
        for swept in at.session.explore(kind, title, text, detector):
            if time.monotonic() - last_s > PACE_S:
                last_s = time.monotonic()
                yield self._explored(at, swept)
        assert swept is not None
        yield self._explored(at, swept)
        end = "cancelled" if swept.cancelled else "done"
        texts = self.specs(at, kind) if at.session.exploration is swept else {}  # not of a film that was put away
        yield {**desk.status(f"{title}: {end}, {swept.done} of {swept.total} scenes.", "good"), **texts}

    def _explored(self, at: Visit, made: Exploration) -> Changes:
        html = tables.exploration_html(made, at.view.token, at.view.threshold)
        return {self.desk.p.explored: html, **self.film(at)}

    def _cancelled(self, at: Visit) -> Changes:
        if not at.session.at_work:
            return self.desk.status("Nothing is under way.")
        at.session.cancelled.set()
        at.view.cancelling = at.view.steps > 0
        return self.desk.status("Cancelling after the scenes that are under way.")

    def _ended(self, at: Visit) -> Changes:
        """Return how the work ended: its last line may have come before that it is being cancelled, and be gone."""
        if not at.view.cancelling:
            return {}
        at.view.cancelling = False
        while at.view.steps:
            time.sleep(PACE_S)
        return {self.desk.p.status: at.view.said}
