"""The page: the radiograph on the left, the tabs on the right. What lies on a tab and happens there is in ``tabs``."""

from __future__ import annotations

from typing import Any

from synnodtest.studio.parts import canvas_part
from synnodtest.studio.tabs.desk import Desk, Tab
from synnodtest.studio.tabs.explore import ExploreTab
from synnodtest.studio.tabs.nodules import NodulesTab
from synnodtest.studio.tabs.radiograph import RadiographTab
from synnodtest.studio.tabs.result import ResultTab
from synnodtest.studio.tabs.spec import SpecTab

_READERS = (
    "<p>The blinded page of the reader study; answers are kept beside it on this machine.</p>"
    "<p><a class='download' href='study/' target='_blank'>Open the readers' page</a></p>"
)


def build_page(desk: Desk, *, study: bool) -> Any:
    """Return the Gradio application.

    Args:
        desk: What all tabs share.
        study: Whether a reader study is served.
    """
    gradio, p = desk.gradio, desk.p
    tabs: dict[str, Tab] = {
        "Radiograph": RadiographTab(desk),
        "Nodules": NodulesTab(desk),
        "Result": ResultTab(desk),
        "Explore": ExploreTab(desk),
        "As a spec": SpecTab(desk),
    }
    with gradio.Blocks(analytics_enabled=False, title="synnodtest studio", fill_width=True) as page:
        gradio.HTML("<h1>synnodtest studio</h1>", apply_default_css=False)
        p.status = gradio.HTML("", elem_id="status", apply_default_css=False)
        with gradio.Row():
            with gradio.Column(scale=3, min_width=420, elem_id="left"):
                p.film = canvas_part(gradio)
                p.explored = gradio.HTML("", elem_id="explored", apply_default_css=False)
            with gradio.Column(scale=2, min_width=380), gradio.Tabs():
                for name, tab in tabs.items():
                    with gradio.Tab(name):
                        tab.lay_out()
                if study:
                    with gradio.Tab("Readers"):
                        gradio.HTML(_READERS, apply_default_css=False)
        p.page = page
        for tab in tabs.values():
            tab.connect()
    return page
