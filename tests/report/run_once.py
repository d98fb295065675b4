"""One real run for the whole folder: a project under git with frozen specs that hold every kind of expectation."""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

from synnodtest.cli import main
from synnodtest.integrity import ledger
from tests.pytest_plugin.conftest import DETECTORS, SPEC, write_radiographs
from tests.warm_python import run_python

PAIRED = """\
  - id: companion
    statement: A second nodule does not hide the first.
    gate: safety
    hazard: [HAZ-2]
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {name: index, diameter_mm: {uniform: [10, 16]}, contrast: 0.5, location: {region: lung}}
        - {name: companion, diameter_mm: 14, contrast: 0.5, location: {region: lung, min_distance_mm: 30}}
      arms:
        single: {nodules: [index]}
        double: {nodules: [index, companion]}
    expect:
      - non_inferior: {metric: sensitivity, of: index, arm: double, reference: single, margin: 0.1}
"""
EVERY = """\
synnodtest: 1
title: Every kind
defaults:
  operating_point: 0.25
behaviours:
  - id: alone
    statement: One nodule on each background.
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {diameter_mm: {uniform: [5, 18]}, contrast: 0.5, location: {region: lung}}
    expect:
      - specificity: {at_least: 0.1}
      - detected: {rate_at_least: 0.2}
      - sensitivity: {id: strict, matching: {criterion: iou, at_least: 0.45}, at_least: 0.1}
      - correlation: {over: diameter_mm, at_least: 0.0}
      - parity: {across: {sex: [F, M]}, margin: 0.6}
      - localization: {id: fit, metric: iou, at_least: 0.2}
      - localization: {id: place, metric: distance_mm, at_most: 4}
      - froc: {at_least: 0.3, at_false_positives_per_image: 0.25}
      - average_precision: {at_least: 0.3}
      - auc: {at_least: 0.6}
      - afroc: {at_least: 0.51}
      - calibration: {at_most: 0.5, bins: 2}
      - invariant: {under: {flip: horizontal}, margin: 0.3}
  - id: steps
    statement: Five sizes at one place.
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {diameter_mm: {sweep: [5, 7, 9, 12, 16]}, contrast: 0.5, location: {region: lung}, hold: [location, seed]}
    expect:
      - correlation: {over: diameter_mm, at_least: 0.1}
      - size_at_sensitivity: {level: 0.5, at_most: 15}
  - id: blurred
    statement: Blur takes something away.
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {name: index, diameter_mm: {uniform: [8, 16]}, contrast: 0.5, location: {region: lung}}
      arms:
        sharp: {nodules: [index]}
        blurred: {nodules: [index], perturbations: [{blur: 1.5}]}
    expect:
      - superior: {of: index, arm: sharp, reference: blurred, margin: 0.0}
      - equivalent: {id: confidences, of: index, arm: blurred, reference: sharp, metric: confidence, margin: 0.2}
      - equivalent: {id: alarms, arm: blurred, reference: sharp, metric: false_positives_per_image, margin: 0.5}
  - id: one-by-one
    statement: Evidence is looked at background by background.
    sampling: {sequential: true, max_scenes: 16}
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {diameter_mm: {uniform: [12, 18]}, contrast: 0.5, location: {region: lung}}
    expect:
      - sensitivity: {at_least: 0.3}
      - specificity: {at_least: 0.95}
      - detected: {rate_at_least: 0.2}
  - id: pair-by-pair
    statement: Evidence on pairs is looked at background by background.
    sampling: {sequential: true, max_scenes: 32}
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {name: index, diameter_mm: {uniform: [10, 18]}, contrast: 0.5, location: {region: lung}}
      arms:
        sharp: {nodules: [index]}
        blurred: {nodules: [index], perturbations: [{blur: 1.5}]}
    expect:
      - non_inferior: {of: index, arm: sharp, reference: blurred, margin: 0.7}
      - superior: {of: index, arm: sharp, reference: blurred, margin: 0.6}
  - id: own-words
    statement: A function of the user's judges.
    scenes:
      backgrounds: {set: normal, count: 16}
      nodules:
        - {diameter_mm: {uniform: [5, 18]}, contrast: 0.5, location: {region: lung}}
    expect:
      - python: {id: numbers, function: "dets:mean_confidence", where: {diameter_mm: {at_least: 9}}, with: {bound: 0.1}}
      - python: {id: words, function: "dets:finds_most"}
  - id: searched
    statement: A nodule is found wherever it lies.
    fuzz:
      vary: {diameter_mm: [8, 14], location: {region: lung}}
      fixed: {contrast: 0.6}
      examples: 4
      replicates: 2
      backgrounds: {set: normal, count: 6}
    expect:
      - detected: {rate_at_least: 0.95}
"""
BRIEFLY = """\
from synnodtest.fuzzing import investigation, shrink

investigation.DESCRIBED, investigation.MOST_WALKED = 10, 8
shrink.TOLERANCE, shrink.PASSES = 400, 1
# scenes around a counterexample and on the way to it, of which no test here tells
"""
SHAKY = '''

def shaky():
    """Misses at random, raises false alarms at random, both by the pixels."""
    inner = honest()

    def detect(radiographs):
        found = []
        for radiograph, findings in zip(radiographs, inner(radiographs), strict=True):
            rng = np.random.default_rng(int(np.abs(radiograph.pixels).sum() * 1e4) % 2**32)
            mine = [f for f in findings if rng.random() < 0.8]
            if rng.random() < 0.4:
                row, column = rng.uniform(30, 90, 2)
                mine.append(Finding(_box(radiograph, float(row), float(column)), float(rng.uniform(0.2, 0.6))))
            found.append(mine)
        return found

    return detect


def mean_confidence(evidence, bound):
    """Judge by the mean confidence; the least and the largest are shown."""
    from synnodtest.evidence.ruling import Component, Ruling, Status

    seen = [n.confidence for t in evidence.own() for n in t.nodules]
    value = float(np.mean(seen))
    status = Status.PASSED if value > bound else Status.FAILED
    part = Component("mean", "mean confidence", value, min(seen), max(seen), bound, "above", status, "range",
                     min(seen), max(seen), role="shown", unit="score")
    return Ruling(status, f"{status} mean confidence {value:.4f}", "the mean confidence is high", (part,), len(seen),
                  len({t.background for t in evidence.own()}), len({t.cluster for t in evidence.own()}), evidence.alpha)


def finds_most(evidence):
    """Say how many are found, and how many false alarms there are on untouched radiographs."""
    hits = [n.detected(evidence.operating_point) for t in evidence.own() for n in t.nodules]
    alarms = sum(t.false_positives_at(evidence.operating_point) for t in evidence.untouched())
    return sum(hits) > 1, f"{sum(hits)} of {len(hits)} found, {alarms} false alarms"


def faint():
    """Like shaky, but of lower scores the smaller the nodule, with faint findings and duplicates besides."""
    inner = shaky()

    def detect(radiographs):
        found = []
        for radiograph, findings in zip(radiographs, inner(radiographs), strict=True):
            rng = np.random.default_rng(int(np.abs(radiograph.pixels).sum() * 1e3) % 2**32)
            mine = [Finding(f.box, f.score * float(rng.uniform(0.3, 1.0))) for f in findings]
            for f in findings:
                if rng.random() < 0.5:
                    x0, y0, x1, y1 = f.box
                    mine.append(Finding((x0, y0, x1 - 1, y1 - 1), f.score * 0.2))
            row, column = rng.uniform(30, 90, 2)
            mine.append(Finding(_box(radiograph, float(row), float(column)), float(rng.uniform(0.001, 0.03))))
            found.append(mine)
        return found

    return detect
'''


def git(root, *words):
    """Run git in a folder."""
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *words], cwd=root, check=True, capture_output=True)


def pytest_in(root, *words, specs="specs", detector="dets:faint"):
    """Run pytest with the plugin in a project; return what it printed."""
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[2]), "OMP_NUM_THREADS": "1"}
    environment |= {"GITHUB_ACTIONS": "true"}
    options = ["--synthesizer", "gaussian", "--backgrounds", "cxr", "--detector", detector, "-p", "no:randomly"]
    command = ["pytest", specs, *options, "--synnod-conform", "off", *words]
    return run_python(command, cwd=root, env=environment, timeout=500).stdout


def newest(root):
    """Return the folder of the newest run of a project."""
    return max((root / "reports").iterdir(), key=lambda p: p.name)


def make_project(root):
    """Write a project, freeze its specs, run it; return the folder of the run.

    Its report has no pictures, of which it would have hundreds.
    """
    write_radiographs(root / "cxr")
    (root / "specs").mkdir()
    (root / "specs" / "small.yaml").write_text(SPEC.replace("min_spearman: 0.5", "min_spearman: 0.8") + PAIRED)
    (root / "specs" / "every.yaml").write_text(EVERY)
    (root / "dets.py").write_text(DETECTORS + SHAKY)
    (root / "pytest.ini").write_text("[pytest]\n")
    (root / "conftest.py").write_text(BRIEFLY)
    (root / "requirements.csv").write_text("id,title\nSRS-1,Size\nSRS-2,Unloved\n")
    (root / ".gitignore").write_text("__pycache__/\n.pytest_cache/\n")
    git(root, "init", "-q")
    sys.modules.pop("dets", None)  # other projects here have one too
    with contextlib.chdir(root), contextlib.redirect_stdout(io.StringIO()):
        main(["freeze"])
    git(root, "add", "-A")
    git(root, "commit", "-q", "-m", "frozen")
    ledger.begin(root / ledger.FILE_NAME, "killed-before", specs=[spec_sha(root)], seed=3)
    (root / ".git" / "said.txt").write_text(pytest_in(root, "--junitxml", ".git/junit.xml", "--synnod-no-pixels"))
    return newest(root)


def spec_sha(root):
    """Return the sha256 of the small spec as it was frozen."""
    return json.loads((root / "synnodtest.lock").read_text())["specs"]["specs/small.yaml"]["sha256"]


def articles(page):
    """Return the text of every expectation's article in section 8, by node id."""
    found = {}
    for part in re.findall(r'<article id="e\d+".*?</article>', page, re.S):
        node = re.search(r"<dt>Node</dt><dd><code><bdi>(.*?)</bdi>", part)[1]
        found[node] = " ".join(re.sub(r"<[^>]+>", " ", part).split())
    return found
