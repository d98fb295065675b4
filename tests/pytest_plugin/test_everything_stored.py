"""A run that finds everything in the store: what it need not load, and what it says first."""

import json

import pytest

from tests.extras import installed
from tests.warm_python import start_python

WATCH = """
import json, sys
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter):
    Path("reports-then.json").write_text(json.dumps([p.name for p in Path().glob("reports/*/*")]))


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    Path("modules.json").write_text(json.dumps(sorted(sys.modules)))
"""
HEAVY = {"torch", "torchvision", "ultralytics", "diffusers", "transformers", "onnxruntime", "openvino", "cv2"}
HEAVY |= {"matplotlib", "pandas", "sklearn", "statsmodels", "hypothesis", "scipy.ndimage", "scipy.stats"}
WORDS = ("-k", "size and sensitivity", "--synnod-limit", "2", "-p", "no:hypothesispytest")


@pytest.mark.skipif(not installed("ultralytics"), reason="ultralytics is not installed")
def test_a_run_whose_scenes_are_stored_loads_neither_networks_nor_their_libraries(project):
    (project.path / "conftest.py").write_text(WATCH)
    first = project(*WORDS, detector="demo")
    assert HEAVY & set(json.loads((project.path / "modules.json").read_text())) >= {"torch", "ultralytics"}
    again = project(*WORDS, detector="demo", start=start_python)
    assert HEAVY & set(json.loads((project.path / "modules.json").read_text())) == set()
    sentences = [[line for line in run.outlines if "sensitivity 0" in line] for run in (first, again)]
    assert sentences[0] == sentences[1] != []


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
