"""What the processes of a run load, and what they search as they end."""

import json

import pytest

from tests.extras import installed
from tests.warm_python import start_python

WATCH = """
import gc, json, sys
from pathlib import Path

import pytest


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    who = getattr(config, "workerinput", {}).get("workerid", "controller")
    Path(f"modules-{who}.json").write_text(json.dumps(sorted(sys.modules)))
    Path(f"spared-{who}.json").write_text(json.dumps(gc.get_freeze_count() > 0))
"""
MAKING = {"torch", "torchvision", "ultralytics", "diffusers", "transformers", "cv2", "scipy.ndimage"}
WRITING = {"matplotlib", "jinja2", "pyarrow", "pandas", "synnodtest.report.html", "synnodtest.report.publish"}
NEITHER = {"scipy.stats", "scipy.interpolate", "sklearn", "statsmodels"}
WORDS = ("-k", "size and sensitivity or leak", "--synnod-limit", "2", "-p", "no:hypothesispytest", "-p", "no:html")


@pytest.mark.skipif(not installed("ultralytics"), reason="ultralytics is not installed")
def test_workers_load_what_makes_scenes_and_the_controller_what_writes_the_report(project):
    """One worker shows it: each has the same start."""
    (project.path / "conftest.py").write_text(WATCH)
    project(*WORDS, "-n", "1", detector="demo", start=start_python)
    loaded = {
        path.stem.removeprefix("modules-"): set(json.loads(path.read_text())) for path in project.path.glob("modules-*")
    }
    controller = loaded.pop("controller")
    assert controller & (MAKING | NEITHER) == set()
    assert controller >= {"jinja2", "synnodtest.report.html"}
    assert sorted(loaded) == ["gw0"]
    assert loaded["gw0"] & (WRITING | NEITHER) == set()
    assert loaded["gw0"] >= {"torch", "ultralytics"}


def test_only_where_specs_alone_ran_is_nothing_left_to_the_search_with_which_pytest_ends(project):
    (project.path / "conftest.py").write_text(WATCH)
    spared = project.path / "spared-controller.json"
    project("-k", "leak", "--synnod-limit", "1", start=start_python)
    assert json.loads(spared.read_text()) is True
    (project.path / "test_own.py").write_text("def test_leak():\n    pass\n")
    project("specs", "test_own.py", "-k", "leak", "--synnod-limit", "1", start=start_python)
    assert json.loads(spared.read_text()) is False
