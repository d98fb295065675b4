"""Distances between synthetic and real nodules are fair: no twin, no shared background, one noise for both."""

from __future__ import annotations

import numpy as np
import pytest

from synnodtest import Identity, Radiograph, SynthesizerError, Truth
from synnodtest.errors import SynnodError
from synnodtest.evaluation.credibility import distances, standardised, two_sample_auc
from synnodtest.evaluation.measured import Planted, synthesized
from synnodtest.evaluation.synthesizer import alike
from synnodtest.radiomics_features import FEATURE_NAMES
from synnodtest.scene import Nodule, Scene
from synnodtest.synthesizers.registry import FunctionSynthesizer

SCENES, BACKGROUNDS, FEATURES = 120, 12, 6


def nodules(seed, shift=0.0):
    """Return (scenes, features): each scene has its own size, which all synthesizers share, and noise of its own."""
    size = np.random.default_rng(0).normal(size=(SCENES, 1))
    return size + 0.5 * np.random.default_rng(seed).normal(size=(SCENES, FEATURES)) + shift


CLUSTERS = [f"background-{k % BACKGROUNDS}" for k in range(SCENES)]


@pytest.mark.parametrize("measure", ["kernel", "energy", "frechet"])
def test_a_perfect_synthesizer_is_as_far_as_real_is_from_real(measure):
    real = nodules(1)
    copied = distances(real, real, CLUSTERS)[measure]
    assert copied["synthetic_to_real"] == copied["real_to_real_mean"]
    perfect = distances(nodules(2), real, CLUSTERS)[measure]
    spread = perfect["real_to_real_p95"] - perfect["real_to_real_mean"]
    assert abs(perfect["synthetic_to_real"] - perfect["real_to_real_mean"]) < 2 * spread
    shifted = distances(nodules(2, shift=1.5), real, CLUSTERS)[measure]
    assert shifted["synthetic_to_real"] > shifted["real_to_real_p95"]


def test_sharing_the_scenes_does_not_make_a_synthesizer_look_nearer():
    """The unbiased kernel distance of paired samples is negative by far; over halves without twins it is not."""

    def paired(x, y):
        def kernel(a, b):
            return (a @ b.T / a.shape[1] + 1) ** 3

        off = ~np.eye(len(x), dtype=bool)
        return kernel(x, x)[off].mean() + kernel(y, y)[off].mean() - 2 * kernel(x, y).mean()

    naive, fair = [], []
    for seed in range(10):
        real, made = nodules(10 + seed), nodules(50 + seed)
        naive.append(paired(standardised(made, real), standardised(real, real)))
        found = distances(made, real, CLUSTERS, halves=20, seed=seed)["kernel"]
        fair.append(found["synthetic_to_real"] - found["real_to_real_mean"])
    error = np.std(fair, ddof=1) / np.sqrt(len(fair))
    assert np.mean(naive) < -0.05
    assert abs(np.mean(fair)) < 4 * error


def test_no_nodule_is_compared_with_one_on_its_own_background():
    """Nodules that only their background tells apart: halves that shared one would find them nearer."""
    background = np.arange(SCENES) % BACKGROUNDS
    place = np.random.default_rng(3).normal(size=(BACKGROUNDS, FEATURES))[background]
    found = distances(place, place, CLUSTERS)
    assert found["energy"]["synthetic_to_real"] > 0.3
    assert found["backgrounds"] == BACKGROUNDS


def test_nodules_ask_for_every_feature_of_the_real_ones_of_their_scenes():
    features = np.arange(2 * len(FEATURE_NAMES), dtype=float).reshape(2, -1)
    features[1, 3] = np.nan
    nodule = Nodule(diameter_mm=12.0, centre_mm=(30.0, 30.0), contrast=0.3)
    pairs = [(Scene("one", (nodule,), seed=1), None), (Scene("two", (nodule,), seed=2), None)]
    real = Planted(("one", "two"), np.ones((2, 2)), np.ones((2, 2)), features, np.zeros((2, 96, 96), np.float16), 0, 0)
    (first, _), (second, _) = alike(pairs, real)
    assert dict(first.nodules[0].radiomics) == dict(zip(FEATURE_NAMES, features[0], strict=True))
    assert (first.nodules[0].diameter_mm, first.nodules[0].contrast, first.seed) == (12.0, 0.3, 1)
    assert second.nodules == (nodule,)


def test_nodules_of_too_few_patients_are_said_and_no_traceback() -> None:
    pytest.importorskip("sklearn", reason="the two-sample test needs the extra 'metrics'")
    table = np.random.default_rng(0).normal(size=(8, 67))
    for clusters in (["one"] * 16, ["real"] * 8 + ["planted"] * 8):  # a fold without a patient leaves one kind alone
        with pytest.raises(SynnodError, match="too few to be compared across patients"):
            two_sample_auc(table, table, clusters)
    with pytest.raises(SynnodError, match="halves of the 1 background"):
        distances(table, table, ["one"] * 8)


def test_a_synthesizer_that_says_otherwise_than_it_planted_is_not_measured() -> None:
    film = Radiograph(np.random.default_rng(0).random((60, 80), dtype=np.float32) / 2, (1.0, 1.0), background="film")
    bright = np.zeros(film.shape, dtype=np.float32)
    bright[20:30, 30:40] = 0.1
    truth = Truth("nodule", np.ones((10, 10), bool), (20, 30), 2 * (100 / np.pi) ** 0.5, 0.9)
    lying = FunctionSynthesizer(
        lambda scenes, grounds: [one.with_pixels(one.pixels + bright, (truth,)) for one in grounds], Identity("lying")
    )
    with pytest.raises(SynthesizerError, match=r"said to have a contrast of 0\.900"):
        list(synthesized(lying, [(Scene("film", (Nodule(11, (35, 25), contrast=0.9),)), film)], 8))
