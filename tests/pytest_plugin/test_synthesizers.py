"""One behaviour on several synthesizers: a verdict stands only where they agree."""

import json

import numpy as np
import pytest

from synnodtest.planning.cases import Case
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec
from tests.extras import installed
from tests.synthesizers.conftest import write_mha

SPEC = """\
synnodtest: 1
title: Two synthesizers
behaviours:
  - id: seen
    statement: Nodules are found.
    synthesizers: [{first}, "{second}"]
    scenes:
      backgrounds: {{set: normal, count: {count}}}
      nodules:
        - {{diameter_mm: 16, contrast: 0.5, location: {{region: lung}}}}
    expect:
      - sensitivity: {{at_least: {at_least}}}
"""

FAINT = """\
from dataclasses import replace
from synnodtest.synthesizers.gaussian import GaussianSynthesizer


def make():
    def synthesize(scenes, backgrounds):
        faint = [replace(s, nodules=tuple(replace(n, contrast=0.3) for n in s.nodules)) for s in scenes]
        made = GaussianSynthesizer().synthesize(faint, backgrounds)
        return [
            replace(r, nodules=tuple(replace(t, requested={**t.requested, "contrast": 0.5}) for t in r.nodules))
            for r in made
        ]

    return synthesize
"""

PICKY = """\
from dets import honest


def make():
    return honest(gain=7)  # 0.32 of a contrast of 0.5, 0.19 of one of 0.3
"""


def ct_folder(folder):
    (folder / "nodule_patches").mkdir(parents=True)
    z, y, x = np.mgrid[-20:20, -20:20, -20:20]
    rows = [",img_name,diameter"]
    for index, diameter in enumerate((12, 16, 20)):
        inside = z**2 + y**2 + (x / 1.1) ** 2 <= (diameter / 2) ** 2
        name = f"series{index}_dcm_{index}.mha"
        write_mha(folder / "nodule_patches" / name, np.where(inside, 40, -850).astype(np.int16))
        write_mha(folder / "nodule_patches" / name.replace("_dcm_", "_seg_"), inside.astype(np.uint8))
        rows.append(f"{index},{name},{diameter}.0")
    (folder / "ct_nodules.csv").write_text("\n".join(rows) + "\n")


def judged(project, first, second, *, count=8, at_least=0.6, **options):
    text = SPEC.format(first=first, second=second, count=count, at_least=at_least)
    (project.path / "specs" / "small.yaml").write_text(text)
    project("--synnod-no-pixels", **options)
    (run,) = (project.path / "reports").iterdir()
    record = json.loads((run / "results.json").read_text())
    (expectation,) = record["expectations"]
    return record, expectation


@pytest.mark.skipif(not installed("diffusers"), reason="diffusers is not installed")
def test_diffusion_and_projected_ct_nodules_agree_on_an_honest_detector(project):
    """In this process: torch, which a new one would load, takes longer than the run, and other tests need it too."""
    ct_folder(project.path / "ct")
    path = project.path / "specs" / "small.yaml"
    path.write_text(SPEC.format(first="diffusion", second="ct-patch:ct", count=4, at_least=0.3))
    spec = load_spec(path)
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    case, cache = Case("seen", spec, behaviour, variant), project.path / ".synnodtest"
    detector = f"{project.path / 'dets.py'}:honest"
    run = Run(Settings(project.path, detector, "gaussian", project.path / "cxr", cache=cache, conform="off"))
    gathered = run.rule(case, run.gather(case))
    assert [scene.synthesizer for scene in run.fragment.scenes.values()].count("diffusion") == 4
    assert [scene.synthesizer for scene in run.fragment.scenes.values()].count("ct-patch") == 4
    assert gathered.ruling.status.name == "PASSED", gathered.ruling.sentence
    assert {name: ruling.status.name for name, ruling in gathered.rulings.items()} == {
        "diffusion": "PASSED",
        "ct-patch:ct": "PASSED",
    }
    assert run.campaign.tally().synthesized == len(run.fragment.scenes) == 8


def test_a_detector_that_misses_the_nodules_of_one_synthesizer_gets_no_verdict(project):
    (project.path / "faint.py").write_text(FAINT)
    (project.path / "picky.py").write_text(PICKY)
    _, expectation = judged(project, "gaussian", "faint.py:make", detector="picky:make")
    assert expectation["status"] == "INCONCLUSIVE"
    assert "depends on the synthesizer" in expectation["ruling"]["sentence"]
    assert {name: r["status"] for name, r in expectation["by_synthesizer"].items()} == {
        "gaussian": "PASSED",
        "faint.py:make": "FAILED",
    }
