"""The tab Result: what the detectors see, requested against realised, and the file to take away."""

from __future__ import annotations

from synnodtest.studio import tables
from synnodtest.studio.session import EXPORTS
from synnodtest.studio.tabs.desk import Changes, Tab, Visit


class ResultTab(Tab):
    """Outcome of the scene."""

    def lay_out(self) -> None:
        """Put the parts onto the tab."""
        gradio, p = self.desk.gradio, self.desk.p
        p.threshold = gradio.Slider(
            0, 1, value=0.25, step=0.01, label="Threshold of both detectors", elem_id="threshold"
        )
        p.marks = gradio.Checkbox(value=True, label="Draw boxes, truth and findings")
        p.findings = gradio.HTML("", elem_id="findings", apply_default_css=False)
        p.accepted = gradio.HTML("", elem_id="accepted", apply_default_css=False)
        p.rows = gradio.HTML("", elem_id="rows", apply_default_css=False)
        with gradio.Row():
            p.kind = gradio.Dropdown(list(EXPORTS), value=next(iter(EXPORTS)), label="Export as", min_width=150)
            p.size = gradio.Radio(["native", "1024"], value="native", label="Pixels", min_width=120)
        p.mark = gradio.Checkbox(label="Write SYNTHETIC into the picture too")
        p.export = gradio.HTML("", elem_id="export", apply_default_css=False)

    def connect(self) -> None:
        """Tie events to what they do."""
        desk, p = self.desk, self.desk.p
        parts_shown = [p.threshold, p.marks]
        desk.at_once(p.threshold.change, self._thresholded, parts_shown, trigger_mode="always_last")
        desk.at_once(p.marks.input, self._thresholded, parts_shown)
        for part in (p.kind, p.size, p.mark):
            desk.at_once(part.input, self._export, [p.kind, p.size, p.mark])

    def _thresholded(self, at: Visit, threshold: float, marks: bool) -> Changes:
        at.view.threshold, at.view.marks = float(threshold), bool(marks)
        findings = tables.findings_html(at.session.result, at.view.threshold)
        return {self.desk.p.findings: findings, **self.film(at)}

    def _export(self, at: Visit, kind: str, size: str, mark: bool) -> Changes:
        at.view.export = (kind, size, bool(mark))
        return self.export_link(at)
