"""The tab "As a spec": what is on the page as YAML and Python, and a run of it."""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

from synnodtest.studio.spec_run import SpecRun, run_spec
from synnodtest.studio.tabs.desk import Changes, Tab, Visit

LAST_LINES = 40
"""Lines of a run that are shown; set by hand: pytest's summary and what led to it. All stand in the run's own
output."""
WHAT = (
    ("The scene", "scene"),
    ("Explicit example of a search", "fuzz"),
    ("Sweep", "sweep"),
    ("Map", "map"),
    ("Companion", "companion"),
    ("Air leak", "leak"),
)


class SpecTab(Tab):
    """Texts to take away."""

    def lay_out(self) -> None:
        """Put the parts onto the tab."""
        gradio, p = self.desk.gradio, self.desk.p
        p.what = gradio.Radio(list(WHAT), value="scene", label="What")
        p.yaml = self._text("YAML", "yaml", 14, 26)
        with gradio.Row():
            p.refresh = gradio.Button("Write it", size="sm", elem_id="write")
            p.run = gradio.Button("Run it with pytest", variant="primary", size="sm", elem_id="run")
        p.bundle = gradio.HTML("", elem_id="bundle", apply_default_css=False)
        p.ran = gradio.HTML("", elem_id="ran", apply_default_css=False)
        p.python = self._text("Python", "python", 8, 20)

    def _text(self, label: str, name: str, lines: int, most: int) -> Any:
        return self.desk.gradio.Textbox(
            label=label, lines=lines, max_lines=most, elem_id=name, interactive=False, buttons=["copy"]
        )

    def connect(self) -> None:
        """Tie events to what they do."""
        desk, p = self.desk, self.desk.p
        desk.at_once(p.what.input, self._written, [p.what])
        desk.at_once(p.refresh.click, self._written, [p.what])
        desk.in_steps(p.run.click, self._ran, [p.what])

    def _written(self, at: Visit, what: str) -> Changes:
        return self.specs(at, what)

    def _ran(self, at: Visit, what: str) -> Iterator[Changes]:
        desk, text = self.desk, at.session.text_of(what)
        yield {**desk.status(f"pytest {what}.yaml is running …", "busy"), **self.specs(at, what)}
        at.session.cancelled.clear()
        ran = run_spec(at.session, text, f"{what}.yaml", lambda: at.session.cancelled.is_set() or at.session.closed)
        yield {
            **desk.status(f"pytest ended with status {ran.status}. {_verdicts(ran.lines)}", _kind(ran)),
            desk.p.ran: _ran_html(ran, at.view.token),
        }


def _ran_html(made: SpecRun, token: str) -> str:
    """Return the link to the report and the last lines of the run."""
    log = html.escape("\n".join(made.lines[-LAST_LINES:]))
    link = ""
    if made.report is not None:
        address = f"studio/{token}/report/{made.report.name}/report.html"
        link = f"<p><a class='download' href='{address}' target='_blank'>Open the report</a></p>"
    return f"{link}<pre class='log' tabindex='0'>{log}</pre>"


def _kind(made: SpecRun) -> str:
    """Return how the end of a run is shown: green is a run that passed, and no other."""
    if made.report is None:
        return "error"
    return "good" if made.status == 0 else "info"


def _verdicts(lines: Sequence[str]) -> str:
    """Return the sentences of the verdicts among the lines of a run."""
    verdicts = dict.fromkeys(
        line for line in lines if line.startswith(("PASSED ", "FAILED ", "INCONCLUSIVE ", "INVALID "))
    )
    return " ".join(line for line in verdicts if "::" not in line)
