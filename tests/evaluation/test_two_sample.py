"""Two-sample tests of crops: blind where there is no difference, seeing where there is one."""

import json
import shutil

import numpy as np
import pytest

from synnodtest.annotated.films import AnnotatedFilms
from synnodtest.cli import main
from synnodtest.evaluation import crops as crops_of
from synnodtest.evaluation import two_sample as two_sample_of
from synnodtest.evaluation.crops import SIDE, Crop, annotated_crops, bare_crops, planted_crops, profile_of
from synnodtest.evaluation.realism import film_exhibits
from synnodtest.evaluation.transfer.negatives import negative_films
from synnodtest.evaluation.transfer.scenes import counterparts, nodule_template, own_counterparts
from synnodtest.evaluation.two_sample import network_scores, tell_apart, two_sample
from synnodtest.synthesizers.gaussian import GaussianSynthesizer
from tests.evaluation.annotated_folder import remembered
from tests.extras import needs

needs("sklearn", "torch")


def _rings(crop):
    """Return the mean of a crop in each ring, by brute force; outlines here are circles a third as wide as the crop."""
    offsets = np.arange(48) + 0.5 - 24
    away = np.hypot(offsets[:, None], offsets[None, :]) / 8
    return [crop.pixels[(away >= low) & (away < low + 0.25)].mean() for low in np.arange(0, 1.5, 0.25)]


@pytest.fixture(autouse=True)
def few_rounds(monkeypatch):
    """Measure and train little: PyRadiomics has tests of its own, and but one test looks at what a network learnt."""
    monkeypatch.setattr(crops_of, "_radiomics", lambda values, inside: iter(()))
    monkeypatch.setattr(two_sample_of, "EPOCHS", 5)
    monkeypatch.setattr(two_sample_of, "FOLDS", 3)
    monkeypatch.setattr(two_sample_of, "HALVES", 1)


@pytest.fixture
def few_trees(monkeypatch):
    """Grow eight trees: of so few crops none has a second leaf, and all are the same."""
    from sklearn import ensemble

    trees = ensemble.HistGradientBoostingClassifier

    def few(max_iter, **others):
        return trees(max_iter=max_iter // 10, **others)

    monkeypatch.setattr(ensemble, "HistGradientBoostingClassifier", few)


@pytest.fixture(scope="module")
def world(read_films, tmp_path_factory):
    root = shutil.copytree(read_films, tmp_path_factory.mktemp("crops"), dirs_exist_ok=True)
    films = AnnotatedFilms(root / "real", cache=root / "store")
    negatives = negative_films(root / "plain", films, split="all", cache=root / "store")
    for each in (films, negatives):
        each.load = remembered(each.load)
    scenes = list(counterparts(films, negatives, nodule_template({"contrast": 0.8}), per_film=1, seed=0))
    return root, films, negatives, scenes


def test_every_nodule_gives_a_crop_of_one_size_with_the_same_features(world):
    _, films, negatives, scenes = world
    real, planted = annotated_crops(films), planted_crops(scenes, negatives, GaussianSynthesizer())
    assert (len(real), len(planted)) == (24, 24)
    for crops in (real, planted):
        away = [_rings(crop) for crop in crops]
        assert profile_of(crops) == pytest.approx(np.median(away, axis=0))
    assert {crop.pixels.shape for crop in [*real, *planted]} == {(SIDE, SIDE)}
    assert len({crop.features.shape for crop in [*real, *planted]}) == 1
    assert all(np.isfinite(crop.features).all() for crop in [*real, *planted])
    middle = SIDE // 2
    for crop in [*real, *planted]:
        assert crop.pixels[middle - 4 : middle + 4, middle - 4 : middle + 4].mean() > crop.pixels[:4].mean()
    ill, well = bare_crops(films, scenes, negatives)
    assert (
        abs(np.mean([crop.features[0] for crop in [*ill, *well]])) < 0.3 < np.mean([crop.features[0] for crop in real])
    )


def crops(count, peak, seed):
    """Return crops of noise with a blob of this height, one per patient; their features are those of the middle."""
    rng = np.random.default_rng(seed)
    y, x = np.indices((SIDE, SIDE)) - SIDE / 2
    blob = np.exp(-(x**2 + y**2) / 72)
    made = []
    for k in range(count):
        pixels = (0.3 * rng.normal(size=(SIDE, SIDE)) + peak * blob).astype(np.float32)
        middle = pixels[20:28, 20:28].astype(np.float64)
        features = np.array([middle.mean(), middle.std(), pixels.std(), middle.max()])
        made.append(Crop(f"{seed}-{k}", pixels, features, ""))
    return made


def test_crops_of_two_kinds_are_told_apart_and_of_one_kind_are_not(monkeypatch, few_trees):
    monkeypatch.setattr(two_sample_of, "EPOCHS", 12)
    real, planted, same = crops(24, 1.0, 0), crops(24, 0.2, 1), crops(24, 1.0, 2)
    told = two_sample(real, planted, (real, same))
    found, alone = told["planted_against_real"], told["films_alone"]
    assert found["logistic"] > 0.85
    assert found["network"] > 0.65
    for name in ("logistic", "network"):  # the trees of scikit-learn split no leaf of fewer than forty
        assert abs(alone[name] - 0.5) < 0.35, name
        assert told["real_against_real"][name]["mean"] < found[name], name
    low, high = found["network_interval_90"]
    assert low <= found["network"] <= high


def test_the_same_seed_gives_the_same_answer(monkeypatch, few_trees):
    import torch

    monkeypatch.setattr(two_sample_of, "EPOCHS", 1)
    one, other = crops(12, 1.0, 0), crops(12, 0.5, 1)
    assert tell_apart(one, other, seed=3) == tell_apart(one, other, seed=3)
    scores = []
    for drawn_before in (1, 2):
        torch.manual_seed(drawn_before)
        scores.append(network_scores(one, other, seed=3))
    assert np.array_equal(*scores)


def test_readers_get_as_many_of_each(world):
    _, films, negatives, scenes = world
    made = film_exhibits(films, scenes, negatives, GaussianSynthesizer(), each=6, seed=1)
    assert [one.synthetic for one in made] == [False] * 6 + [True] * 6
    assert len({one.background for one in made[:6]}) == 6


def test_the_command_writes_test_and_page(world, tmp_path, monkeypatch, few_trees):
    monkeypatch.setattr(two_sample_of, "EPOCHS", 1)
    root, *_ = world
    arguments = ["--data", root / "real", "--backgrounds", root / "plain", "--synthesizer", "gaussian", "--each", 4]
    arguments += [
        "--nodule",
        "{contrast: 0.8}",
        "--per-film",
        1,
        "--store",
        root / "store",
        "--out",
        tmp_path / "study",
    ]
    assert main(["evaluate", "realism", *map(str, arguments)]) == 0
    told = json.loads((tmp_path / "study" / "two-sample.json").read_text())
    assert told["real"] == told["planted"] == 24
    assert "marked by radiologists" in (tmp_path / "study" / "readers.html").read_text()
    key = json.loads((tmp_path / "study" / "key.json").read_text())
    assert sum(one["synthetic"] for one in key.values()) == 4


def test_without_other_films_nodules_lie_in_the_other_lung_of_the_annotated_ones(world):
    _, films, *_ = world
    template = nodule_template({"contrast": 0.8})
    scenes = list(own_counterparts(films, template, per_film=2, seed=0))
    assert len(scenes) == 48
    for scene in scenes:
        film = scene.recipe.background
        whole = films.load(film)
        (real,), (planted,) = scene.nodules, scene.recipe.nodules
        x = planted.location.at_mm[0] / whole.spacing_mm[1]
        row = int(planted.location.at_mm[1] / whole.spacing_mm[0])
        sides = [whole.regions["left_lung"][row, int(c)] for c in (x, (real.box[0] + real.box[2]) / 2)]
        assert film.id == scene.film
        assert sides[0] != sides[1]
    crops = planted_crops(scenes[:4], films, GaussianSynthesizer())
    assert [crop.film for crop in crops] == [scene.film for scene in scenes[:4]]
