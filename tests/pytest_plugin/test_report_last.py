"""What a run says before it writes its report, and where it cannot write one."""

import json
import os

import pytest

from tests.warm_python import run_python

WATCH = """
import json
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    Path("reports-then.json").write_text(json.dumps([p.name for p in Path().glob("reports/*/*")]))
"""


def test_verdicts_are_told_before_the_report_is_written(project):
    (project.path / "conftest.py").write_text(WATCH)
    result = project("-k", "size and sensitivity", "--synnod-profile")
    assert json.loads((project.path / "reports-then.json").read_text()) == []
    told = [line for line in result.outlines if line.strip()]
    stage = next(k for k, line in enumerate(told) if line.endswith("  report"))
    assert next(k for k, line in enumerate(told) if "pre-specified" in line) < stage
    assert told[-1].startswith("report: ")
    (report,) = project.path.glob("reports/*/report.html")
    record = json.loads((report.parent / "results.json").read_text())
    assert record["gallery"]
    assert all((report.parent / one["boxes"]).is_file() for one in record["gallery"])


def test_a_report_that_cannot_be_written_is_told_after_the_verdicts_and_fails_the_run(project):
    (project.path / "reports.yaml").write_text("intended_use: [\n")
    result = project("-k", "size and sensitivity")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    text = " ".join(result.stdout.str().split())  # lines wrap where COLUMNS is set
    assert text.index("the pre-specified") < text.index("the report could not be written")
    assert "reports.yaml" in text
    assert "the same command writes the report once that is mended" in text


def test_a_file_that_another_plugin_cannot_write_does_not_cost_the_report(project):
    result = project("-k", "size and sensitivity", "--junitxml=/dev/null/x.xml")
    assert result.ret != pytest.ExitCode.OK
    (report,) = project.path.glob("reports/*/report.html")
    assert result.outlines[-1] == f"report: {report}"


INTERRUPTED = """
import synnodtest.report.html

def render(*words, **options):
    raise KeyboardInterrupt

synnodtest.report.html.render = render
"""


def test_ctrl_c_while_the_report_is_written_is_told_and_the_record_draws_it_later(project):
    (project.path / "conftest.py").write_text(INTERRUPTED)
    result = project("-k", "size and sensitivity")
    assert result.ret == pytest.ExitCode.INTERNAL_ERROR
    assert "Traceback" not in result.stderr.str()
    assert "the report could not be written: interrupted" in " ".join(result.stdout.str().split())
    (run,) = project.path.glob("reports/*")
    verified, drawn, again = (
        run_python(["synnodtest", name, run], cwd=project.path, env=os.environ, timeout=60)
        for name in ("verify", "report", "verify")
    )
    assert (verified.returncode, drawn.returncode, again.returncode) == (1, 0, 0)
    assert f"'synnodtest report {run}' draws it" in verified.stderr
