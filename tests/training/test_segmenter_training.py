"""Training of the segmenter: exact targets, examples that carry them along, and going on after an interruption."""

import numpy as np
import pytest

from synnodtest.backgrounds.segmenter import SIDE, STRUCTURES, forward, framed, read_safetensors
from synnodtest.cli import main
from synnodtest.training import segmenter
from synnodtest.training.segmenter_augment import example
from synnodtest.training.segmenter_data import chests


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("segmenter")


@pytest.fixture(scope="module")
def data(folder):
    return chests(2, folder / "phantoms", lambda text: None)


def test_targets_lie_where_the_anatomy_has_them(data):
    for bits in data.bits:
        planes = {name: (bits >> k) & 1 > 0 for k, name in enumerate(STRUCTURES)}
        centre = {name: np.argwhere(plane).mean(axis=0) for name, plane in planes.items()}
        assert centre["right_lung"][1] < centre["heart"][1] < centre["left_lung"][1]
        assert centre["clavicle"][0] < centre["heart"][0] < centre["abdomen"][0]
        assert not (planes["left_lung"] & planes["right_lung"]).any()
        assert (planes["heart"] & planes["left_lung"]).any()


def test_examples_carry_targets_along_and_differ_each_time(data):
    rng = np.random.default_rng(0)
    drawn = [example(data.pixels[0].astype(np.float32), data.bits[0], rng) for _ in range(6)]
    for picture, target in drawn:
        assert picture.shape == (2, SIDE, SIDE)
        assert target.shape == (len(STRUCTURES), SIDE, SIDE)
        assert np.isfinite(picture).all()
        assert set(np.unique(target)) <= {0.0, 1.0}
        assert target[0].any()
    assert len({picture.tobytes() for picture, _ in drawn}) == 6


def test_finished_phantoms_are_not_made_again(folder, data, monkeypatch):
    monkeypatch.setattr("synnodtest.training.segmenter_data.project", None)
    np.testing.assert_array_equal(chests(2, folder / "phantoms", print).bits, data.bits)


def test_the_command_trains_and_goes_on(folder, data, capsys, monkeypatch):
    pytest.importorskip("torch")
    monkeypatch.setattr(segmenter, "BATCH", 2)
    words = ["train", "segmenter", "--out", str(folder), "--phantoms", "2"]
    assert main([*words, "--minutes", "0.001"]) == 0
    first = read_safetensors(folder / "segmenter.safetensors")
    assert main([*words, "--minutes", "0.001"]) == 0
    for (a, _), (b, _) in zip(first, read_safetensors(folder / "segmenter.safetensors"), strict=True):
        np.testing.assert_array_equal(a, b)
    frame = framed(data.pixels[0].astype(np.float32), (1.0, 1.0))
    assert forward(first, frame.channels).shape == (len(STRUCTURES), SIDE, SIDE)
    assert capsys.readouterr().out.splitlines()[-1].endswith("segmenter.safetensors")
    assert main([*words, "--minutes", "0"]) == 1
