"""Copies of training nodules are told, nodules of other people are not, and nearest crops are the nearest."""

import numpy as np
import pytest
from scipy import ndimage

from synnodtest.cli import main
from synnodtest.evaluation.memorisation import EDGE, copies, crops_of, distances_to

SIZE = 96


def blob(rng, diameter_mm):
    """A lumpy shadow of about this diameter, as a window of brightness."""
    y, x = np.mgrid[:SIZE, :SIZE] - SIZE / 2
    radius = diameter_mm / 0.7 / 2
    angle = np.arctan2(y, x)
    edge = radius * (1 + sum(rng.normal(0, 0.22 / k) * np.cos(k * angle + rng.uniform(0, 6)) for k in (2, 3, 4, 5)))
    lumps = ndimage.gaussian_filter(rng.normal(size=(SIZE, SIZE)), radius / 3)
    body = np.clip(1 - np.hypot(x, y) / np.maximum(edge, 1), 0, None) * (1 + 0.5 * lumps / lumps.std())
    return np.maximum(body, 0).astype(np.float32)


def sample(seed, count):
    rng = np.random.default_rng(seed)
    sizes = rng.uniform(8, 30, count)
    return [blob(rng, d) for d in sizes], list(sizes), [f"b{k}" for k in range(count)]


@pytest.fixture(scope="module")
def stock():
    windows, sizes, names = sample(0, 300)
    return windows, crops_of(windows, sizes, names), crops_of(*sample(1, 300))


def test_nodules_of_others_are_no_copies_and_the_control_is_told(stock):
    windows, training, real = stock
    found = copies(crops_of(*sample(2, 200)), real, training, windows)
    assert found["n"] == 200
    assert found["copies"] <= 8  # 2 expected by chance
    assert found["interval_95"][0] <= found["share"] <= found["interval_95"][1]
    assert found["control"]["told"] >= 0.8 * found["control"]["n"]


def test_a_share_of_copies_is_found_whatever_their_brightness_turn_and_place(stock):
    windows, training, real = stock
    fresh, sizes, names = sample(3, 100)
    for k in range(40):
        moved = np.roll(np.rot90(windows[k], k % 4), (k % 5, -(k % 3)), axis=(0, 1)) * (0.05 + 0.01 * k)
        fresh[k], sizes[k] = moved[:, ::-1] if k % 2 else moved, float(training.diameter_mm[k])
    found = copies(crops_of(fresh, sizes, names), real, training, windows)
    assert 38 <= found["copies"] <= 46
    assert found["interval_95"][0] > 0.25


def test_the_nearest_training_crop_against_brute_force(stock):
    _, training, real = stock
    far, nearest = distances_to(real, training)
    for k in range(0, 300, 60):
        image = real.shapes[k].reshape(EDGE, EDGE)
        turned = [np.rot90(i, t).ravel() for i in (image, image[:, ::-1]) for t in range(4)]
        every = np.array([[np.linalg.norm(t - s) for s in training.shapes] for t in turned])
        assert far[k] == pytest.approx(every.min(), abs=1e-3)
        assert nearest[k] == every.min(axis=0).argmin()


def test_windows_to_which_nothing_was_added_are_left_out():
    windows, sizes, names = sample(4, 3)
    windows[1] = np.zeros_like(windows[1])
    made = crops_of(windows, sizes, names)
    assert len(made) == 2
    assert made.clusters == ["b0", "b2"]
    assert np.allclose(np.linalg.norm(made.shapes, axis=1), 1)


@pytest.mark.parametrize("content", ["{", "[]", '{"synthesizer": "gaussian"}'])
def test_a_file_to_add_to_that_is_no_report_is_refused_in_a_line(capsys, tmp_path, content):
    out = tmp_path / "credibility.json"
    out.write_text(content)
    words = ["--synthesizer", "gaussian", "--phantoms", "1", "--ct-patches", str(tmp_path), "--only-memorisation"]
    assert main(["evaluate", "synthesizer", *words, "--out", str(out)]) == 1
    assert f"{out}: no credibility report of a synthesizer" in capsys.readouterr().err
    assert out.read_text() == content
