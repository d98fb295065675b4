"""The tab Nodules: what each nodule is to be, and the button that makes them."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterator, Sequence
from typing import Any

from synnodtest.errors import SynnodError
from synnodtest.scene import ATTENUATION_WORDS, MARGIN_WORDS
from synnodtest.studio.parts import features_part
from synnodtest.studio.tabs.desk import WORDS, Changes, Tab, Visit
from synnodtest.studio.tabs.radiograph import edited


class NodulesTab(Tab):
    """Nodules as forms."""

    def lay_out(self) -> None:
        """Put the parts onto the tab."""
        gradio, p, names = self.desk.gradio, self.desk.p, self.desk.synthesizers
        self._lay_out_place(gradio, p)
        with gradio.Row():
            p.diameter_mm = gradio.Number(label="Diameter, mm (empty: as the box)", min_width=140, elem_id="diameter")
            p.seed = gradio.Number(label="Seed", precision=0, min_width=80, elem_id="seed")
        self._lay_out_brightness(gradio, p)
        p.margin = gradio.Dropdown(["", *MARGIN_WORDS], value="", label="Margin")
        gradio.HTML("<h4>Radiomics features</h4>", apply_default_css=False)
        p.features = features_part(gradio)
        p.synthesizer = gradio.Dropdown(names, value=names[0], label="Synthesizer")
        p.sham = gradio.Checkbox(label="Sham: the same edit without a nodule")
        p.make = gradio.Button("Synthesize", variant="primary", elem_id="make")

    @staticmethod
    def _lay_out_place(gradio: Any, p: Any) -> None:
        p.nodule = gradio.Dropdown([], label="Nodule", elem_id="nodule", allow_custom_value=True)
        with gradio.Row():
            p.edges = [
                gradio.Number(label=name, precision=0, min_width=70, elem_id=f"edge-{name.replace(' ', '-')}")
                for name in ("x min", "y min", "x max", "y max")
            ]
        with gradio.Row():
            p.set_box = gradio.Button("Set or add this box", size="sm")
            p.remove = gradio.Button("Remove nodule", size="sm")

    @staticmethod
    def _lay_out_brightness(gradio: Any, p: Any) -> None:
        gradio.HTML(
            "<p class='small'>How bright: one of the three, or none for as bright as marked nodules are.</p>",
            apply_default_css=False,
        )
        with gradio.Row():
            p.density = gradio.Number(label="Density (1: solid)", step=0.1, min_width=110, elem_id="density")
            p.attenuation = gradio.Dropdown(["", *ATTENUATION_WORDS], value="", label="Attenuation", min_width=110)
            p.contrast = gradio.Number(label="Contrast, 0 to 1", step=0.01, min_width=110, elem_id="contrast")

    def connect(self) -> None:
        """Tie events to what they do."""
        desk, p = self.desk, self.desk.p
        desk.at_once(p.nodule.input, functools.partial(self._edited, "select"), [p.nodule])
        desk.at_once(p.set_box.click, self._box_typed, [p.nodule, *p.edges])
        desk.at_once(p.remove.click, functools.partial(self._edited, "remove"), [p.nodule])
        for field, part in desk.fields.items():
            for event in [part.input] if field in WORDS else [part.blur, part.submit]:
                desk.at_once(event, functools.partial(self._changed, field), [p.nodule, part])
        desk.at_once(p.features.edit, self._featured, [p.nodule])
        desk.at_once(p.synthesizer.input, functools.partial(self._chosen, "synthesizer"), [p.synthesizer])
        desk.at_once(p.sham.input, functools.partial(self._chosen, "sham"), [p.sham])
        desk.in_steps(p.make.click, self._made, [p.nodule, *desk.fields.values()])

    def _edited(self, action: str, at: Visit, name: str | None) -> Changes:
        return edited(self, at, action, {"name": name})

    def _box_typed(self, at: Visit, name: str | None, *edges: float | None) -> Changes:
        if any(edge is None for edge in edges):
            raise SynnodError("a box has four edges", hint="fill in x min, y min, x max and y max")
        known = name in at.session.requests
        box = {"name": name, "box": [float(edge or 0) for edge in edges]}
        return edited(self, at, "move" if known else "add", box)

    def _changed(self, field: str, at: Visit, name: str | None, value: Any) -> Changes:
        if name in at.session.requests:
            at.session.change(str(name), **{field: _as_field(field, value)})
        return {}

    def _featured(self, at: Visit, name: str | None) -> Changes:
        features = {str(key): float(value) for key, value in dict(at.told.get("features") or {}).items()}
        at.session.change(name or at.session.selected, radiomics=features)
        return self.desk.status(f"Features asked for: {', '.join(features) or 'none'}.")

    def _chosen(self, what: str, at: Visit, value: str | bool) -> Changes:
        setattr(at.session, what, value)
        return {}

    def _made(self, at: Visit, name: str | None, *values: Any) -> Iterator[Changes]:
        """Synthesize; what stands in the form and was not yet left counts."""
        desk = self.desk
        if name in at.session.requests:
            fields = zip(desk.fields, values, strict=True)
            at.session.change(str(name), **{field: _as_field(field, value) for field, value in fields})
        loading = "" if desk.ready() else "The models are being loaded; then "
        count = len(at.session.requests) or "no"
        yield desk.status(f"{loading}{at.session.synthesizer} makes {count} nodule(s), then detectors look …", "busy")
        started = time.perf_counter()
        result = at.session.plant()
        at.view.made += 1
        took = time.perf_counter() - started
        hits_named = ", ".join(f"{name}: {_best(hits)}" for name, hits in result.findings.items())
        kind = "error" if result.rejected else "good"
        yield {
            **desk.status(f"Made in {took:.1f} s. Surest finding {hits_named}.", kind, result.rejected),
            **self.results(at),
            **self.specs(at, "scene"),
            **self.export_link(at),
            **self.film(at),
        }


def _as_field(field: str, value: Any) -> Any:
    """Return what stands in a part of the form as a request takes it."""
    if field == "seed":
        return int(value or 0)
    return str(value or "") if field in WORDS else value


def _best(found: Sequence[Any]) -> str:
    return f"{found[0][1]:.2f}" if found else "none"
