"""The page's own parts: the canvas, the opener of files, the panel of radiomics features."""

from __future__ import annotations

from importlib import resources
from typing import Any

from synnodtest.planning.radiomics_space import feature_range
from synnodtest.radiomics_features import GROUPS, PAPER_FEATURES
from synnodtest.studio.tables import macros

TITLES = {"Idm": "Inverse difference moment", "GrayLevelVariance": "Gray level variance"}
HEADS = {"shape2D": "Shape", "firstorder": "First order", "glcm": "GLCM", "glszm": "GLSZM"}


CANVAS = ("film.js", "boxes.js", "paint.js", "keys.js", "tools.js")
"""The script of the canvas, one after the other."""


def asset(name: str) -> str:
    """Return a file of the page."""
    return resources.files("synnodtest.studio").joinpath("assets", name).read_text(encoding="utf-8")


def canvas_part(gradio: Any) -> Any:
    """Return the radiograph: its value is the view, its event ``edit`` says what was done to the boxes."""
    return _part(gradio, "film", "{}", asset("canvas.html"), "canvas.css", *CANVAS)


def open_part(gradio: Any, most_bytes: int) -> Any:
    """Return the opener: its value is the session's token, its event ``edit`` says what came of an upload."""
    template = asset("open.html").replace("@MOST@", str(most_bytes))
    return _part(gradio, "open", "", template, "open.css", "open.js")


def features_part(gradio: Any) -> Any:
    """Return the features: the paper's six, then all 67 by group; its value is what is asked for, as JSON."""
    groups = [
        (HEADS[group], [_feature(name) for name in names if name not in PAPER_FEATURES])
        for group, names in GROUPS.items()
    ]
    template = str(macros().features([_feature(name) for name in PAPER_FEATURES], groups))
    return _part(gradio, "features", "{}", template, "features.css", "features.js")


def _part(gradio: Any, name: str, value: str, template: str, style: str, *scripts: str) -> Any:
    return gradio.HTML(
        value=value,
        html_template=template,
        css_template=asset(style),
        js_on_load="\n".join(map(asset, scripts)),
        elem_id=name,
        apply_default_css=False,
    )


def _feature(name: str) -> dict[str, object]:
    return {"name": name, "title": TITLES.get(name, name), "range": feature_range(name)}
