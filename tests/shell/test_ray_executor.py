"""Ray on this machine: two workers, each kind killed once mid-run, the same record as a serial run."""

import importlib.util
import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from synnodtest.errors import SynnodError
from synnodtest.shell import ray_executor
from synnodtest.shell.ray_executor import RayOptions
from synnodtest.shell.settings import Settings

ray_there = pytest.mark.skipif(importlib.util.find_spec("ray") is None, reason="ray is not installed (extra ray)")

SPEC = """
synnodtest: 1
behaviours:
  - id: found
    statement: Nodules are found.
    scenes:
      backgrounds: {set: normal, count: 8}
      nodules: [{diameter_mm: {sweep: [10, 16, 22]}, contrast: 0.8, location: {region: lung}}]
    expect:
      - sensitivity: {at_least: 0.5}
      - false_positives_per_image: {at_most: 2.0}
"""

PARTS = '''
import os, pathlib, signal
import numpy as np
from synnodtest import Finding
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
HERE = pathlib.Path(__file__).parent

def die_once(who):
    """Kill this process at its second call, once in all; only where a file asks for it."""
    mark = HERE / f"kill-{who}"
    calls = HERE / f"calls-{who}"
    calls.write_text(str(int(calls.read_text() or 0) + 1 if calls.exists() else 1))
    if mark.exists() and int(calls.read_text()) >= 2:
        mark.unlink()
        os.kill(os.getpid(), signal.SIGKILL)

def brightest():
    def detect(radiographs):
        die_once("detector")
        found = []
        for r in radiographs:
            row, column = np.unravel_index(int(r.pixels.argmax()), r.shape)
            if (HERE / "poison").exists() and r.background.endswith("0002"):
                os.kill(os.getpid(), signal.SIGKILL)
            left, top, (height, width) = max(column - 5.0, 0.0), max(row - 5.0, 0.0), r.shape
            box = (left, top, float(min(column + 6, width)), float(min(row + 6, height)))
            found.append([Finding(box, float(r.pixels.max()))])
        return found
    return detect

def planter():
    inner = GaussianSynthesizer()
    class Planter:
        identity = {"name": "planter"}
        sham_is_identity = True
        def synthesize(self, scenes, backgrounds):
            die_once("synthesizer")
            return inner.synthesize(scenes, backgrounds)
    return Planter()
'''

RUN = """
import json, sys
from pathlib import Path
from synnodtest.errors import SynnodError
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Case, Run
from synnodtest.shell.settings import Settings
from synnodtest.spec import load_spec
spec = load_spec(Path("spec.yaml"))
run = Run(Settings(Path("."), "parts.py:brightest", "parts.py:planter", cache=Path(sys.argv[1]), executor=sys.argv[2]))
for b in spec.behaviours:
    for expectation in b.expectations:
        case = Case(f"spec.yaml::{b.id}::{expectation.kind}", spec, b, variants(b, expectation)[0])
        try:
            run.rule(case, run.gather(case))
        except SynnodError as error:
            print("ERROR", error)
run.close()
told = run.fragment.as_dict()
for entry in told["expectations"].values():
    entry.pop("seconds", None)
print(json.dumps([told["expectations"], told["scenes"]], sort_keys=True))
"""


@pytest.fixture
def project(tmp_path):
    (tmp_path / "spec.yaml").write_text(SPEC)
    (tmp_path / "parts.py").write_text(PARTS)

    def run(cache, executor):
        environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "OMP_NUM_THREADS": "1"}
        environment |= {"RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}
        words = [sys.executable, "-c", RUN, cache, executor]
        done = subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=280)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout.splitlines()

    run.path = tmp_path
    return run


@ray_there
def test_a_run_on_ray_with_each_kind_of_actor_killed_once_gives_the_record_of_a_serial_run(project):
    for who in ("detector", "synthesizer"):
        (project.path / f"kill-{who}").touch()
    on_ray = project("on-ray", "ray?batch=4&cpus=0.5")[-1]
    assert not list(project.path.glob("kill-*"))
    serial = project("serial", "serial")[-1]
    assert on_ray == serial
    assert len(json.loads(serial)[1]) == 24 + 8


@ray_there
def test_a_scene_that_kills_the_detector_again_and_again_is_a_recorded_error(project):
    (project.path / "poison").touch()
    said = project("poisoned", "ray?batch=4&cpus=0.5")
    errors = [line for line in said if line.startswith("ERROR")]
    assert len(errors) == 2
    assert all("the detector died 3 times in a row on one scene of behaviour 'found': background" in e for e in errors)
    expectations, _ = json.loads(said[-1])
    entry = expectations["spec.yaml::found::sensitivity"]
    assert entry["status"] == "ERROR"
    assert "phantom-normal-0002" in entry["error"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("ray", RayOptions()), ("ray://head:10001", RayOptions("ray://head:10001")),
     ("ray?synthesizers=4&detectors=2&gpus=0.25", RayOptions("", 4, 2, 0.25))],
)  # fmt: skip
def test_options_of_an_executor(text, wanted):
    assert RayOptions.parse(text) == wanted


@pytest.mark.parametrize("text", ["dask", "ray?gpu=1", "ray?synthesizers=many", "ray?detectors=0", "rays://x"])
def test_executors_that_nobody_knows_are_refused_with_a_way_out(text):
    with pytest.raises(SynnodError, match="--executor"):
        RayOptions.parse(text)


def test_without_ray_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(SynnodError, match=r"synnodtest\[ray\]"):
        ray_executor.RayExecutor(Settings(tmp_path), RayOptions())


class Reference:
    """The answer of one call, or the error that it ends in."""

    def __init__(self, answer):
        self.answer = answer


class Answers:
    """As much of Ray as is used, without processes: an actor dies at some calls and is away for a few more."""

    class exceptions:
        class RayActorError(Exception):
            pass

    def __init__(self, deaths, away):
        self.deaths, self.away, self.gone, self.calls = deaths, away, 0, 0

    def is_initialized(self):
        return True

    def remote(self, *_):
        return self

    def options(self, **_):
        return SimpleNamespace(remote=lambda *_: SimpleNamespace(ready=self._call(1), finish=self._call(["key"])))

    def _call(self, answer):
        def remote(*given):
            self.calls += bool(given)
            if given and self.calls in self.deaths:
                self.gone = self.away + 1
            self.gone = max(self.gone - 1, 0)
            return Reference(self.exceptions.RayActorError("it died") if self.gone else answer)

        return SimpleNamespace(remote=remote)

    def get(self, asked):
        if isinstance(asked, list):
            return [self.get(one) for one in asked]
        if isinstance(asked.answer, Exception):
            raise asked.answer
        return asked.answer

    def wait(self, references, num_returns):
        return references[:num_returns], references[num_returns:]


@pytest.mark.parametrize("deaths", [{1}, {1, 5}])
def test_an_actor_that_died_is_waited_for_and_no_scene_is_blamed_for_the_time_it_is_away(monkeypatch, tmp_path, deaths):
    """While it restarts, Ray answers every call at once as if it had died of it."""
    monkeypatch.setitem(sys.modules, "ray", Answers(deaths, away=50))
    monkeypatch.setattr(ray_executor, "require", lambda *_: None)
    monkeypatch.setattr(ray_executor, "PAUSE_S", 0.0, raising=False)
    executor = ray_executor.RayExecutor(Settings(tmp_path), RayOptions())
    recipes = [SimpleNamespace(background=SimpleNamespace(id=str(n)), key=lambda n=n: n) for n in range(100)]
    assert sum(executor.finish(None, recipes)) == 100


def test_a_ray_that_does_not_come_up_is_an_error_in_one_sentence(monkeypatch, tmp_path):
    """As Ray 2.60 says it on a machine with too much to do."""

    def init(**_):
        raise Exception("The current node timed out during startup.")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(is_initialized=lambda: False, init=init))
    monkeypatch.setattr(ray_executor, "require", lambda *_: None)
    with pytest.raises(SynnodError, match="--executor ray: no cluster answers: The current node timed out"):
        ray_executor.RayExecutor(Settings(tmp_path), RayOptions())
