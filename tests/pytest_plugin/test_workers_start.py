"""What the processes of a run load, and what they search as they end."""

import json
import re

import pytest

from tests.extras import installed
from tests.warm_python import start_python

WATCH = """
import gc, json, sys
from pathlib import Path

import pytest

FROZEN = gc.get_freeze_count()  # a process that starts warm has frozen what it started with


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config):
    who = getattr(config, "workerinput", {}).get("workerid", "controller")
    Path(f"modules-{who}.json").write_text(json.dumps(sorted(sys.modules)))
    Path(f"spared-{who}.json").write_text(json.dumps(gc.get_freeze_count() > FROZEN))
"""
UNDRAWN = """

@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session):
    if not hasattr(session.config, "workerinput"):
        from tests.remembered import draw_nothing_where_asked

        draw_nothing_where_asked()
"""
"""What a run would draw is computed and its drawing left empty: the layout takes as long as all else that it does."""
MAKING = {"torch", "ultralytics", "diffusers", "transformers", "cv2", "scipy.ndimage", "scipy.interpolate"}
WRITING = {"matplotlib", "jinja2", "pyarrow", "pandas", "synnodtest.report.html", "synnodtest.report.publish"}
NEITHER = {"scipy.stats", "sklearn", "statsmodels", "torchvision", "torch._dynamo"}
HEAVY = MAKING | NEITHER | {"onnxruntime", "openvino", "matplotlib", "pandas", "hypothesis"}
WORDS = ("-k", "size and sensitivity or leak", "--synnod-limit", "1", "-p", "no:hypothesispytest", "-p", "no:html")


def told(project, what):
    return {path.stem.removeprefix(f"{what}-"): json.loads(path.read_text()) for path in project.path.glob(f"{what}-*")}


@pytest.mark.skipif(not installed("ultralytics"), reason="ultralytics is not installed")
def test_workers_load_what_makes_scenes_the_controller_the_report_and_a_run_that_makes_none_neither(
    project,
):
    """One worker shows it: each has the same start. What it made is stored for the run that makes nothing."""
    project.forget()
    spec = project.path / "specs" / "small.yaml"
    spec.write_text(re.sub("      - monotone.*\n", "", spec.read_text()).replace("[6, 9, 12, 16, 20]", "[12, 20]"))
    (project.path / "conftest.py").write_text(WATCH + UNDRAWN)
    first = project(*WORDS, "-n", "1", detector="demo", start=start_python)
    loaded = {who: set(modules) for who, modules in told(project, "modules").items()}
    assert loaded.keys() == {"controller", "gw0"}
    assert loaded["controller"] & (MAKING | NEITHER) == set()
    assert loaded["controller"] >= {"jinja2", "synnodtest.report.html"}
    assert loaded["gw0"] & (WRITING | NEITHER) == set()
    assert loaded["gw0"] >= {"torch", "ultralytics"}

    (project.path / "conftest.py").write_text(WATCH)
    again = project(*WORDS, detector="demo", start=start_python)
    assert HEAVY & set(told(project, "modules")["controller"]) == set()
    sentences = [[line for line in run.outlines if "sensitivity 0" in line] for run in (first, again)]
    assert sentences[0] == sentences[1] != []
    assert told(project, "spared")["controller"] is True


def test_where_not_specs_alone_ran_everything_is_left_to_the_search_with_which_pytest_ends(project):
    (project.path / "conftest.py").write_text(WATCH)
    (project.path / "test_own.py").write_text("def test_leak():\n    pass\n")
    for words, spared in ((("specs", "test_own.py"), False), (("specs",), True)):
        project(*words, "-k", "leak", "--synnod-no-pixels")
        assert told(project, "spared")["controller"] is spared
