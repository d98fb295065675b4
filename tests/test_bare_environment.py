"""The core without extras runs specs end to end: no torch, Gaussian nodules, a detector that is a Python function.

A new environment is made of what ``dependencies`` of pyproject.toml requires, directly or not, and of the package
as its wheel installs it. The distributions are linked from this environment, so no package index is needed.
"""

import importlib.metadata
import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

from synnodtest.backgrounds.estimated_regions import REGIONS
from tests import remembered

ROOT = Path(__file__).resolve().parents[1]
SIZE, SPACING_MM = 160, 1.0
ESTIMATED = 1
"""Radiographs of which regions are estimated, which takes longer than all else that a run does with one."""

SPEC = """
synnodtest: 1
title: The core alone
behaviours:
  - id: large-nodules-are-found
    statement: A nodule of 16 mm is found.
    scenes:
      backgrounds: {set: normal, count: 12}
      nodules:
        - diameter_mm: 16
          contrast: 0.8
          location: {region: lung}
    expect:
      - sensitivity: {at_least: 0.7}
      - false_positives_per_image: {at_most: 0.5}
"""

DETECTOR = '''
"""Finds what is much brighter than its surroundings."""

from scipy import ndimage

from synnodtest import Finding


def blobs(radiographs):
    return [_blobs(radiograph.pixels) for radiograph in radiographs]


def _blobs(pixels):
    raised = ndimage.gaussian_filter(pixels, 2) - ndimage.gaussian_filter(pixels, 16)
    labels, count = ndimage.label(raised > 0.06)
    return [
        Finding(box=(columns.start, rows.start, columns.stop, rows.stop), score=float(raised[rows, columns].max()) * 4)
        for rows, columns in ndimage.find_objects(labels)
    ]


def make():
    return blobs


def silent():
    return lambda radiographs: [[] for _ in radiographs]
'''


def core_distributions():
    """Return every distribution that the core requires, directly or not."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    found, waiting = {}, [Requirement(text) for text in project["dependencies"]]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name in found or not _applies(requirement):
            continue
        found[name] = importlib.metadata.distribution(name)
        waiting += map(Requirement, found[name].requires or [])
    return list(found.values())


def _applies(requirement):
    return requirement.marker is None or requirement.marker.evaluate({"extra": ""})


def link(distribution, site):
    """Link the folders and single modules of an installed distribution into another environment."""
    for name in {file.parts[0] for file in distribution.files or []} - {"..", "__pycache__"}:
        held = Path(distribution.locate_file(name))
        if held.exists() and not (site / name).exists():
            (site / name).symlink_to(held, target_is_directory=held.is_dir())


def bring_compiled(site):
    """Bring the package's compiled modules along, where the checkout has them: compiling takes two seconds."""
    for folder in (ROOT / "synnodtest").rglob("__pycache__"):
        shutil.copytree(folder, site / folder.relative_to(ROOT))
    for source in (ROOT / "synnodtest").rglob("*.py"):
        shutil.copystat(source, site / source.relative_to(ROOT))


@pytest.fixture(scope="module")
def bare_python(tmp_path_factory, wheel):
    """Return the Python of an environment with the core alone."""
    folder = tmp_path_factory.mktemp("bare")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / "environment")], check=True)
    python = folder / "environment" / "bin" / "python"
    site = Path(
        run([str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], folder).stdout.strip()
    )
    for distribution in core_distributions():
        link(distribution, site)
    with zipfile.ZipFile(wheel) as held:
        held.extractall(site)
    bring_compiled(site)
    return str(python)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder for all runs: what one has read is in its store for the next."""
    folder = tmp_path_factory.mktemp("bare") / "project"
    (folder / "specs").mkdir(parents=True)
    (folder / "specs" / "core.yaml").write_text(SPEC)
    (folder / "blob_detector.py").write_text(DETECTOR)
    shutil.copy(remembered.__file__, folder / "undrawn.py")
    backgrounds = folder / "radiographs"
    backgrounds.mkdir()
    rows = ["file,patient,mm_per_px_x,mm_per_px_y,rotate_deg,polarity"]
    y, x = np.mgrid[0:SIZE, 0:SIZE] / SIZE
    lungs = (np.hypot((x - 0.28) / 0.17, (y - 0.5) / 0.36) < 1) | (np.hypot((x - 0.72) / 0.17, (y - 0.5) / 0.36) < 1)
    for number in range(12):
        rng = np.random.default_rng(number)
        pixels = np.where(lungs, 0.2, 0.22) + 0.3 * y + 0.01 * rng.standard_normal((SIZE, SIZE))
        Image.fromarray((pixels.clip(0, 1) * 65535).astype(np.uint16)).save(backgrounds / f"n{number:02}.png")
        for region in REGIONS if number >= ESTIMATED else ("lung",):
            Image.fromarray((lungs * 255).astype(np.uint8)).save(backgrounds / f"n{number:02}.{region}.png")
        rows.append(f"n{number:02}.png,p{number:02},{SPACING_MM},{SPACING_MM},0,normal")
    (backgrounds / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


WORDS = ["specs", "--backgrounds", "radiographs", "-p", "no:cacheprovider", "-q", "--detector"]
RUNS = {
    "sees": ["blob_detector:make", "--synthesizer", "gaussian"],
    "silent": ["blob_detector:silent", "--synthesizer", "gaussian", "--synnod-conform", "off", "-p", "undrawn"],
    "extra": ["blob_detector:make", "--synthesizer", "diffusion:specs", "--synnod-conform", "off", "-p", "undrawn"],
}
"""The first draws its report; the others of the same process leave the drawings empty."""
ONE_PROCESS = """
import contextlib, json, pytest, sys
for name, words in json.loads(sys.argv[1]).items():
    with open(f"{name}.txt", "w") as told, contextlib.redirect_stdout(told), contextlib.redirect_stderr(told):
        code = pytest.main([*words, "--synnod-report", name])
    print(name, int(code))
"""


@pytest.fixture(scope="module")
def ended(bare_python, project):
    """Exit code and text of each run, which share a process: what they import takes longer than what they do."""
    words = {name: [*WORDS, *more] for name, more in RUNS.items()}
    done = run([bare_python, "-c", ONE_PROCESS, json.dumps(words)], project)
    codes = dict(line.split() for line in done.stdout.splitlines())
    assert codes.keys() == RUNS.keys(), done.stdout + done.stderr
    return {name: (int(code), (project / f"{name}.txt").read_text()) for name, code in codes.items()}


def run(command, cwd):
    """Run a command with no path of this environment's Python handed down."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    variables[remembered.UNDRAWN] = "1"
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)


def verdicts(project, name):
    """Return expectation -> verdict of a run's report."""
    (folder,) = (path for path in (project / name).iterdir() if path.is_dir())
    assert (folder / "report.html").stat().st_size > 1000
    record = json.loads((folder / "results.json").read_text())
    return {item["id"].rpartition("::")[2]: item["status"] for item in record["expectations"]}


def test_the_core_alone_has_no_torch_rules_on_detectors_and_names_the_extra_that_is_wanted(
    bare_python, project, ended, tmp_path
):
    """One test, since each worker of pytest that ran a part of it would make the environment and all runs anew."""
    done = run([bare_python, "-c", "import synnodtest; print(synnodtest.__file__); import torch"], tmp_path)
    assert "No module named 'torch'" in done.stderr
    assert str(ROOT / "synnodtest") not in done.stdout

    code, text = ended["sees"]
    assert code == 0, text
    assert set(verdicts(project, "sees").values()) == {"PASSED"}
    code, text = ended["silent"]
    assert code == 1, text
    assert verdicts(project, "silent")["sensitivity"] == "FAILED"

    code, text = ended["extra"]
    assert code == 1, text
    assert "pip install 'synnodtest[diffusion]'" in text
