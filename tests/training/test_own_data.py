"""From a synthetic NODE21 folder to verdicts with no manual step: the commands that a user types, in order."""

import importlib.util
import json
import shutil

import numpy as np
import pytest

from synnodtest.cli import main
from synnodtest.datasets import is_held_out
from synnodtest.planning.cases import Case
from synnodtest.planning.variants import variants
from synnodtest.shell.run import Run
from synnodtest.shell.settings import Settings
from synnodtest.spec.loader import load_spec
from tests.extras import needs

from ..backgrounds.radiograph_files import write_png

needs("ultralytics")

SPEC = """
synnodtest: 1
title: Own data
defaults: {operating_point: 0.25}
behaviours:
  - id: found
    statement: Conspicuous nodules are found.
    gate: performance
    scenes:
      backgrounds: {set: normal, count: 4}
      nodules: [{diameter_mm: 25, contrast: 0.6, location: {region: lung}}]
    expect: [{sensitivity: {at_least: 0.5}}]
"""


@pytest.mark.filterwarnings("default")
def test_phantom_convert_train_evaluate_specs(node21, trained, tmp_path, capsys):
    coco, run, figures = trained / "coco", trained / "run", tmp_path / "figures.json"
    words = [
        "--detector",
        str(run / "best.pt"),
        "--data",
        str(coco),
        "--split",
        "all",
        "--resamples",
        "100",
        "--out",
        str(figures),
    ]
    assert main(["evaluate", "detector", *words]) == 0
    (figure,) = json.loads(figures.read_text()).values()
    assert figure["images"] == 10
    assert set(figure["by_region"]) >= {"lung", "left_lung", "right_lung"}
    assert figure["in_training"], "images that were trained on are named"
    assert "figures on it are no test" in capsys.readouterr().err
    (tmp_path / "spec.yaml").write_text(SPEC)
    spec = load_spec(tmp_path / "spec.yaml")
    (behaviour,) = spec.behaviours
    (variant,) = variants(behaviour, behaviour.expectations[0])
    judge = Run(Settings(tmp_path, str(run / "best.pt"), "gaussian", node21, cache=tmp_path / "cache"))
    case = Case("found", spec, behaviour, variant)
    assert judge.rule(case, judge.gather(case)).ruling.status.name in ("PASSED", "FAILED", "INCONCLUSIVE")


def test_too_few_patients_for_a_split_are_said_so(tmp_path, capsys):
    write_png(tmp_path / "c.png", np.random.default_rng(0).integers(0, 4096, (64, 64)).astype(np.uint16))
    (tmp_path / "boxes.csv").write_text("file,x,y,width,height\nc.png,5,5,9,9\n")
    (tmp_path / "manifest.csv").write_text("file,mm_per_px_x,mm_per_px_y\nc.png,1,1\n")
    assert not is_held_out("c")
    assert main(["evaluate", "detector", "--detector", "demo", "--data", str(tmp_path)]) == 1
    assert main(["train", "detector", "--data", str(tmp_path), "--out", str(tmp_path / "out")]) == 1
    said = capsys.readouterr().err
    assert "no image belongs to the split 'test'" in said
    assert "none is held out" in said
    assert main(["train", "detector", "--data", str(tmp_path), "--out", str(tmp_path / "out"), "--blend", "0.5"]) == 1
    assert "add --planted" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        (lambda base: (base / "images" / "n0002.mha").unlink(), r"metadata.csv:4: .*n0002.mha is not there"),
        (lambda base: cut(base / "images" / "n0002.mha"), r"n0002.mha: truncated"),
        (lambda base: swap(base / "metadata.csv"), r"metadata.csv:2: "),
    ],
)
def test_a_broken_folder_is_named_by_file_and_line(node21, tmp_path, capsys, fault, message):
    folder = tmp_path / "node21"
    shutil.copytree(node21, folder)
    base = folder / "cxr_images" / "proccessed_data"
    lines = (base / "metadata.csv").read_text().splitlines()
    place = next(k for k, line in enumerate(lines, start=1) if "n0002.mha" in line)
    fault(base)
    assert main(["data", "convert", str(folder), str(tmp_path / "out"), "--to", "coco"]) == 1
    said = capsys.readouterr().err
    expected = message.replace("metadata.csv:4", f"metadata.csv:{place}")
    assert all(part in said for part in expected.split(".*")), said


def cut(path):
    path.write_bytes(path.read_bytes()[:-500])


def swap(table):
    """Write x where the label belongs, as if two columns had changed places."""
    head, *rows = table.read_text().splitlines()
    columns = head.split(",")
    x, label = columns.index("x"), columns.index("label")
    made = []
    for row in rows:
        cells = row.split(",")
        cells[x], cells[label] = cells[label], cells[x]
        made.append(",".join(cells))
    table.write_text("\n".join([head, *made]))


def test_too_few_resamples_are_refused_before_anything_is_read(tmp_path, capsys):
    words = ["--detector", "demo", "--data", str(tmp_path / "absent"), "--resamples", "99"]
    assert main(["evaluate", "detector", *words]) == 1
    assert "--resamples 99: bounds take at least 100" in capsys.readouterr().err


def test_planted_training_without_torch_names_the_extra_that_brings_it(tmp_path, monkeypatch, capsys):
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "torch" else find(name, *more))
    assert main(["train", "detector", "--out", str(tmp_path), "--planted"]) == 1
    assert "pip install 'synnodtest[yolo]'" in capsys.readouterr().err
