"""What the processes of ``pytest -n`` load: workers what makes scenes, the controller what writes the report."""

import json

import pytest

from tests.warm_python import start_python

WATCH = """
import json, os, sys
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    who = os.environ.get("PYTEST_XDIST_WORKER", "controller")
    Path(f"modules-{who}.json").write_text(json.dumps(sorted(sys.modules)))
"""
MAKING = {"torch", "torchvision", "ultralytics", "diffusers", "transformers", "cv2", "scipy.ndimage"}
WRITING = {"matplotlib", "jinja2", "pyarrow", "pandas", "synnodtest.report.html", "synnodtest.report.publish"}
NEITHER = {"scipy.stats", "scipy.interpolate", "sklearn", "statsmodels"}
WORDS = ("-k", "size and sensitivity or leak", "--synnod-limit", "2", "-p", "no:hypothesispytest", "-p", "no:html")


def test_workers_load_what_makes_scenes_and_the_controller_what_writes_the_report(project):
    pytest.importorskip("ultralytics")
    (project.path / "conftest.py").write_text(WATCH)
    project(*WORDS, "-n", "2", detector="demo", start=start_python)
    loaded = {
        path.stem.removeprefix("modules-"): set(json.loads(path.read_text())) for path in project.path.glob("modules-*")
    }
    controller = loaded.pop("controller")
    assert controller & (MAKING | NEITHER) == set()
    assert controller >= {"jinja2", "synnodtest.report.html"}
    assert sorted(loaded) == ["gw0", "gw1"]
    for modules in loaded.values():
        assert modules & (WRITING | NEITHER) == set()
        assert modules >= {"torch", "ultralytics"}
