"""Experiments on real and synthetic nodules: each side against a detector whose answers are known beforehand."""

import hashlib
import json

import numpy as np
import pytest
from PIL import Image

from synnodtest.annotated.dataset_set import DatasetSet
from synnodtest.cli import main

IMAGES, EACH = 12, 3


@pytest.fixture(scope="module")
def annotated(tmp_path_factory):
    """Twelve noisy pictures with three boxes each, of 36 sizes; and two without."""
    folder = tmp_path_factory.mktemp("annotated")
    rng = np.random.default_rng(0)
    sizes = rng.permutation(np.linspace(5, 38, IMAGES * EACH)).reshape(IMAGES, EACH)  # mm; 2 mm per pixel
    rows, manifest = ["file,x_min,y_min,x_max,y_max"], ["file,mm_per_px_x,mm_per_px_y,bits,rotate_deg,polarity"]
    for index in range(IMAGES + 2):
        name = f"r{index:02}.png"
        Image.fromarray(rng.integers(0, 65536, (128, 128)).astype(np.uint16)).save(folder / name)
        manifest.append(f"{name},2,2,16,0,normal")
        if index >= IMAGES:
            rows.append(f"{name},,,,")
            continue
        for place, size in enumerate(sizes[index]):
            left, side = 10 + 40 * place, size / 2
            rows.append(f"{name},{left},{left},{left + side},{left + side}")
    (folder / "boxes.csv").write_text("\n".join(rows))
    (folder / "manifest.csv").write_text("\n".join(manifest))
    return folder


def know(chests, annotated, answer):
    """Let the detector give ``answer(diameter_mm, number)`` as score of each annotated box; None for no finding."""
    data, known, number = DatasetSet(annotated), {}, 0
    for case in data.cases:
        radiograph = data.load(case)
        key = hashlib.sha256(radiograph.pixels.tobytes()).hexdigest()
        for truth in radiograph.nodules:
            score = answer(truth.diameter_mm, number)
            number += 1
            if score is not None:
                known.setdefault(key, []).append([list(truth.requested["annotated_box"]), score])
    (chests.parent / "answers.json").write_text(json.dumps(known))


class TestAveragePrecision:
    @pytest.mark.parametrize(("every", "expected"), [(1, 1.0), (2, 51 / 101)])
    def test_it_is_that_of_the_boxes_known_and_nothing_on_the_other_side(self, run, chests, annotated, every, expected):
        """COCO reads precision at 101 recalls: half of the boxes without a false positive reach 51 of them."""
        know(chests, annotated, lambda size, number: 0.9 if number % every == 0 else None)
        told = run("average-precision", "knowing", "--data", str(annotated), "--split", "all")["results"]
        assert told["real"]["nodules"] == IMAGES * EACH
        assert told["real"]["images"] == IMAGES + 2
        assert told["real"]["average_precision"]["at_0.50"]["value"] == pytest.approx(expected, abs=1e-6)
        assert told["real"]["average_precision"]["at_0.50"]["upper"] >= expected - 1e-6
        assert told["synthetic"]["nodules"] > 0
        assert told["synthetic"]["average_precision"]["at_0.50"]["value"] == 0

    def test_ct_nodules_stand_for_real_ones_and_limit_holds_for_both(self, run, chests, ct_folder, tmp_path):
        words = [
            "--ct-patches",
            str(ct_folder),
            "--split",
            "all",
            "--limit",
            "2",
            "--synthesizer",
            f"ct-patch:{ct_folder}",
        ]
        record = run("average-precision", "silent", *words, "--backgrounds", str(chests / "normal"))
        told = record["results"]
        assert [told[side]["images"] for side in ("real", "synthetic")] == [8, 8]
        assert [told[side]["data"] for side in ("real", "synthetic")] == ["ct-normal", "ct-patch"]
        for side in told.values():
            assert side["made_of"]["synthesizer"]["name"] == "ct-patch"
            assert side["made_of"]["backgrounds"]["name"]
        assert all(told[side]["average_precision"]["at_0.50"]["value"] == 0 for side in told)
        assert all((tmp_path / "out" / file).stat().st_size > 1000 for file in record["figures"])

    def test_a_set_without_nodules_has_no_average_precision(self, run_fails, annotated, tmp_path):
        table = (annotated / "boxes.csv").read_text().splitlines()
        only = tmp_path / "only"
        only.mkdir()
        for name in ("r12.png", "r13.png", "manifest.csv"):
            (only / name).write_bytes((annotated / name).read_bytes())
        (only / "boxes.csv").write_text("\n".join([table[0], *table[-2:]]))
        assert "none with a nodule" in run_fails("average-precision", "--data", str(only), "--split", "all")


class TestCorrelation:
    def test_each_side_has_its_own(self, run, chests, annotated, tmp_path):
        """Scores that fall with size on the real side, and none at all on the other."""
        know(chests, annotated, lambda size, number: 1 - size / 50)
        record = run("correlation", "knowing", "--data", str(annotated), "--split", "all", "--scenes", "12")
        told = record["results"]
        assert told["real"]["nodules"] == IMAGES * EACH
        assert told["real"]["spearman"]["value"] == pytest.approx(-1)
        assert told["real"]["spearman"]["clusters"] == IMAGES
        assert (told["synthetic"]["nodules"], told["synthetic"]["excluded"]) == (12, 0)
        assert told["synthetic"]["spearman"]["value"] == 0
        assert all((tmp_path / "out" / file).stat().st_size > 1000 for file in record["figures"])

    @pytest.mark.usefixtures("undrawn")
    def test_its_synthetic_side_is_what_size_has_done(self, run, chests, annotated):
        know(chests, annotated, lambda size, number: 0.5)
        run("size", "knowing", "--scenes", "12")
        words = ["--data", str(annotated), "--split", "all", "--scenes", "12"]
        done = run("correlation", "knowing", *words)["done_before"]
        assert done["from_cache"] == done["scenes"] >= 12

    def test_thirty_nodules_are_the_least(self, run_fails, annotated):
        words = ["--data", str(annotated), "--split", "all", "--nodules", "29", "--scenes", "6"]
        assert "a correlation needs 30" in run_fails("correlation", *words)

    def test_a_split_that_holds_nothing_is_named(self, run_fails, chests, ct_folder):
        words = ["--ct-patches", str(ct_folder), "--backgrounds", str(chests / "normal"), "--scenes", "6"]
        assert "no CT series belongs to the split 'test'" in run_fails("correlation", *words)


@pytest.fixture
def run_fails(chests, tmp_path, capsys):
    """Return the command for what ends in an error, whose text it returns."""

    def failing(name, *more):
        words = ["paper", name, "--detector", f"{chests.parent / 'det.py'}:silent", "--synthesizer", "gaussian"]
        words += ["--backgrounds", str(chests), "--limit", "3", *more]
        assert main([*words, "--out", str(tmp_path / "out"), "--cache", str(tmp_path / "cache")]) == 1
        return capsys.readouterr().err

    return failing
