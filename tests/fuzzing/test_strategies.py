"""Strategies shrink to the easiest case."""

import json
from importlib.resources import files

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, find, given, seed, settings

import synnodtest.strategies as st
from synnodtest.planning.difficulty import Space, ranged
from synnodtest.planning.radiomics_space import plausible, vectors
from synnodtest.radiomics_features import FEATURE_NAMES

QUIET = settings(
    max_examples=60,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=set(Phase) - {Phase.explain},  # which traces every line that is run once something is found
)


def test_a_scene_shrinks_to_a_large_dense_nodule_mid_lung_alone_and_unperturbed():
    strategy = st.scenes(
        diameter_mm=(4, 40),
        contrast=(0.2, 1.0),
        companion_distance_mm=(15, 80),
        perturbations=st.perturbations(jpeg=(20, 100), rotate_deg=(-10, 10)),
    )
    assert find(strategy, lambda scene: True, settings=QUIET).plain() == {
        "diameter_mm": 40.0,
        "contrast": 1.0,
        "place": {"part": 0, "height": 0.0, "across": 0.0},
        "perturbations": {"jpeg": 100.0, "rotate_deg": 0.0},
    }
    in_pairs = st.scenes(diameter_mm=(4, 40), contrast=(0.2, 1.0), companion_distance_mm=(15, 80))
    close = find(in_pairs, lambda scene: scene.get("companion.distance_mm", 99) < 30, settings=QUIET)
    assert 29.5 < close.get("companion.distance_mm") < 30
    assert close.get("diameter_mm") == 40.0


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: st.scenes(diameter_mm=(20, 10)), "diameter_mm"),
        (lambda: st.perturbations(flip=(0, 1)), "flip"),
        (lambda: st.perturbations(jpeg=(90, 40)), "above"),
        (lambda: st.radiomics(("Roundness",)), "Roundness"),
        (lambda: st.nodules(contrast=(0.2, 0.4), density=(0.5, 1.0)), "contrast and density each say how bright"),
        (lambda: st.scenes(density=(0.5, 1.0), attenuation=["solid"]), "density and attenuation each say how bright"),
        (lambda: st.nodules(margin=["smooth", "hairy"]), "margin: hairy: not one of"),
        (lambda: st.nodules(attenuation=["gaseous"]), "attenuation: gaseous: not one of"),
        (lambda: st.nodules(density=(0.0, 1.0)), "density: needs 0 < low"),
    ],
)
def test_impossible_arguments_are_refused_at_once(make, words):
    with pytest.raises(ValueError, match=words):
        make()


def test_the_easiest_look_is_dense_and_smooth_and_the_hardest_faint_and_spiculated():
    wide = list(st._looks(None, (0.5, 1.5), (), ["spiculated", "smooth"]))
    words = list(st._looks(None, None, ["ground-glass", "solid", "part-solid"], ()))
    both = [{d.name: d.value(k) for d in looks for k in [d.bounds[end]]} for looks in (wide, words) for end in (0, 1)]
    assert both == [
        {"density": 1.5, "margin": "smooth"},
        {"density": 0.5, "margin": "spiculated"},
        {"attenuation": "solid"},
        {"attenuation": "ground-glass"},
    ]
    assert [d.name for d in st._looks((0.2, 0.4), None, (), ())] == ["contrast"]


@QUIET
@given(st.radiomics())
def test_vectors_have_every_feature_and_are_possible_together(features):
    assert list(features) == list(FEATURE_NAMES)
    assert np.isfinite(list(features.values())).all()
    assert features["MinorAxisLength"] <= 1.05 * features["MajorAxisLength"]
    assert features["Minimum"] <= features["Median"] <= features["Maximum"]


def test_a_vector_shrinks_to_the_most_typical_nodule():
    assert find(st.radiomics(), lambda features: True, settings=QUIET) == vectors()[0]


def test_vectors_are_spread_like_the_training_nodules():
    """Against the quantiles of all 14,200 nodules, which are kept apart from the vectors."""
    stored = json.loads((files("synnodtest.planning") / "radiomics_distribution.json").read_text())
    for name in ("MajorAxisLength", "Sphericity", "Entropy", "SmallAreaEmphasis"):
        known = np.interp([0.1, 0.5, 0.9], stored["probabilities"], stored["features"][name]["quantiles"])
        spread = np.ptp(known)
        assert np.quantile([v[name] for v in vectors()], [0.1, 0.5, 0.9]) == pytest.approx(known, abs=0.15 * spread)


def test_contradictory_features_are_not_plausible():
    by_size = sorted(vectors(), key=lambda v: v["MeshSurface"])
    small, large = by_size[25], by_size[-25]
    assert plausible({name: small[name] for name in ("Sphericity", "Perimeter", "PixelSurface")})
    assert plausible({"MeshSurface": small["MeshSurface"], "PixelSurface": small["PixelSurface"]})
    assert not plausible({"MeshSurface": small["MeshSurface"], "PixelSurface": large["PixelSurface"]})


def test_hard_examples_are_drawn_as_well_as_easy_ones():
    """Hypothesis itself prefers small numbers: of whole numbers up to 1000 it draws one in ten above 750."""
    drawn = []

    @seed(3)
    @settings(QUIET, derandomize=False, max_examples=200)
    @given(st.points(Space((ranged("diameter_mm", 4, 40), ranged("perturbations.rotate_deg", -10, 10)))))
    def draw(point):
        drawn.append(point)

    draw()
    one, two = np.array(drawn).T
    assert np.mean(one > 750) > 0.18
    assert min(np.mean(two > 750), np.mean(two < -750)) > 0.05
