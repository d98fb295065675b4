"""A package of another's, built and installed: a check, a claim, a detector, a synthesizer and a background format."""

import csv
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from synnodtest.backgrounds.estimated_regions import REGIONS
from tests.remembered import UNDRAWN
from tests.warm_python import run_python

ROOT = Path(__file__).resolve().parents[2]

PYPROJECT = """\
[build-system]
requires = ["setuptools"]
build-backend = "setuptools.build_meta"

[project]
name = "acme-nodules"
version = "0.1"

[project.entry-points."synnodtest.checks"]
hot_spots = "acme_nodules:HOT_SPOTS"
quiet_border = "acme_nodules:quiet_border"

[project.entry-points."synnodtest.claims"]
scored = "acme_nodules:SCORED"

[project.entry-points."synnodtest.detectors"]
acme = "acme_nodules:detector"

[project.entry-points."synnodtest.synthesizers"]
acme_discs = "acme_nodules:synthesizer"

[project.entry-points."synnodtest.backgrounds"]
acme_npy = "acme_nodules:NPY"

[tool.setuptools]
py-modules = ["acme_nodules"]
"""

MODULE = '''\
"""Things of another's for synnodtest."""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter

from synnodtest import Finding
from synnodtest.backgrounds import Format
from synnodtest.checks import Kind, Ruling, Selection, Status, no_data, option, selected, share
from synnodtest.expectations.claim import BASE, ClaimKind, Searched, rate
from synnodtest.expectations.rule import hold
from synnodtest.expectations.rule import rule
from synnodtest.identity import Identity
from synnodtest.statistics import clustered_rate
from synnodtest.synthesizers import GaussianSynthesizer


@dataclass(frozen=True)
class HotSpots(Selection):
    """Parameters of ``hot_spots``."""

    at_least: float = option("The share must exceed this.", share())
    score: float = option("What a hot spot scores. Default 0.6.", share(), 0.6, stated=True)


def hot_spots(parameters, evidence):
    """Share of nodules with a score of at least ``score``."""
    pairs = selected(parameters, evidence)
    criterion = f"the share of nodules scored {parameters.score:g} or more exceeds {parameters.at_least:g}"
    if not pairs:
        return no_data(criterion, "nodule", evidence)
    hits, clusters = [n.confidence >= parameters.score for _, n in pairs], [t.cluster for t, _ in pairs]
    held = hold(
        "hot_spots",
        "share of hot spots",
        lambda alpha: clustered_rate(hits, clusters, alpha=alpha),
        alpha=evidence.alpha,
        bound=parameters.at_least,
        side="above",
    )
    return rule([held], evidence, criterion, [t for t, _ in pairs], figure={"kind": "rate"})


HOT_SPOTS = Kind(
    name="hot_spots",
    about="Share of nodules with a high score.",
    parameters=HotSpots,
    ruling=hot_spots,
    title="Hot spots",
    rules={"required": ["at_least"]},
)


def quiet_border(parameters, evidence):
    """Nothing is reported within some pixels of the border."""
    width = parameters["pixels"]
    loud = sum(min(s.finding.box[:2]) < width for t in evidence.own() for s in t.sightings)
    status = Status.PASSED if loud <= parameters["at_most"] else Status.FAILED
    return Ruling(status=status, sentence=f"{status} {loud} findings at the border", criterion="a quiet border")


SCORED = ClaimKind(
    name="scored",
    about="Every example gets any score at all.",
    parameters=type("Scored", (Searched,), {"rate_at_least": rate(), "__annotations__": {"rate_at_least": float}}),
    margin=lambda p, trials: max((n.confidence for n in p.judged(trials[BASE])), default=-1.0),
    words=lambda p: "it gets a score",
)


class Blobs:
    """A detector of bright blobs."""

    identity = Identity("acme", "7")

    def detect(self, radiographs):
        """Return the blobs of each radiograph."""
        return [_blobs(r.pixels) for r in radiographs]


def detector(argument, options):
    """Return the detector."""
    return Blobs()


def _blobs(pixels):
    raised = gaussian_filter(pixels, 2) - gaussian_filter(pixels, 12)
    peaks = np.argwhere((raised == maximum_filter(raised, size=9)) & (raised > 0.02))
    high, wide = pixels.shape
    boxes = [(max(x - 4.0, 0), max(y - 4.0, 0), min(x + 4.0, wide), min(y + 4.0, high)) for y, x in peaks]
    return [Finding(box, min(1.0, float(raised[y, x]) * 12)) for box, (y, x) in zip(boxes, peaks)]


class Discs(GaussianSynthesizer):
    """Discs of another's."""

    identity = Identity("acme-discs", "1")


def synthesizer(argument, options):
    """Return the synthesizer."""
    return Discs()


def _read(path):
    return np.load(path).astype(np.float32), (1.2, 1.2)


NPY = Format("NumPy", (".npy",), _read)
'''

SPEC = """\
synnodtest: 1
title: Of another's
behaviours:
  - id: hot
    statement: Nodules are hot.
    synthesizers: [acme_discs]
    scenes:
      backgrounds: {set: normal, count: 8}
      nodules: [{diameter_mm: 16, contrast: 0.6, location: {region: lung}}]
    expect:
      - hot_spots: {at_least: 0.5}
      - quiet_border: {pixels: 3, at_most: 2}
"""


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Return the folder into which the package was installed, built with the setuptools at hand."""
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "source").mkdir()
    (folder / "source" / "pyproject.toml").write_text(PYPROJECT)
    (folder / "source" / "acme_nodules.py").write_text(MODULE)
    build = "from setuptools import build_meta; build_meta.build_wheel('..')"
    subprocess.run([sys.executable, "-c", build], cwd=folder / "source", check=True, capture_output=True)
    wheel = next(folder.glob("*.whl"))
    with zipfile.ZipFile(wheel) as held:  # of pure Python, so that this installs it
        held.extractall(folder / "target")
    return folder / "target"


@pytest.fixture(scope="module")
def project(installed, tmp_path_factory):
    """Return a folder with radiographs in the package's format, masks and a spec."""
    from PIL import Image

    root = tmp_path_factory.mktemp("project")
    (root / "cxr").mkdir()
    rng = np.random.default_rng(3)
    yy, xx = np.mgrid[:192, :192]
    lung = (((xx - 55) / 30) ** 2 + ((yy - 96) / 60) ** 2 < 1) | (((xx - 137) / 30) ** 2 + ((yy - 96) / 60) ** 2 < 1)
    with (root / "cxr" / "manifest.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["file", "lung_mask", "rotate_deg", "polarity"])  # told, so that no other pose is tried
        for i in range(8):
            pixels = np.where(lung, 0.25, 0.6) + rng.normal(0, 0.004, lung.shape)
            np.save(root / "cxr" / f"c{i}.npy", np.clip(pixels, 0, 1).astype(np.float32))
            for region in REGIONS:  # given, so that none is estimated
                Image.fromarray((lung * 255).astype(np.uint8)).save(root / "cxr" / f"c{i}.{region}.png")
            table.writerow([f"c{i}.npy", f"c{i}.lung.png", 0, "normal"])
    (root / "specs").mkdir()
    (root / "specs" / "hot.yaml").write_text(SPEC)
    (root / "pytest.ini").write_text("[pytest]\n")
    return root


def run(installed, project, *words, module="synnodtest"):
    env = os.environ | {"PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)]), "OMP_NUM_THREADS": "1"}
    env[UNDRAWN] = "1"
    return run_python([module, *words], cwd=project, env=env, timeout=280)


@pytest.fixture(scope="module")
def record(installed, project):
    done = run(
        installed,
        project,
        "specs",
        "--detector",
        "acme",
        "--synthesizer",
        "acme_discs",  # of the nodules that are planted to find out whether it is blind, too: not by diffusion
        "--backgrounds",
        "cxr",
        "-p",
        "no:cacheprovider",
        "--synnod-conform",
        "off",
        "--synnod-no-pixels",
        module="pytest",
    )
    found = list((project / "reports").glob("*/results.json"))
    assert len(found) == 1, done.stdout + done.stderr
    return json.loads(found[0].read_text()) | {"folder": str(found[0].parent), "printed": done.stdout}


def test_the_schema_completes_the_packages_checks_and_claims(installed, project):
    definitions = json.loads(run(installed, project, "schema").stdout)["$defs"]
    assert definitions["expect_hot_spots"]["properties"]["score"]["default"] == 0.6
    assert "hot_spots" in definitions["expectation"]["properties"]
    assert "scored" in definitions["fuzz_expectation"]["properties"]


def test_a_wrong_parameter_is_named_by_line(installed, project):
    path = project / "wrong.yaml"
    path.write_text(SPEC.replace("at_least: 0.5", "at_last: 0.5"))
    said = run(installed, project, "check", "wrong.yaml")
    assert said.returncode == 1
    assert "at_least" in said.stdout + said.stderr
    assert ":11" in said.stdout + said.stderr


def test_the_check_is_planned(installed, project):
    said = run(installed, project, "plan", "specs", "--detector", "acme", "--backgrounds", "cxr")
    assert "hot_spots" in said.stdout, said.stdout + said.stderr


def test_check_detector_synthesizer_and_format_are_judged_and_recorded(record):
    by_kind = {e["kind"]: e for e in record["expectations"]}
    assert by_kind["hot_spots"]["status"] in {"PASSED", "INCONCLUSIVE", "FAILED"}, by_kind["hot_spots"]
    assert by_kind["hot_spots"]["parameters"]["score"] == 0.6
    assert by_kind["hot_spots"]["ruling"]["n_backgrounds"] == 8
    quiet = by_kind["quiet_border"]  # judged, and withheld: this detector marks bright blobs, and hits no nodule
    assert quiet["status"] == "INCONCLUSIVE"
    assert "Without this: PASSED 0 findings at the border" in quiet["ruling"]["notes"]
    text = json.dumps(record["identification"])
    assert '"acme"' in text
    assert '"acme-discs"' in text


def test_the_report_calls_the_check_by_its_title(record):
    page = (Path(record["folder"]) / "report.html").read_text()
    assert "Hot spots" in page


def test_a_kind_that_is_not_installed_any_more_is_still_reported(record, project):
    done = run(Path("/nowhere"), project, "report", record["folder"])
    assert done.returncode == 0, done.stderr
    assert "Hot spots" in (Path(record["folder"]) / "report.html").read_text()
