"""Networks take the cores there are, sleep while they wait, and share them among the workers of one run."""

import json
import os
import subprocess
import sys

import pytest

from synnodtest.threads import PASSIVE, cores, share_threads, wait_asleep

SETTINGS = [*PASSIVE, "GOMP_SPINCOUNT", "OMP_NUM_THREADS"]
LIGHT = ["-p", "no:hypothesispytest", "-p", "no:html", "-p", "no:allure_pytest"]
"""Plugins that say nothing of threads, and take a third of the time in which pytest starts."""


@pytest.mark.parametrize(
    ("told", "available", "threads"),
    [({"PYTEST_XDIST_WORKER_COUNT": "2"}, 2, "1"), ({"PYTEST_XDIST_WORKER_COUNT": "4"}, 2, "1"),
     ({"PYTEST_XDIST_WORKER_COUNT": "2"}, 16, "8"), ({"PYTEST_XDIST_WORKER_COUNT": "1"}, 2, None),
     ({}, 2, None), ({}, 1, "1"), ({"PYTEST_XDIST_WORKER_COUNT": "2", "OMP_NUM_THREADS": "3"}, 2, "3")],
)  # fmt: skip
def test_cores_are_divided_among_workers_unless_the_user_says_otherwise(told, available, threads, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    share_threads(told, available=available)
    assert told.get("OMP_NUM_THREADS") == threads


@pytest.mark.parametrize("own", [{"OMP_WAIT_POLICY": "ACTIVE"}, {"KMP_BLOCKTIME": "7"}, {"GOMP_SPINCOUNT": "9"}])
def test_a_wait_policy_of_the_users_own_stays_the_only_one(own):
    told = dict(own)
    wait_asleep(told)
    assert told == own


@pytest.mark.parametrize(
    ("text", "most"), [("max 100000\n", 10**6), ("50000 100000\n", 1), ("100001 100000\n", 2), ("nonsense\n", 10**6)]
)
def test_a_containers_quota_counts_as_cores(tmp_path, text, most):
    (tmp_path / "cpu.max").write_text(text)
    everything = cores(tmp_path / "none")
    assert cores(tmp_path / "cpu.max") == min(everything, most)
    if hasattr(os, "sched_getaffinity"):
        assert everything == len(os.sched_getaffinity(0))


def told_when_torch_comes(words, folder, **own):
    """Run Python with a stand-in for torch that prints what OpenMP would be told at the moment it is loaded."""
    told = f"import json, os\ntold = json.dumps({{key: os.environ.get(key) for key in {SETTINGS}}})\n"
    written = "open('seen.json', 'a').write(told + chr(10))\nclass Tensor: pass\n"  # scipy asks torch for Tensor
    (folder / "torch.py").write_text(told + written)
    environment = {k: v for k, v in os.environ.items() if k not in SETTINGS and not k.startswith("PYTEST_")}
    environment |= {"PYTHONPATH": os.pathsep.join([str(folder), *filter(None, sys.path)]), **own}
    ran = subprocess.run([sys.executable, *words], cwd=folder, env=environment, capture_output=True, text=True)
    lines = (folder / "seen.json").read_text().splitlines() if (folder / "seen.json").exists() else []
    assert lines, ran.stdout + ran.stderr
    return [json.loads(line) for line in lines]


@pytest.fixture
def project(tmp_path):
    (tmp_path / "conftest.py").write_text("import torch\n")
    (tmp_path / "quiet.py").write_text("def make():\n    return lambda radiographs: [[] for _ in radiographs]\n")
    return tmp_path


def test_the_policy_is_set_before_a_conftest_loads_torch_in_every_process_of_pytest(project):
    words = ["-m", "pytest", "conftest.py", "--detector", "quiet:make", "-q", "-n", "2", *LIGHT]
    seen = told_when_torch_comes(words, project)
    assert len(seen) == 3
    assert all(one["OMP_WAIT_POLICY"] == "PASSIVE" and one["KMP_BLOCKTIME"] == "0" for one in seen)
    assert all(one["OMP_NUM_THREADS"] == str(max(1, cores() // 2)) for one in seen[1:])


def test_pytest_without_a_detector_of_ours_is_left_as_it_is(project):
    words = ["-m", "pytest", "nothing.py", "-q", "-p", "no:cacheprovider", *LIGHT, "conftest.py"]
    seen = told_when_torch_comes(words, project)
    assert seen == [dict.fromkeys(SETTINGS)]


@pytest.mark.parametrize("own", [{}, {"OMP_WAIT_POLICY": "ACTIVE"}])
def test_commands_set_it(project, own):
    script = "from synnodtest.cli import main; main(['schema']); import torch"
    assert (
        told_when_torch_comes(["-c", script], project, **own)[0]["OMP_WAIT_POLICY"]
        == (own or PASSIVE)["OMP_WAIT_POLICY"]
    )


def test_a_program_that_detects_inherits_it(project):
    (project / "detect.py").write_text("import json, sys, torch\njson.dump({'0000.png': []}, open(sys.argv[2], 'w'))\n")
    script = (
        "import sys, numpy as np\nfrom synnodtest import Radiograph\n"
        "from synnodtest.detectors import resolve_detector\n"
        "program = resolve_detector(f'command:{sys.executable} detect.py {{in}} {{out}}')\n"
        "program.detect([Radiograph(np.zeros((8, 8), np.float32), (1.0, 1.0))])\n"
    )
    assert told_when_torch_comes(["-c", script], project)[0]["OMP_WAIT_POLICY"] == "PASSIVE"
