"""The page: what lies where. What happens is in ``handlers``."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from synnodtest.backgrounds.regions import REGIONS
from synnodtest.scene import ATTENUATION_WORDS, MARGIN_WORDS
from synnodtest.studio.handlers import Handlers
from synnodtest.studio.parts import asset, canvas_part, features_part, open_part
from synnodtest.studio.session import EXPORTS
from synnodtest.studio.wishes import PAPER_FEATURES

__all__ = ["build_page", "page_style"]

SWEPT = ("diameter_mm", "density", "contrast", *PAPER_FEATURES)


def build_page(gradio: Any, handlers: Handlers, labels: Sequence[str], most_bytes: int, study: bool) -> Any:
    """Return the Gradio application.

    Args:
        gradio: The package, imported by the caller.
        handlers: What happens.
        labels: Films and phantoms that can be picked.
        most_bytes: Limit of an upload.
        study: Whether a reader study is served.
    """
    with gradio.Blocks(analytics_enabled=False, title="synnodtest studio", fill_width=True) as page:
        p = SimpleNamespace()
        gradio.HTML("<h1>synnodtest studio</h1>", apply_default_css=False)
        p.status = gradio.HTML("", elem_id="status", apply_default_css=False)
        with gradio.Row():
            with gradio.Column(scale=3, min_width=420, elem_id="left"):
                p.film = canvas_part(gradio)
                p.explored = gradio.HTML("", elem_id="explored", apply_default_css=False)
            with gradio.Column(scale=2, min_width=380), gradio.Tabs():
                with gradio.Tab("Radiograph"):
                    _radiograph(gradio, p, labels, most_bytes)
                with gradio.Tab("Nodules"):
                    _nodules(gradio, p, handlers)
                with gradio.Tab("Result"):
                    _result(gradio, p)
                with gradio.Tab("Explore"):
                    _explore(gradio, p, handlers)
                with gradio.Tab("As a spec"):
                    _spec(gradio, p)
                if study:
                    with gradio.Tab("Readers"):
                        gradio.HTML(
                            "<p>The blinded page of the reader study; answers are kept beside it on this machine.</p>"
                            "<p><a class='download' href='study/' target='_blank'>Open the readers' page</a></p>",
                            apply_default_css=False,
                        )
        handlers.connect(page, p)
    return page


def _radiograph(gradio: Any, p: SimpleNamespace, labels: Sequence[str], most_bytes: int) -> None:
    p.open = open_part(gradio, most_bytes)
    p.pick = gradio.Dropdown(list(labels), value=labels[0], label="Film or phantom", filterable=True)
    p.picked = gradio.Button("Take it", elem_id="take")
    p.outlines = gradio.CheckboxGroup([*REGIONS, "air_leak"], value=[], label="Outlines of regions")
    p.notes = gradio.HTML("", elem_id="notes", apply_default_css=False)


def _nodules(gradio: Any, p: SimpleNamespace, handlers: Handlers) -> None:
    p.nodule = gradio.Dropdown([], label="Nodule", elem_id="nodule", allow_custom_value=True)
    with gradio.Row():
        p.edges = [
            gradio.Number(label=name, precision=0, min_width=70, elem_id=f"edge-{name.replace(' ', '-')}")
            for name in ("x min", "y min", "x max", "y max")
        ]
    with gradio.Row():
        p.set_box = gradio.Button("Set or add this box", size="sm")
        p.remove = gradio.Button("Remove nodule", size="sm")
    with gradio.Row():
        p.diameter = gradio.Number(label="Diameter, mm (empty: as the box)", min_width=140)
        p.seed = gradio.Number(label="Seed", precision=0, min_width=80, elem_id="seed")
    gradio.HTML(
        "<p class='small'>How bright: one of the three, or none for as bright as marked nodules are.</p>",
        apply_default_css=False,
    )
    with gradio.Row():
        p.density = gradio.Number(label="Density (1: solid)", min_width=110)
        p.attenuation = gradio.Dropdown(["", *ATTENUATION_WORDS], value="", label="Attenuation", min_width=110)
        p.contrast = gradio.Number(label="Contrast, 0 to 1", min_width=110, elem_id="contrast")
    p.margin = gradio.Dropdown(["", *MARGIN_WORDS], value="", label="Margin")
    gradio.HTML("<h4>Radiomics features</h4>", apply_default_css=False)
    p.features = features_part(gradio)
    names = list(handlers.synthesizers)
    p.synthesizer = gradio.Dropdown(names, value=names[0], label="Synthesizer")
    p.sham = gradio.Checkbox(label="Sham: the same edit without a nodule")
    p.make = gradio.Button("Synthesize", variant="primary", elem_id="make")


def _result(gradio: Any, p: SimpleNamespace) -> None:
    p.threshold = gradio.Slider(0, 1, value=0.25, step=0.01, label="Threshold of both detectors")
    p.marks = gradio.Checkbox(value=True, label="Draw boxes, truth and findings")
    p.findings = gradio.HTML("", elem_id="findings", apply_default_css=False)
    p.accepted = gradio.HTML("", elem_id="accepted", apply_default_css=False)
    p.rows = gradio.HTML("", elem_id="rows", apply_default_css=False)
    with gradio.Row():
        p.kind = gradio.Dropdown(list(EXPORTS), value=next(iter(EXPORTS)), label="Export as", min_width=150)
        p.size = gradio.Radio(["native", "1024"], value="native", label="Pixels", min_width=120)
    p.mark = gradio.Checkbox(label="Write SYNTHETIC into the picture too")
    p.export = gradio.HTML("", elem_id="export", apply_default_css=False)


def _explore(gradio: Any, p: SimpleNamespace, handlers: Handlers) -> None:
    p.detector = gradio.Dropdown(list(handlers.detectors), value=handlers.detectors[0], label="Detector")
    with gradio.Accordion("Sweep one quantity of the selected nodule", open=True):
        p.over = gradio.Dropdown(list(SWEPT), value="diameter_mm", label="Quantity")
        with gradio.Row():
            p.low = gradio.Number(label="From", value=6, min_width=80)
            p.high = gradio.Number(label="To", value=30, min_width=80)
            p.steps = gradio.Number(label="Steps", value=6, precision=0, minimum=2, maximum=40, min_width=80)
        p.sweep = gradio.Button("Sweep", elem_id="sweep")
    with gradio.Accordion("Map of confidence", open=False):
        p.region = gradio.Dropdown([name for name in REGIONS], value="lung", label="Region")
        p.places = gradio.Slider(5, 300, value=40, step=5, label="Places")
        p.map = gradio.Button("Map", elem_id="map")
    with gradio.Accordion("Add a companion", open=False):
        p.companion_mm = gradio.Slider(5, 40, value=20, step=1, label="Its diameter, mm")
        p.distance_mm = gradio.Slider(10, 150, value=40, step=5, label="Least distance, mm")
        p.companion = gradio.Button("Alone and with a companion")
    with gradio.Accordion("Air leak", open=False):
        gradio.HTML(
            "<p class='small'>Choose Paint above the film, paint the leak, and press “Painting is the air leak”; or "
            "draw a box and press “Box is the air leak”.</p>",
            apply_default_css=False,
        )
        p.leak_places = gradio.Slider(5, 100, value=20, step=5, label="Places in the leak")
        p.leak = gradio.Button("Plant in the air leak")
    p.cancel = gradio.Button("Cancel", elem_id="cancel")
    gradio.HTML("<p class='small'>What comes of it stands under the film.</p>", apply_default_css=False)


def _spec(gradio: Any, p: SimpleNamespace) -> None:
    p.what = gradio.Radio(
        [
            ("The scene", "scene"),
            ("Explicit example of a search", "fuzz"),
            ("Sweep", "sweep"),
            ("Map", "map"),
            ("Companion", "companion"),
            ("Air leak", "leak"),
        ],
        value="scene",
        label="What",
    )
    p.yaml = gradio.Textbox(label="YAML", lines=14, max_lines=26, elem_id="yaml", interactive=False, buttons=["copy"])
    with gradio.Row():
        p.refresh = gradio.Button("Write it", size="sm", elem_id="write")
        p.run = gradio.Button("Run it with pytest", variant="primary", size="sm", elem_id="run")
    p.bundle = gradio.HTML("", elem_id="bundle", apply_default_css=False)
    p.ran = gradio.HTML("", elem_id="ran", apply_default_css=False)
    p.python = gradio.Textbox(
        label="Python", lines=8, max_lines=20, elem_id="python", interactive=False, buttons=["copy"]
    )


def page_style() -> str:
    """Return the style of the whole page."""
    return asset("page.css")
