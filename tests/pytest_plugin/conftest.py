"""A small user's project: radiographs with masks, a spec, detectors of known vices."""

import os
import shutil
from pathlib import Path

import numpy as np
import numpy.fft  # pytester forgets what a test loads, and this cannot be loaded twice
import pytest
from PIL import Image

from synnodtest.backgrounds.estimated_regions import REGIONS
from tests.remembered import UNDRAWN
from tests.shared_folders import shared_folder
from tests.warm_python import run_python

BACKGROUNDS = 16
DRAWN = {
    "lung": np.s_[20:108, 40:112],
    "right_lung": np.s_[20:108, 40:76],
    "left_lung": np.s_[20:108, 76:112],
    "air_leak": np.s_[20:108, 8:38],
    "hilar": np.s_[40:60, 50:70],
}
"""Rows and columns of regions; all others lie where the hilar one does."""

SPEC = """\
synnodtest: 1
title: Small
defaults:
  operating_point: 0.25
behaviours:
  - id: size
    statement: A larger nodule receives a higher confidence.
    requirement: [SRS-1]
    hazard: [HAZ-1]
    tags: [sizes]
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - diameter_mm: {sweep: [6, 9, 12, 16, 20]}
          contrast: 0.5
          location: {region: lung}
          hold: [location, seed]
    expect:
      - monotone: {response: confidence, over: diameter_mm, direction: increasing, min_spearman: 0.5, max_drop: 0.1}
      - sensitivity: {where: {diameter_mm: {at_least: 9}}, at_least: 0.65}
      - false_positives_per_image: {at_most: 1.0}
  - id: leak
    statement: Nothing is reported in an air leak.
    gate: safety
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - diameter_mm: {uniform: [8, 12]}
          contrast: 0.5
          location: {region: air_leak}
    expect:
      - no_detection: {region: air_leak, at_most: 0.3}
"""

DETECTORS = '''\
"""Detectors of known vices."""
import numpy as np
from scipy.ndimage import gaussian_filter, maximum_filter
from synnodtest import Finding


def _box(radiograph, row, column, half=4):
    height, width = radiograph.shape
    return (max(column - half, 0.0), max(row - half, 0.0), min(column + half, width), min(row + half, height))


def honest(gain=20):
    """Finds the brightest blob outside air leaks; its score grows with the blob's size."""

    def detect(radiographs):
        found = []
        for radiograph in radiographs:
            flat = radiograph.pixels - np.median(radiograph.pixels, axis=1, keepdims=True)
            smooth = gaussian_filter(flat, 3.0)
            row, column = np.unravel_index(int(smooth.argmax()), smooth.shape)
            excess = float(smooth[row, column])
            leak = radiograph.regions.get("air_leak")
            quiet = leak is not None and leak[row, column]
            score = min(1.0, excess * gain)
            found.append([] if quiet or score < 0.05 else [Finding(_box(radiograph, float(row), float(column)), score)])
        return found

    return detect


def silent():
    return lambda radiographs: [[] for _ in radiographs]


def everywhere():
    def detect(radiographs):
        grid = [(float(r), float(c)) for r in range(8, 120, 8) for c in range(8, 120, 8)]
        return [[Finding(_box(x, r, c), 0.9) for r, c in grid] for x in radiographs]

    return detect


class Crashing:
    def __init__(self):
        self.images = 0
        self.inner = honest()

    def detect(self, radiographs):
        self.images += len(radiographs)
        if self.images >= 3:
            raise ValueError("out of memory")
        return self.inner(radiographs)


def crashing():
    return Crashing()


def backwards():
    inner = honest()
    return lambda radiographs: inner(radiographs)[::-1]


def eight_bits():
    from dataclasses import replace

    inner = honest(2)
    return lambda rs: inner([replace(r, pixels=np.rint(r.pixels * 255).astype(np.float32) / 255) for r in rs])


def nan():
    return lambda radiographs: [[Finding((1.0, 1.0, 5.0, 5.0), float("nan"))] for _ in radiographs]
'''


KEPT = ("readings", "figures", "pictures", "explore")
"""What a store keeps of reading and drawing."""
OPTIONS = ["-p", "no:randomly", "--synthesizer", "gaussian", "--backgrounds", "cxr", "--synnod-conform", "off"]
OFTEN = (
    ("dets:honest",),
    *((f"dets:{name}", "-k", "size and sensitivity") for name in ("honest", "silent")),
    ("dets:honest", "-k", "leak"),
    ("dets:honest", "-k", "size and sensitivity", "--synnod-limit", "3"),
)
"""What tests run again and again, so that its scenes, findings and drawings are worth keeping."""


def write_project(folder):
    """Write ``cxr/``, ``specs/small.yaml`` and ``dets.py``."""
    write_radiographs(folder / "cxr")
    (folder / "specs").mkdir()
    (folder / "specs" / "small.yaml").write_text(SPEC)
    (folder / "dets.py").write_text(DETECTORS)
    (folder / "pytest.ini").write_text("[pytest]\ntestpaths = specs\n")


def often_run(tmp_path_factory):
    """Run a project as tests that use :func:`project` do most; return its store, with all scenes and findings."""

    def fill(folder):
        write_project(folder)
        environment = os.environ | {"PYTHONPATH": f"{Path(__file__).parents[2]}", "OMP_NUM_THREADS": "1", UNDRAWN: "1"}
        for words in OFTEN:
            run_python(["pytest", "--detector", *words, *OPTIONS], cwd=folder, env=environment, timeout=280)

    return shared_folder(tmp_path_factory, "often", fill) / ".synnodtest"


def run_pytest(*words, timeout=280, start=run_python):
    """Run pytest in the current folder in a process of its own; return what ``pytester.run`` does.

    Drawings in its report are empty, unless another ``start`` is given.
    """
    here = Path.cwd()
    path = os.pathsep.join(filter(None, [str(here), os.environ.get("PYTHONPATH")]))
    done = start(["pytest", *words], cwd=here, env=os.environ | {"PYTHONPATH": path, UNDRAWN: "1"}, timeout=timeout)
    print(done.stdout, done.stderr)
    return pytest.RunResult(done.returncode, done.stdout.splitlines(), done.stderr.splitlines(), 0.0)


@pytest.fixture
def project(pytester, monkeypatch, tmp_path_factory, read_before):
    """A folder with ``cxr/``, ``specs/small.yaml`` and ``dets.py``; returns the function that runs pytest in it.

    What runs of it make again and again is in its store. ``project.forget()`` leaves in it what was read and drawn, for
    tests of what a run makes, and how often.
    """
    monkeypatch.setenv("PYTHONPATH", f"{Path(__file__).parents[2]}")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv(UNDRAWN, "1")
    made, store = often_run(tmp_path_factory), pytester.path / ".synnodtest"
    _share(made.with_name("cxr"), pytester.path / "cxr")
    shutil.copytree(made.with_name("specs"), pytester.path / "specs")
    for file in ("dets.py", "pytest.ini"):
        shutil.copy(made.with_name(file), pytester.path)
    store.mkdir()
    _share(made / "v1", store / "v1")

    def forget():
        shutil.rmtree(store / "v1")
        _share(read_before / "v1", store / "v1")

    def run(*words, detector="dets:honest", backgrounds="cxr", conform="off", start=run_python):
        options = ["--synthesizer", "gaussian", "--backgrounds", backgrounds, "--synnod-conform", conform]
        options += ["--detector", detector] if detector else []
        return run_pytest("-p", "no:randomly", *words, *options, start=start)

    run.path = pytester.path
    run.pytester = pytester
    run.forget = forget
    return run


def _share(made, folder):
    """Let a folder begin as another, by links to its files: nobody writes into radiographs or entries of a store."""
    os.mkdir(folder)  # by text alone: a store holds 1,500 files and folders, and paths take as long as the disk
    for held in os.scandir(made):
        (_share if held.is_dir() else os.link)(held.path, f"{folder}/{held.name}")


def write_radiographs(folder, count=BACKGROUNDS):
    """Write radiographs with a mask of every region, so that none is estimated, which takes a second each."""
    folder.mkdir()
    drawn = {name: np.zeros((128, 128), np.uint8) for name in (*REGIONS, "air_leak")}
    for name, mask in drawn.items():
        rows, columns = DRAWN.get(name, DRAWN["hilar"])
        mask[rows, columns] = 255
    rows = ["file,patient,mm_per_px_x,mm_per_px_y,sex,rotate_deg,polarity"]  # told, so that no other pose is tried
    for i in range(count):
        rng = np.random.default_rng(i)
        ramp = np.linspace(9000.0, 18000.0, 128)[:, None]
        pixels = ramp + 200 * rng.standard_normal((128, 128))
        Image.fromarray(pixels.astype(np.uint16)).save(folder / f"r{i:02d}.png")
        for name, mask in drawn.items():
            Image.fromarray(mask).save(folder / f"r{i:02d}.{name}.png")
        rows.append(f"r{i:02d}.png,p{i:02d},1.0,1.0,{'FM'[i % 2]},0,normal")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
